/** The families of cases: how to generate, replay and judge them. */

import type { Random } from './random.ts';
import { AT } from './case-record.ts';
import { generateSse, replaySse } from './sse-cases.ts';
import { generateX87, replayX87 } from './x87-cases.ts';

export interface Family {
  /** Fills a record with a random case and names its instruction. */
  readonly generate: (random: Random, record: Uint8Array) => string;
  /** Runs the named case with our code, in place. */
  readonly replay: (name: string, record: Uint8Array) => void;
  /** Whether our state after the case is the silicon's, up to what is excepted. */
  readonly agrees: (
    name: string,
    before: Uint8Array,
    silicon: Uint8Array,
    ours: Uint8Array,
  ) => boolean;
}

function same(_name: string, _before: Uint8Array, silicon: Uint8Array, ours: Uint8Array): boolean {
  for (let i = 0; i < silicon.length; i++) if (silicon[i] !== ours[i]) return false;
  return true;
}

/** Encodings whose last result bit differs between makers: F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS. */
const TRANSCENDENTAL: ReadonlySet<number> = new Set([
  0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff,
]);

const FSW_C1 = 0x0200;

/** Biased exponent and significand as one integer: neighbours are neighbouring values. */
function magnitude(record: Uint8Array, at: number): bigint {
  const view = new DataView(record.buffer, record.byteOffset + at, 10);
  const exp = BigInt(view.getUint16(8, true) & 0x7fff);
  return (exp << 63n) | (view.getBigUint64(0, true) & 0x7fffffffffffffffn);
}

/** The same state, but results may differ by one unit in the last place and, with that, C1. */
function agreesX87(
  name: string,
  before: Uint8Array,
  silicon: Uint8Array,
  ours: Uint8Array,
): boolean {
  if (same(name, before, silicon, ours)) return true;
  if (before[AT.code] !== 0xd9 || !TRANSCENDENTAL.has(before[AT.code + 1] as number)) return false;
  const close = new Uint8Array(ours);
  for (const at of [AT.st, AT.st + 16]) {
    const distance = magnitude(silicon, at) - magnitude(ours, at);
    if (distance < -1n || distance > 1n) return false;
    close.set(silicon.subarray(at, at + 8), at);
    close[at + 8] = silicon[at + 8] as number;
    close[at + 9] = ((ours[at + 9] as number) & 0x80) | ((silicon[at + 9] as number) & 0x7f);
  }
  const high = AT.x87 + 3;
  const c1 = FSW_C1 >> 8;
  close[high] = ((ours[high] as number) & ~c1) | ((silicon[high] as number) & c1);
  return same(name, before, silicon, close);
}

export const FAMILIES: Readonly<Record<string, Family>> = {
  sse: { generate: generateSse, replay: replaySse, agrees: same },
  x87: { generate: generateX87, replay: replayX87, agrees: agreesX87 },
};
