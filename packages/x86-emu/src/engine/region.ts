/** Which code becomes one translated region: the blocks of a page that direct jumps and calls reach from hot places. */
import type { ConcreteInstruction } from './concrete.ts';
import { PAGE_SIZE } from './layout.ts';

/** Decodes the instruction at a page offset; undefined if it cannot be translated or goes on to the next page. */
export type InstructionAt = (offset: number) => ConcreteInstruction | undefined;

export interface Block {
  /** Page offset of the first instruction. */
  readonly offset: number;
  readonly instructions: readonly ConcreteInstruction[];
  /** Page offset behind the last instruction. */
  readonly end: number;
  /** Numbers of the blocks that direct jumps, and the end of the block, lead to. */
  readonly successors: readonly number[];
}

export interface Region {
  /** By offset; each block runs to the next leader, to an end of control flow, or to what cannot be translated. */
  readonly blocks: readonly Block[];
  /** Numbers of the blocks at which the interpreter enters and computed jumps arrive: loop heads, places to which calls return, hot places beside them. */
  readonly entries: readonly number[];
  /** Some block ends with a return or an indirect jump. */
  readonly computed: boolean;
}

const MAX_BLOCKS = 96;
const MAX_INSTRUCTIONS = 480;

/** Page offset of a direct branch's target; undefined if it is no direct branch or leads off the page. */
const branchTarget = ({
  shape,
  offset,
  length,
  immediate,
}: ConcreteInstruction): number | undefined => {
  // A 16-bit operand size cuts the target, which then is seldom on this page.
  if (shape.operandSize === 16 || !shape.operands.some(({ relative }) => relative))
    return undefined;
  const target = offset + length + Number(immediate);
  return target >= 0 && target < PAGE_SIZE ? target : undefined;
};

/** A return, or a jump or call whose target stands in a register or memory. */
const isComputed = ({ shape }: ConcreteInstruction): boolean =>
  shape.row.ends === true && !shape.operands.some(({ relative }) => relative);

/** What discovery has found so far. */
class Discovery {
  readonly instructions = new Map<number, ConcreteInstruction>();
  readonly leaders = new Set<number>();
  readonly entries = new Set<number>();
  /** Where direct jumps lead. */
  readonly targets = new Set<number>();
  readonly #at: InstructionAt;

  constructor(at: InstructionAt) {
    this.#at = at;
  }

  /** Follows all direct jumps from `start`, as far as there is room. */
  follow(start: number): void {
    const { instructions, leaders, entries } = this;
    leaders.add(start);
    const work = [start];
    while (work.length > 0 && instructions.size < MAX_INSTRUCTIONS) {
      let offset = work.shift() as number;
      while (offset < PAGE_SIZE && !instructions.has(offset)) {
        const insn = this.#at(offset);
        if (!insn) break;
        instructions.set(offset, insn);
        const next = offset + insn.length;
        const target = branchTarget(insn);
        if (target !== undefined && leaders.size < MAX_BLOCKS) {
          leaders.add(target);
          this.targets.add(target);
          work.push(target);
          if (target <= offset) entries.add(target);
        }
        if (insn.shape.row.ends) {
          // What follows a call is where its callee returns.
          if (insn.shape.row.mnemonic === 'CALL' && leaders.size < MAX_BLOCKS) {
            leaders.add(next);
            entries.add(next);
            work.push(next);
          }
          break;
        }
        offset = next;
      }
    }
  }
}

/**
 * Finds the region around the hot places `starts`; undefined if not even the first one's instruction can be translated. `targets` are places among them
 * to which computed jumps lead.
 */
export const discoverRegion = (
  starts: readonly number[],
  at: InstructionAt,
  targets: ReadonlySet<number> = new Set(),
): Region | undefined => {
  const discovery = new Discovery(at);
  for (const start of starts) discovery.follow(start);
  const { instructions, leaders, entries } = discovery;
  if (!instructions.has(starts[0] as number)) return undefined;
  for (const target of targets) entries.add(target);
  const inside = (offsets: Iterable<number>): number[] =>
    [...offsets].filter((offset) => instructions.has(offset)).toSorted((a, b) => a - b);
  // A hot place that no entry leads to is one itself. Of a loop entered somewhere in its middle the head is enough.
  for (const start of starts) {
    const whole = blocksAt(inside(leaders), instructions);
    const number = whole.findIndex(({ offset }) => offset === start);
    const isEntry = whole.map(({ offset }) => entries.has(offset));
    if (number >= 0 && !reachedFrom(whole, isEntry).has(number)) entries.add(start);
  }
  for (const start of starts)
    if (!entries.has(start) && !discovery.targets.has(start)) leaders.delete(start);
  const blocks = blocksAt(inside(leaders), instructions);
  return {
    blocks,
    entries: blocks.flatMap(({ offset }, i) => (entries.has(offset) ? [i] : [])),
    computed: [...instructions.values()].some(isComputed),
  };
};

const blocksAt = (
  offsets: readonly number[],
  instructions: ReadonlyMap<number, ConcreteInstruction>,
): readonly Block[] => {
  const numbers = new Map(offsets.map((offset, i) => [offset, i]));
  return offsets.map((offset) => blockAt(offset, instructions, numbers));
};

const reachedFrom = (
  blocks: readonly Block[],
  isEntry: readonly boolean[],
): ReadonlySet<number> => {
  const reached = new Set(blocks.flatMap((_, i) => (isEntry[i] ? [i] : [])));
  for (const number of reached)
    for (const next of (blocks[number] as Block).successors) reached.add(next);
  return reached;
};

const blockAt = (
  offset: number,
  instructions: ReadonlyMap<number, ConcreteInstruction>,
  numbers: ReadonlyMap<number, number>,
): Block => {
  const block: ConcreteInstruction[] = [];
  const successors = new Set<number>();
  const add = (target: number | undefined): void => {
    const number = target === undefined ? undefined : numbers.get(target);
    if (number !== undefined) successors.add(number);
  };
  let end = offset;
  let ended = false;
  while (!ended) {
    const insn = instructions.get(end);
    if (!insn || (end !== offset && numbers.has(end))) break;
    block.push(insn);
    add(branchTarget(insn));
    end += insn.length;
    ended = insn.shape.row.ends === true;
  }
  if (!ended) add(end);
  return { offset, instructions: block, end, successors: [...successors] };
};
