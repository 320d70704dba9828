// Structured control flow against the graph itself: a walk through generated code visits the nodes that a walk over the graph visits.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildFlow } from '../../src/engine/flow.ts';
import { BASE } from '../../src/wasm/code.ts';
import * as e from '../../src/wasm/expr.ts';
import { ModuleBuilder } from '../../src/wasm/module.ts';

interface Graph {
  readonly successors: readonly (readonly number[])[];
  readonly entries: readonly number[];
  readonly computed: boolean;
}

const STEPS = 100;

/** Which way out node `node` takes as step `step` of a walk: any fixed choice will do. */
const choice = (node: number, step: number, ways: number): number =>
  ((node * 7 + step * 13 + ((step * step) >> 3)) >>> 0) % ways;

/** The nodes visited. A node without successors goes to an entry if there are computed jumps; else it ends the walk. */
const walk = ({ successors, entries, computed }: Graph, start: number): readonly number[] => {
  const visited: number[] = [];
  let node: number | undefined = start;
  while (node !== undefined && visited.length < STEPS) {
    const step: number = visited.push(node) - 1;
    const next = successors[node] as readonly number[];
    if (next.length > 0) node = next[choice(node, step, next.length)];
    else node = computed ? entries[choice(node, step, entries.length)] : undefined;
  }
  return visited;
};

/** The same walk in WebAssembly: node `n` of step `i` is the byte at `i`. */
const compiledWalk = (graph: Graph): ((start: number) => readonly number[]) => {
  const module = new ModuleBuilder('walk');
  const { body: c } = module.function(['i32'], 'i32', 'walk');
  const current = c.variable('i32', c.param(0, 'i32'));
  const step = c.variable('i32');
  c.block((end) =>
    buildFlow(c, graph, current, (node, jumps) => {
      c.store('i32.store8', c.get(step), e.i32(node));
      const at = c.snapshot(step);
      c.set(step, e.add(at, 1));
      c.brIf(e.geU(c.get(step), STEPS), end);
      const way = (ways: number): e.I32 =>
        c.let(
          e.remU(
            e.add(e.add(e.i32(node * 7), e.mul(at, 13)), e.shrU(e.mul(at, at), 3)),
            e.i32(ways),
          ),
        );
      const next = graph.successors[node] as readonly number[];
      if (next.length > 0) {
        const taken = way(next.length);
        next.forEach((to, i) => c.if(e.eq(taken, i), () => jumps.to(to)));
        c.unreachable();
      } else if (graph.computed) {
        const taken = way(graph.entries.length);
        graph.entries.forEach((to, i) => c.if(e.eq(taken, i), () => c.set(current, e.i32(to))));
        jumps.computed();
      } else c.br(end);
    }),
  );
  c.return(c.get(step));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), {
    env: { memory },
  });
  const run = instance.exports['walk'] as (start: number) => number;
  return (start) => [...new Uint8Array(memory.buffer, BASE.constant as number, run(start))];
};

/** Graphs whose nodes can all be reached from the entries. */
const graphs = fc
  .integer({ min: 1, max: 12 })
  .chain((count) =>
    fc.record({
      successors: fc.array(
        fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 3 }),
        { minLength: count, maxLength: count },
      ),
      seeds: fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { minLength: 1, maxLength: 7 }),
      computed: fc.boolean(),
    }),
  )
  .map(({ successors, seeds, computed }): Graph => {
    const entries = [...seeds];
    const reached = new Set<number>();
    const reach = (node: number): void => {
      if (reached.has(node)) return;
      reached.add(node);
      (successors[node] as readonly number[]).forEach(reach);
    };
    entries.forEach(reach);
    successors.forEach((_, node) => {
      if (reached.has(node)) return;
      entries.push(node);
      reach(node);
    });
    return { successors, entries, computed };
  });

it('gives every graph the flow of its edges, whatever its loops and entries are', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const compiled = compiledWalk(graph);
      for (const start of graph.entries) expect(compiled(start)).toEqual(walk(graph, start));
    }),
    { numRuns: 1000, seed: 2013 },
  );
});
