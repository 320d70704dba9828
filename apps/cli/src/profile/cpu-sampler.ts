/** Samples the stacks of this thread with V8's own profiler, WebAssembly included: what is measured carries no counters. */
import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';

/** A function on a stack. */
export interface Frame {
  readonly name: string;
  /** A file, `wasm://wasm/<module>-<hash>`, or nothing for V8's own work, whose names stand in brackets. */
  readonly url: string;
}

export interface StackSample {
  /** When it was taken, and until when the next one was not: milliseconds of `performance.now()`. */
  readonly at: number;
  readonly until: number;
  /** The innermost function last. */
  readonly stack: readonly Frame[];
}

const INTERVAL_US = 500;

/** The stack of each node, by its number. */
const stacksOf = (
  nodes: readonly Profiler.ProfileNode[],
): ReadonlyMap<number, readonly Frame[]> => {
  const stacks = new Map<number, readonly Frame[]>();
  const [root] = nodes;
  if (root) stacks.set(root.id, []);
  // A node stands before its children.
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes)
    for (const id of node.children ?? []) {
      const { functionName: name, url } = (byId.get(id) as Profiler.ProfileNode).callFrame;
      stacks.set(id, [...(stacks.get(node.id) ?? []), { name, url }]);
    }
  return stacks;
};

export class CpuSampler {
  readonly #session: Session;
  /** `performance.now()` when sampling began. */
  readonly #began: number;

  private constructor(session: Session, began: number) {
    this.#session = session;
    this.#began = began;
  }

  static async start(): Promise<CpuSampler> {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    const began = performance.now();
    await session.post('Profiler.start');
    return new CpuSampler(session, began);
  }

  async stop(): Promise<readonly StackSample[]> {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    const stacks = stacksOf(profile.nodes);
    const { samples: ids = [], timeDeltas = [] } = profile;
    const end = this.#began + (profile.endTime - profile.startTime) / 1e3;
    let time = this.#began;
    // A sample may come out after a later one.
    const taken = ids
      .map((id, i) => {
        time += (timeDeltas[i] ?? 0) / 1e3;
        return { at: Math.max(time, this.#began), stack: stacks.get(id) ?? [] };
      })
      .toSorted((a, b) => a.at - b.at);
    return taken.map(({ at, stack }, i) => ({
      at,
      until: Math.max(at, taken[i + 1]?.at ?? end),
      stack,
    }));
  }
}
