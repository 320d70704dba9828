/**
 * Translates regions: the semantic functions that make the interpreter, built with the operands of concrete instructions, become one WebAssembly
 * function. Its shape follows the region's jumps (`flow.ts`).
 */
import { NO_REGISTER } from '../decode/decoder.ts';
import type { FlagsEmit } from '../isa/emit.ts';
import { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32 } from '../wasm/expr.ts';
import { ModuleBuilder } from '../wasm/module.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { importRuntime } from './core-module.ts';
import { buildFlow } from './flow.ts';
import type { FlowJumps } from './flow.ts';
import { RegionEmit } from './region-emit.ts';
import type { BlockPosition, RegionTargets } from './region-emit.ts';
import { REGION_EXIT } from './region-exit.ts';
import { RegionFrame } from './region-frame.ts';
import type { Block, Region } from './region.ts';
import type { Callees } from './runtime-functions.ts';
import type { InstructionShape } from './shape.ts';

/** What building an instruction once tells about it. */
interface Trait {
  /** Flags are written under a run-time condition. */
  readonly conditionalFlags: boolean;
  /** Calls out of staged code whatever its operands are: TypeScript, or the check of a segment. */
  readonly callsOut: boolean;
  /** May call TypeScript. */
  readonly slowPath: boolean;
}

/** By shape key. */
const traits = new Map<string, Trait>();

/** Whether an instruction may stand in a region: staged, executed once, and independent of TypeScript unless that is vector arithmetic. */
export const isTranslatable = (insn: ConcreteInstruction): boolean => {
  const { row, rep } = insn.shape;
  if (row.exec === undefined || rep !== 'none' || row.cpl0) return false;
  const { callsOut, slowPath } = traitOf(insn);
  if (row.unit === 'sse' && insn.shape.mode === 'long') return true;
  return !callsOut && !slowPath;
};

/**
 * The exported entry functions of a region: record → next record, like any handler. `blockTable` is the address of 4096 bytes in linear memory that give, by page
 * offset, the number of the entry there plus 1 (see `fillBlockTable`).
 */
export const translateRegion = (
  region: Region,
  record: RegionTargets['record'],
  blockTable: number,
  imports: WebAssembly.Imports,
): readonly (() => number)[] => {
  const module = new ModuleBuilder('region');
  const callees = importRuntime(module);
  const { callee, body } = module.function(['i32'], 'i32');
  const names = region.entries.map((number) => {
    const name = `entry${number}`;
    const wrapper = module.function(['i32'], 'i32', name).body;
    wrapper.return(wrapper.letCall('i32', callee, e.i32(number)));
    return name;
  });
  buildRegion(body, callees, region, record, blockTable);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
  return names.map((name) => instance.exports[name] as () => number);
};

/** Fills a region's table of entries by page offset. */
export const fillBlockTable = (table: Uint8Array, { blocks, entries }: Region): void => {
  table.fill(0);
  for (const number of entries) table[(blocks[number] as Block).offset] = number + 1;
};

const buildRegion = (
  c: Code,
  callees: Callees,
  { blocks, entries, computed }: Region,
  record: RegionTargets['record'],
  blockTable: number,
): void => {
  const frame = new RegionFrame(c, callees);
  const { flags } = frame;
  const current = c.variable('i32');
  const numbers = new Map(blocks.map(({ offset }, i) => [offset, i]));
  const targetsBy = (jumps: FlowJumps): RegionTargets => ({
    record,
    goto: (offset, unused) => {
      const number = numbers.get(offset);
      if (number === undefined) return false;
      flags.settle();
      frame.refund(unused);
      jumps.to(number);
      return true;
    },
    gotoComputed: (offset) => {
      const number = c.load('i32.load8_u', offset, blockTable);
      c.if(number, () => {
        flags.settle();
        c.set(current, e.sub(number, 1));
        jumps.computed();
      });
    },
  });
  frame.build(() => {
    c.set(current, c.param(0, 'i32'));
    const graph = { successors: blocks.map((b) => b.successors), entries, computed };
    buildFlow(c, graph, current, (number, jumps) =>
      c.scope(() => buildBlock(frame, targetsBy(jumps), blocks[number] as Block)),
    );
  });
};

const buildBlock = (frame: RegionFrame, targets: RegionTargets, block: Block): void => {
  const { c, budget } = frame;
  const { instructions, offset, end } = block;
  const total = instructions.length;
  frame.flags.forget();
  // Too little budget for the whole block: the interpreter goes on, and stops at exactly the right instruction.
  c.set(budget, e.sub(c.get(budget), total));
  c.if(e.ltS(c.get(budget), 0), () =>
    frame.toRecord(REGION_EXIT.budget, targets.record(offset), total),
  );
  const checkedUnits = new Set<string>();
  instructions.forEach((insn, i) => {
    const position = { left: total - i, checkedUnits, ...traitOf(insn) };
    new RegionEmit(frame, targets, insn, position).build();
  });
  if (instructions.at(-1)?.shape.row.ends === true) return;
  if (!targets.goto(end, 0)) frame.toRecord(REGION_EXIT.onward, targets.record(end), 0);
};

const traitOf = ({ shape, key }: ConcreteInstruction): Trait => {
  const known = traits.get(key);
  if (known) return known;
  const trait = probe(shape);
  traits.set(key, trait);
  return trait;
};

/** Builds the instruction into nowhere, with operands that stand for any. */
const probe = (shape: InstructionShape): Trait => {
  const c = new Code([], 'i32');
  const callees = importRuntime(new ModuleBuilder('probe'));
  let conditionalFlags = false;
  let callsOut = false;
  let slowPath = false;
  /** Blocks of the function around every instruction. */
  let around = 0;
  const write = (): void => {
    conditionalFlags ||= c.depth > around;
  };
  const flags: FlagsEmit = {
    add: write,
    sub: write,
    sbb: write,
    inc: write,
    dec: write,
    logic: write,
    result: write,
    set: write,
    setCarry: write,
    setCarryOverflow: write,
    carry: () => e.i32(0),
    get: () => e.i32(0),
    condition: () => e.i32(0),
  };
  const targets: RegionTargets = {
    goto: () => false,
    gotoComputed: () => {},
    record: () => 0,
  };
  const frame = new RegionFrame(c, callees);
  frame.build(() => {
    around = c.depth;
    const called = (slow: boolean): void => {
      callsOut ||= c.depth === around;
      slowPath ||= slow;
    };
    shape.row.exec?.(new ProbeEmit(frame, targets, anyInstruction(shape), flags, called));
  });
  return { conditionalFlags, callsOut, slowPath };
};

const ALONE: BlockPosition = {
  left: 1,
  checkedUnits: new Set(),
  conditionalFlags: false,
  callsOut: false,
};

class ProbeEmit extends RegionEmit {
  readonly #called: (slow: boolean) => void;

  constructor(
    frame: RegionFrame,
    targets: RegionTargets,
    insn: ConcreteInstruction,
    flags: FlagsEmit,
    called: (slow: boolean) => void,
  ) {
    super(frame, targets, insn, ALONE, flags);
    this.#called = called;
  }

  protected override callOut(): void {
    this.#called(false);
  }

  override slowPath(): I32 {
    this.#called(true);
    return e.i32(0);
  }
}

const anyInstruction = (shape: InstructionShape): ConcreteInstruction => ({
  shape,
  key: '',
  registers: shape.operands.map(() => 0),
  base: 0,
  index: NO_REGISTER,
  scale: 0,
  displacement: 0,
  segment: 3,
  immediate: 1n,
  immediate2: 1,
  offset: 0,
  length: 1,
  record: 0,
});
