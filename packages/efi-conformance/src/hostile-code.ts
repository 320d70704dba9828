import type { Width } from '@systab/efi-core';
import fc from 'fast-check';

/** Machine code for firmware of either width. */
export type CodeByWidth = Readonly<Record<Width, Uint8Array>>;

const little = (value: bigint, size: number): readonly number[] =>
  Array.from({ length: size }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn));

/** `test reg, reg; jz over; mov [reg], rax` for the four registers of arguments. */
const STORES_64: readonly (readonly number[])[] = [
  [0x48, 0x85, 0xc9, 0x74, 0x03, 0x48, 0x89, 0x01],
  [0x48, 0x85, 0xd2, 0x74, 0x03, 0x48, 0x89, 0x02],
  [0x4d, 0x85, 0xc0, 0x74, 0x03, 0x49, 0x89, 0x00],
  [0x4d, 0x85, 0xc9, 0x74, 0x03, 0x49, 0x89, 0x01],
];

/** The same for the first four arguments on the stack: `mov ecx, [esp + n]; test ecx, ecx; jz over; mov [ecx], eax`. */
const STORES_32: readonly (readonly number[])[] = [4, 8, 12, 16].map((at) => [
  0x8b,
  0x4c,
  0x24,
  at,
  0x85,
  0xc9,
  0x74,
  0x02,
  0x89,
  0x01,
]);

/** Code that stores a value through some of its arguments and answers a status. */
const liar = (value: bigint, status: bigint, through: readonly boolean[]): CodeByWidth => {
  const chosen = (stores: readonly (readonly number[])[]): readonly number[] =>
    stores.filter((_, index) => through[index] === true).flat();
  return {
    64: Uint8Array.from([
      0x48,
      0xb8,
      ...little(value, 8),
      ...chosen(STORES_64),
      0x48,
      0xb8,
      ...little(status, 8),
      0xc3,
    ]),
    32: Uint8Array.from([
      0xb8,
      ...little(value, 4),
      ...chosen(STORES_32),
      0xb8,
      ...little((status >> 32n) | (status & 0xffn), 4),
      0xc3,
    ]),
  };
};

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 0x1000n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n),
);

/** SUCCESS, BUFFER_TOO_SMALL, NOT_FOUND, ABORTED, a warning, one of the PI specification, or no status at all. */
const status = fc.oneof(
  fc.constantFrom(0n, 2n ** 63n + 5n, 2n ** 63n + 14n, 2n ** 63n + 21n, 5n, 5n * 2n ** 61n + 2n),
  word,
);

/** Bytes to damage something with. */
export const hostileBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 16 }),
  fc.constantFrom(0x00, 0xff, 0x7f, 0x80).map((fill) => new Uint8Array(8).fill(fill)),
);

/** Code to put in place of a service: one that lies in its outputs and its status, or random bytes. */
export const hostileCode: fc.Arbitrary<CodeByWidth> = fc.oneof(
  fc
    .tuple(word, status, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
    .map(([value, answer, through]) => liar(value, answer, through)),
  hostileBytes.map((code) => ({ 32: code, 64: code })),
);
