/** Stack instructions where SP, the operand and a fault meet; plain pushes and pops are covered by recorded silicon. */
import { describe, expect, test } from 'vitest';
import { createGuest, DATA, HOLE, STACK } from './guest.ts';
import type { Guest } from './guest.ts';

const number = (bytes: readonly number[]): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const word = (guest: Guest, address: number, bytes = 8): bigint =>
  number(guest.read(address, bytes));
const bytesOf = (value: bigint, bytes = 8): number[] =>
  Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
const done = { kind: 'until' };
const pageFault = { kind: 'exception', vector: 14 };

describe('64-bit code', () => {
  test('PUSH RSP stores the old value, POP RSP loads the stored one', () => {
    const guest = createGuest();
    expect(guest.run([0x54])).toEqual(done);
    expect(word(guest, STACK - 8)).toBe(BigInt(STACK));
    expect(guest.run([0x5c])).toEqual(done);
    expect(guest.get('rsp')).toBe(BigInt(STACK));
  });

  test('PUSH [RSP+8] addresses with the old RSP, POP [RSP+8] with the new one', () => {
    const guest = createGuest();
    guest.write(STACK - 0x20, bytesOf(0x1111n));
    guest.write(STACK - 0x18, bytesOf(0x2222n));
    guest.set({ rsp: STACK - 0x20 });
    expect(guest.run([0xff, 0x74, 0x24, 0x08])).toEqual(done);
    expect(word(guest, STACK - 0x28)).toBe(0x2222n);
    expect(guest.run([0x8f, 0x44, 0x24, 0x08])).toEqual(done);
    expect(guest.get('rsp')).toBe(BigInt(STACK - 0x20));
    expect(word(guest, STACK - 0x18)).toBe(0x2222n);
  });

  test.each([
    ['PUSH RAX below a missing page', [0x50], { rsp: HOLE + 8 + 0xff8 }, 2],
    ['POP RAX from a missing page', [0x58], { rsp: HOLE }, 0],
    ['POP to a missing page', [0x8f, 0x00], { rax: HOLE }, 2],
    ['POP to a missing page through RSP', [0x8f, 0x04, 0x24], { rsp: HOLE - 8 }, 2],
    ['PUSH from a missing page', [0xff, 0x30], { rax: HOLE }, 0],
    ['LEAVE to a missing page', [0xc9], { rbp: HOLE }, 0],
    ['CALL with a missing stack', [0xe8, 0, 0, 0, 0], { rsp: HOLE + 0x1000 }, 2],
    ['RET from a missing page', [0xc3], { rsp: HOLE }, 0],
    ['ENTER whose frame ends in a missing page', [0xc8, 0x00, 0x10, 0], { rsp: HOLE + 0x1100 }, 2],
  ])('%s faults and leaves RSP and RBP', (_, code, registers, errorCode) => {
    const guest = createGuest();
    guest.set({ rbp: 0x1234, ...registers });
    const before = [guest.get('rsp'), guest.get('rbp')];
    expect(guest.run(code)).toMatchObject({ ...pageFault, errorCode });
    expect([guest.get('rsp'), guest.get('rbp')]).toEqual(before);
  });

  test('LEAVE takes RSP from RBP', () => {
    const guest = createGuest();
    guest.write(DATA, bytesOf(0x1122_3344_5566_7788n));
    guest.set({ rbp: DATA });
    expect(guest.run([0xc9])).toEqual(done);
    expect([guest.get('rsp'), guest.get('rbp')]).toEqual([
      BigInt(DATA + 8),
      0x1122_3344_5566_7788n,
    ]);
  });

  test('ENTER copies the display of nested frames', () => {
    const guest = createGuest();
    guest.write(DATA - 0x10, [...bytesOf(0xbbn), ...bytesOf(0xaan)]);
    guest.set({ rbp: DATA });
    expect(guest.run([0xc8, 0x20, 0x00, 0x03])).toEqual(done);
    const frame = BigInt(STACK - 8);
    expect(guest.get('rbp')).toBe(frame);
    expect(guest.get('rsp')).toBe(BigInt(STACK - 8 * 4 - 0x20));
    expect([1, 2, 3, 4].map((i) => word(guest, STACK - 8 * i))).toEqual([
      BigInt(DATA),
      0xaan,
      0xbbn,
      frame,
    ]);
  });

  test('with prefix 66 PUSH and POP move two bytes', () => {
    const guest = createGuest();
    guest.set({ rax: 0xffff_ffff_ffff_1234n, rbx: 0x5555_5555_5555_5555n });
    expect(guest.run([0x66, 0x50])).toEqual(done);
    expect(guest.get('rsp')).toBe(BigInt(STACK - 2));
    expect(guest.run([0x66, 0x5b])).toEqual(done);
    expect([guest.get('rsp'), guest.get('rbx')]).toEqual([BigInt(STACK), 0x5555_5555_5555_1234n]);
  });

  test('immediates are sign-extended to the operand size', () => {
    const guest = createGuest();
    expect(guest.run([0x6a, 0x80])).toEqual(done);
    expect(word(guest, STACK - 8)).toBe(0xffff_ffff_ffff_ff80n);
    expect(guest.run([0x68, 0, 0, 0, 0x80])).toEqual(done);
    expect(word(guest, STACK - 16)).toBe(0xffff_ffff_8000_0000n);
    expect(guest.run([0x66, 0x6a, 0xff])).toEqual(done);
    expect(word(guest, STACK - 18, 2)).toBe(0xffffn);
  });
});

describe.each([
  ['flat', 4],
  ['real', 2],
] as const)('%s code', (mode, bytes) => {
  const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
  const values = [1, 2, 3, 4, 0, 6, 7, 8].map(BigInt);

  test('PUSHA stores all registers, POPA loads all but SP', () => {
    const guest = createGuest(mode);
    const top = guest.get('rsp');
    REGISTERS.forEach((name, i) => name !== 'rsp' && guest.set({ [name]: values[i] as bigint }));
    expect(guest.run([0x60])).toEqual(done);
    expect(guest.get('rsp')).toBe(top - BigInt(8 * bytes));
    const stored = values.map((_, i) => word(guest, Number(top) - bytes * (i + 1), bytes));
    expect(stored).toEqual(values.map((value, i) => (i === 4 ? top : value)));
    REGISTERS.forEach((name) => name !== 'rsp' && guest.set({ [name]: 0 }));
    expect(guest.run([0x61])).toEqual(done);
    expect(REGISTERS.map((name) => guest.get(name))).toEqual(stored);
  });

  test('BOUND raises #BR outside the bounds, both of which are inside', () => {
    const guest = createGuest(mode);
    guest.write(0x800, [...bytesOf(BigInt.asUintN(64, -2n), bytes), ...bytesOf(5n, bytes)]);
    // bound eax, [0x800] or bound ax, [0x800]
    const code = mode === 'flat' ? [0x62, 0x05, 0, 8, 0, 0] : [0x62, 0x06, 0, 8];
    for (const [index, outcome] of [
      [-3n, { kind: 'exception', vector: 5 }],
      [-2n, done],
      [5n, done],
      [6n, { kind: 'exception', vector: 5 }],
    ] as const) {
      guest.set({ rax: BigInt.asUintN(32, index) });
      expect(guest.run(code)).toMatchObject(outcome);
    }
  });
});
