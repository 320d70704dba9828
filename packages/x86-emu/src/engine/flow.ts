/**
 * From a control-flow graph to WebAssembly's structured control flow. Strongly connected components in topological order become nested blocks, so that
 * forward edges are plain branches; a component with a cycle becomes a `loop`. Where a cycle can be entered at several nodes, a branch on the variable
 * `current` at its head goes to the right one.
 */
import type { Code, Label, Variable } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';

export interface FlowGraph {
  /** Successors by node. */
  readonly successors: readonly (readonly number[])[];
  /** Nodes at which control arrives from outside, and by computed jumps. */
  readonly entries: readonly number[];
  /** Some node jumps to an entry that only run time knows. */
  readonly computed: boolean;
}

export interface FlowJumps {
  /** Branches to a successor of the node being built. */
  readonly to: (node: number) => void;
  /** Branches to the entry whose number stands in `current`. */
  readonly computed: () => void;
}

/** More targets than this are told apart by a jump table, fewer by comparisons. */
const MOST_COMPARISONS = 4;

/** Strongly connected components of a part of the graph, in topological order (Tarjan 1972). */
const components = (
  nodes: readonly number[],
  successors: (node: number) => readonly number[],
): readonly (readonly number[])[] => {
  const inside = new Set(nodes);
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const found: number[][] = [];
  const visit = (v: number): void => {
    index.set(v, index.size);
    low.set(v, index.get(v) as number);
    stack.push(v);
    onStack.add(v);
    for (const w of successors(v)) {
      if (!inside.has(w)) continue;
      if (!index.has(w)) {
        visit(w);
        low.set(v, Math.min(low.get(v) as number, low.get(w) as number));
      } else if (onStack.has(w)) low.set(v, Math.min(low.get(v) as number, index.get(w) as number));
    }
    if (low.get(v) !== index.get(v)) return;
    const component: number[] = [];
    for (;;) {
      const w = stack.pop() as number;
      onStack.delete(w);
      component.push(w);
      if (w === v) break;
    }
    found.push(component);
  };
  for (const v of nodes) if (!index.has(v)) visit(v);
  return found.toReversed();
};

/** Builds all nodes; control starts at the entry whose number is in `current`, and never comes out behind. */
export const buildFlow = (
  c: Code,
  { successors, entries, computed }: FlowGraph,
  current: Variable<'i32'>,
  buildNode: (node: number, jumps: FlowJumps) => void,
): void => {
  /** How to get to a node from where code is being built. */
  const jumps: (() => void)[] = [];
  let again: Label | undefined;
  const toEntry = (): void => c.br(again as Label);

  const buildLoop = (
    nodes: readonly number[],
    heads: readonly number[],
    outer: ReadonlySet<number>,
  ): void =>
    c.loop((label) => {
      for (const head of heads)
        jumps[head] = () => {
          if (heads.length > 1) c.set(current, e.i32(head));
          c.br(label);
        };
      buildLevel(nodes, new Set([...outer, ...heads]), heads);
    });

  /** `heads`: nodes whose incoming edges go to the loop around this level. */
  const buildLevel = (
    nodes: readonly number[],
    heads: ReadonlySet<number>,
    starts: readonly number[],
  ): void => {
    const next = (v: number): readonly number[] =>
      (successors[v] as readonly number[]).filter((w) => !heads.has(w));
    const parts = components(nodes, next);
    const partOf = new Map(parts.flatMap((part, i) => part.map((v) => [v, i] as const)));
    /** Nodes of each part that are reached from outside it. */
    const reached = parts.map(() => new Set<number>());
    for (const v of starts) reached[partOf.get(v) as number]?.add(v);
    for (const v of nodes)
      for (const w of next(v))
        if (partOf.has(w) && partOf.get(w) !== partOf.get(v))
          reached[partOf.get(w) as number]?.add(w);

    const buildPart = (i: number): void => {
      const part = parts[i] as readonly number[];
      const first = part[0] as number;
      if (part.length > 1 || next(first).includes(first))
        buildLoop(part, [...(reached[i] as Set<number>)], heads);
      else buildNode(first, { to: (v) => (jumps[v] as () => void)(), computed: toEntry });
    };
    const open = (i: number, labels: readonly Label[]): void => {
      if (i < 0) {
        dispatch(c, starts, current, (v) => labels[partOf.get(v) as number] as Label);
        return;
      }
      c.block((label) => {
        const several = (reached[i] as Set<number>).size > 1;
        for (const v of reached[i] as Set<number>)
          if (!heads.has(v))
            jumps[v] = () => {
              if (several) c.set(current, e.i32(v));
              c.br(label);
            };
        open(i - 1, [label, ...labels]);
      });
      buildPart(i);
    };
    open(parts.length - 1, []);
  };

  const all = successors.map((_, i) => i);
  const build = (): void => buildLevel(all, new Set(), entries);
  if (!computed) build();
  else
    c.loop((label) => {
      again = label;
      build();
    });
  c.unreachable();
};

const dispatch = (
  c: Code,
  starts: readonly number[],
  current: Variable<'i32'>,
  labelOf: (node: number) => Label,
): void => {
  const last = starts.at(-1);
  if (last === undefined) throw new Error('a flow graph without an entry');
  if (starts.length <= MOST_COMPARISONS)
    for (const v of starts.slice(0, -1)) c.brIf(e.eq(c.get(current), v), labelOf(v));
  else {
    const labels = Array.from({ length: Math.max(...starts) + 1 }, (_, v) =>
      labelOf(starts.includes(v) ? v : last),
    );
    c.brTable(c.get(current), labels, labelOf(last));
  }
  c.br(labelOf(last));
};
