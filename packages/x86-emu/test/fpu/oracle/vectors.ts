/**
 * The committed form of recorded cases: what the silicon changed (after XOR before), deflated. The cases themselves are generated again
 * from the seed; a digest of them guards against a generator that has changed since.
 */

import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { AT, RECORD_SIZE } from './case-record.ts';

const DIGEST_SIZE = 32;

const digest = (before: Uint8Array): Uint8Array => createHash('sha256').update(before).digest();

/**
 * Turns the registers of every record by its TOP, from stack to physical order or back, so that pushes and pops leave few changes.
 */
function turned(records: Uint8Array, toPhysical: boolean): Uint8Array {
  const out = new Uint8Array(records);
  for (let base = 0; base < records.length; base += RECORD_SIZE) {
    const top = ((records[base + AT.x87 + 3] as number) >> 3) & 7;
    for (let i = 0; i < 8; i++) {
      const stack = base + AT.st + 16 * i;
      const physical = base + AT.st + 16 * ((top + i) & 7);
      const [from, to] = toPhysical ? [stack, physical] : [physical, stack];
      out.set(records.subarray(from, from + 16), to);
    }
  }
  return out;
}

const difference = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  a.map((byte, i) => byte ^ (b[i] as number));

/** Packs the changes of a batch. */
export function packVectors(before: Uint8Array, after: Uint8Array): Uint8Array {
  const change = difference(turned(before, true), turned(after, true));
  const packed = deflateSync(change, { level: 9 });
  const all = new Uint8Array(DIGEST_SIZE + packed.length);
  all.set(digest(before));
  all.set(packed, DIGEST_SIZE);
  return all;
}

/** The records after the instructions; throws if the batch is not the one that was recorded. */
export function unpackVectors(before: Uint8Array, vectors: Uint8Array): Uint8Array {
  const own = digest(before);
  if (!own.every((byte, i) => byte === vectors[i])) {
    throw new Error('the generated cases are not the recorded ones: record the vectors again');
  }
  const change = inflateSync(vectors.subarray(DIGEST_SIZE));
  return turned(difference(turned(before, true), change), false);
}
