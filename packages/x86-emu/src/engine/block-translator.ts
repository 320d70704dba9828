/**
 * Translates straight-line blocks: the semantic functions that make the interpreter, built with the operands of concrete instructions, become one WebAssembly
 * function per block.
 */
import type { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import { ModuleBuilder } from '../wasm/module.ts';
import { BlockEmit, BlockState } from './block-emit.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { importRuntime } from './core-module.ts';
import { loadField32 } from './paging.ts';
import { RECORD_SIZE } from './record.ts';
import type { Callees } from './runtime-functions.ts';

const EXPORT = 'block';

/** Whether an instruction may stand in a block: staged, and executed once. */
export const isTranslatable = ({ shape }: ConcreteInstruction): boolean =>
  shape.row.exec !== undefined && shape.rep === 'none';

const build = (c: Code, callees: Callees, block: readonly ConcreteInstruction[]): void => {
  const first = block[0] as ConcreteInstruction;
  // Too little budget for the whole block: the interpreter takes over at its first instruction.
  c.atEntry(() => {
    const remaining = loadField32(c, 'remaining');
    c.if(e.ltU(remaining, block.length), () => c.return(e.i32(first.record)));
  });
  const state = new BlockState(c, callees);
  block.forEach((insn, i) => new BlockEmit(state, insn, i + 1).build());
  const last = block.at(-1) as ConcreteInstruction;
  new BlockEmit(state, last, block.length).fallThrough(e.i32(last.record + RECORD_SIZE));
};

/**
 * Compiles a block. The result executes it if the state's `remaining` covers it, and gives the next record; 0 if it left the engine, the first
 * record if it did nothing.
 */
export const translateBlock = (
  block: readonly ConcreteInstruction[],
  imports: WebAssembly.Imports,
): (() => number) => {
  const module = new ModuleBuilder();
  const callees = importRuntime(module);
  const { body } = module.function([], 'i32', EXPORT);
  build(body, callees, block);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
  return instance.exports[EXPORT] as () => number;
};
