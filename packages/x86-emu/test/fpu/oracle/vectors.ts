/**
 * The committed form of recorded cases: what the silicon changed (after XOR before), deflated. The cases themselves are generated again
 * from the seed; a digest of them guards against a generator that has changed since.
 */

import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';

const DIGEST_SIZE = 32;

const digest = (before: Uint8Array): Uint8Array => createHash('sha256').update(before).digest();

/** Packs the changes of a batch. */
export function packVectors(before: Uint8Array, after: Uint8Array): Uint8Array {
  const packed = deflateSync(
    before.map((byte, i) => byte ^ (after[i] as number)),
    { level: 9 },
  );
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
  return before.map((byte, i) => byte ^ (change[i] as number));
}
