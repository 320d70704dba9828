/** Which code becomes one translated region: the blocks of a page that direct jumps and calls reach from a hot place. */
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
}

export interface Region {
  /** By offset; each block runs to the next leader, to an end of control flow, or to what cannot be translated. */
  readonly blocks: readonly Block[];
  /** Offsets at which the interpreter enters: the hot place, loop heads, places to which calls return. */
  readonly entries: readonly number[];
}

const MAX_BLOCKS = 64;
const MAX_INSTRUCTIONS = 400;

/** Page offset of a direct branch's target; undefined if it is no direct branch or leads off the page. */
const branchTarget = (insn: ConcreteInstruction): number | undefined => {
  if (!insn.shape.operands.some(({ relative }) => relative)) return undefined;
  const target = insn.offset + insn.length + Number(insn.immediate);
  return target >= 0 && target < PAGE_SIZE ? target : undefined;
};

/** Finds the region around `start`; undefined if not even its first instruction can be translated. */
export const discoverRegion = (start: number, at: InstructionAt): Region | undefined => {
  const instructions = new Map<number, ConcreteInstruction>();
  const leaders = new Set([start]);
  const entries = new Set([start]);
  const work = [start];
  while (work.length > 0 && instructions.size < MAX_INSTRUCTIONS) {
    let offset = work.shift() as number;
    while (offset < PAGE_SIZE && !instructions.has(offset)) {
      const insn = at(offset);
      if (!insn) break;
      instructions.set(offset, insn);
      const next = offset + insn.length;
      const target = branchTarget(insn);
      if (target !== undefined && leaders.size < MAX_BLOCKS) {
        leaders.add(target);
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
  if (!instructions.has(start)) return undefined;
  const blocks = [...leaders]
    .filter((offset) => instructions.has(offset))
    .toSorted((a, b) => a - b)
    .map((offset) => blockAt(offset, instructions, leaders));
  return { blocks, entries: [...entries].filter((offset) => instructions.has(offset)) };
};

const blockAt = (
  offset: number,
  instructions: ReadonlyMap<number, ConcreteInstruction>,
  leaders: ReadonlySet<number>,
): Block => {
  const block: ConcreteInstruction[] = [];
  let end = offset;
  for (;;) {
    const insn = instructions.get(end);
    if (!insn || (end !== offset && leaders.has(end))) break;
    block.push(insn);
    end += insn.length;
    if (insn.shape.row.ends) break;
  }
  return { offset, instructions: block, end };
};
