// A clock for tests of devices: the test moves it. (The machine's own follows retired instructions.)

import type { Clock, Timer } from '../../src/device/ops.ts';

interface Entry extends Timer {
  readonly fn: () => void;
  readonly order: number;
}

export interface VirtualClock extends Clock {
  /** Deadline of the earliest timer, `Infinity` when none is pending. */
  readonly nextDeadline: () => number;
  /** Moves time to `ns`, running every timer due on the way at its own deadline. Time never moves back. */
  readonly advanceTo: (ns: number) => void;
  /** Sets the time of a restored snapshot. All timers are dropped: devices set theirs again in `load`. */
  readonly restore: (ns: number) => void;
}

/** Timers with the same deadline run in the order in which they were set. */
export const createVirtualClock = (start = 0): VirtualClock => {
  let time = start;
  let order = 0;
  let queue: Entry[] = [];
  const before = (a: Entry, b: Entry): boolean =>
    a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
  const advanceTo = (ns: number): void => {
    for (;;) {
      const first = queue[0];
      if (first === undefined || first.deadline > ns) break;
      queue.shift();
      time = Math.max(time, first.deadline);
      first.fn();
    }
    time = Math.max(time, ns);
  };
  return {
    now: () => time,
    at: (deadline, fn) => {
      const entry: Entry = { deadline, fn, order: order++ };
      const place = queue.findIndex((other) => before(entry, other));
      queue.splice(place < 0 ? queue.length : place, 0, entry);
      return entry;
    },
    cancel: (timer) => {
      const place = queue.indexOf(timer as Entry);
      if (place >= 0) queue.splice(place, 1);
    },
    nextDeadline: () => queue[0]?.deadline ?? Infinity,
    advanceTo,
    pass: (ns) => advanceTo(time + ns),
    restore: (ns) => {
      queue = [];
      time = ns;
    },
  };
};
