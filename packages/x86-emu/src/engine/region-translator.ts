/**
 * Translates regions: the semantic functions that make the interpreter, built with the operands of concrete instructions, become one WebAssembly
 * function with the region's blocks as the cases of a loop.
 */
import { NO_REGISTER } from '../decode/decoder.ts';
import type { FlagsEmit } from '../isa/emit.ts';
import { Code } from '../wasm/code.ts';
import type { Label } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32 } from '../wasm/expr.ts';
import { ModuleBuilder } from '../wasm/module.ts';
import type { ConcreteInstruction } from './concrete.ts';
import { importRuntime } from './core-module.ts';
import { nestedBlocks } from './dispatch-loop.ts';
import { RegionEmit, RegionFrame } from './region-emit.ts';
import type { RegionTargets } from './region-emit.ts';
import type { Block, Region } from './region.ts';
import type { Callees } from './runtime-functions.ts';
import type { InstructionShape } from './shape.ts';

/** What building an instruction once tells about it. */
interface Trait {
  /** Flags are written under a run-time condition. */
  readonly conditionalFlags: boolean;
  /** Calls TypeScript, which may look at registers that are in locals. */
  readonly callsOut: boolean;
}

/** By shape key. */
const traits = new Map<string, Trait>();

/** Whether an instruction may stand in a region: staged, executed once, and independent of TypeScript except for vector state, which is in memory. */
export const isTranslatable = (insn: ConcreteInstruction): boolean => {
  const { row, rep } = insn.shape;
  if (row.exec === undefined || rep !== 'none' || row.cpl0) return false;
  return row.unit === 'sse' || !traitOf(insn).callsOut;
};

/**
 * The exported entry functions of a region: record → next record, like any handler. `blockTable` is the address of 4096 bytes in linear memory that give, by page
 * offset, the number of the block there plus 1 (see `fillBlockTable`).
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
  const index = new Map(region.blocks.map(({ offset }, i) => [offset, i]));
  const names = region.entries.map((offset) => {
    const name = `entry${offset}`;
    const wrapper = module.function(['i32'], 'i32', name).body;
    wrapper.return(wrapper.letCall('i32', callee, e.i32(index.get(offset) as number)));
    return name;
  });
  buildRegion(body, callees, region.blocks, index, record, blockTable);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
  return names.map((name) => instance.exports[name] as () => number);
};

/** Fills a region's table of blocks by page offset. */
export const fillBlockTable = (table: Uint8Array, { blocks }: Region): void => {
  table.fill(0);
  blocks.forEach(({ offset }, i) => {
    table[offset] = i + 1;
  });
};

const buildRegion = (
  c: Code,
  callees: Callees,
  blocks: readonly Block[],
  index: ReadonlyMap<number, number>,
  record: RegionTargets['record'],
  blockTable: number,
): void => {
  const frame = new RegionFrame(c, callees);
  const current = c.variable('i32');
  frame.build(() => {
    c.set(current, c.param(0, 'i32'));
    c.loop((again) => {
      let starts: readonly Label[] = [];
      const targetsFrom = (from: number, self: Label): RegionTargets => ({
        record,
        goto: (offset, executed) => {
          const block = index.get(offset);
          if (block === undefined) return false;
          frame.flags.settle();
          c.set(frame.budget, e.sub(c.get(frame.budget), executed));
          // Forward and to itself a block jumps directly; only backward jumps go round by the table.
          if (block === from) c.br(self);
          else if (block > from) c.br(starts[block] as Label);
          else {
            c.set(current, e.i32(block));
            c.br(again);
          }
          return true;
        },
        gotoIndirect: (offset, executed) => {
          const block = c.load('i32.load8_u', offset, blockTable);
          c.if(block, () => {
            frame.flags.settle();
            c.set(frame.budget, e.sub(c.get(frame.budget), executed));
            c.set(current, e.sub(block, 1));
            c.br(again);
          });
        },
      });
      nestedBlocks(
        c,
        blocks.length,
        (labels, otherwise) => {
          starts = labels;
          dispatch(c, c.get(current), labels, otherwise);
        },
        blocks.map(
          (block, i) => () => c.loop((self) => buildBlock(frame, targetsFrom(i, self), block)),
        ),
      );
      c.unreachable();
    });
  });
};

const dispatch = (c: Code, index: I32, labels: readonly Label[], otherwise: Label): void => {
  if (labels.length === 1) c.br(labels[0] as Label);
  else c.brTable(index, labels, otherwise);
};

const buildBlock = (frame: RegionFrame, targets: RegionTargets, block: Block): void => {
  const { c } = frame;
  const { instructions, offset, end } = block;
  const total = instructions.length;
  frame.flags.forget();
  // Too little budget for the whole block: the interpreter goes on, and stops at exactly the right instruction.
  c.if(e.ltU(c.get(frame.budget), total), () => frame.leave(e.i32(targets.record(offset)), 0));
  instructions.forEach((insn, i) =>
    new RegionEmit(frame, targets, insn, i + 1).build(traitOf(insn).conditionalFlags),
  );
  if (!targets.goto(end, total)) frame.leave(e.i32(targets.record(end)), total);
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
  const write = (): void => {
    conditionalFlags ||= c.depth > 0;
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
    gotoIndirect: () => {},
    record: () => 0,
  };
  const frame = new RegionFrame(c, callees);
  const slowPath = (): I32 => {
    callsOut = true;
    return e.i32(0);
  };
  c.block((exit) => {
    frame.exit = exit;
    shape.row.exec?.(new ProbeEmit(frame, targets, anyInstruction(shape), flags, slowPath));
  });
  return { conditionalFlags, callsOut };
};

class ProbeEmit extends RegionEmit {
  readonly #slowPath: () => I32;

  constructor(
    frame: RegionFrame,
    targets: RegionTargets,
    insn: ConcreteInstruction,
    flags: FlagsEmit,
    slowPath: () => I32,
  ) {
    super(frame, targets, insn, 1, flags);
    this.#slowPath = slowPath;
  }

  override slowPath(): I32 {
    return this.#slowPath();
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
