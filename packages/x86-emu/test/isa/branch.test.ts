/** Near branches: targets that cannot be reached, counters, operand and address sizes. */
import { describe, expect, test } from 'vitest';
import { CODE, createGuest, STACK } from './guest.ts';

const done = { kind: 'until' };
const protection = { kind: 'exception', vector: 13, errorCode: 0 };
const NON_CANONICAL = 0x8000_0000_0000n;

const bytesOf = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

describe('a non-canonical target', () => {
  test.each([
    ['JMP RAX', [0xff, 0xe0]],
    ['CALL RAX', [0xff, 0xd0]],
    ['RET', [0xc3]],
    ['RET 16', [0xc2, 0x10, 0x00]],
  ])('%s raises #GP(0) at the branch and leaves RSP', (_, code) => {
    const guest = createGuest();
    guest.set({ rax: NON_CANONICAL });
    guest.write(STACK, bytesOf(NON_CANONICAL));
    expect(guest.run(code)).toEqual({ ...protection, rip: BigInt(CODE) });
    expect(guest.get('rsp')).toBe(BigInt(STACK));
  });
});

describe('a target beyond the limit of CS', () => {
  test.each([
    ['JMP rel', [0xe9, 0x00, 0x40]],
    ['CALL rel', [0xe8, 0x00, 0x40]],
    ['CALL AX', [0xff, 0xd0]],
    ['RET', [0xc3]],
    ['LOOP', [0xe2, 0x80]],
    ['JCXZ', [0xe3, 0x80]],
  ])('%s raises #GP(0) and leaves SP and CX', (_, code) => {
    const guest = createGuest('real');
    guest.machine.setSegment('cs', { selector: 0, base: 0n, limit: 0x1fff, attributes: 0x9b });
    const count = code[0] === 0xe2 ? 2n : 0n;
    // A relative branch by -128 from 0x1002 lies within the limit: push it past by wrapping below 0.
    guest.set({ rax: 0x2000, rcx: count });
    guest.write(0x8000, [0x00, 0x20]);
    const start = 0x10;
    guest.write(start, code);
    guest.set({ rip: start });
    expect(guest.machine.run({ budget: 1 })).toEqual({ ...protection, rip: BigInt(start) });
    expect([guest.get('rsp'), guest.get('rcx')]).toEqual([0x8000n, count]);
  });
});

describe('sizes', () => {
  test('CALL pushes the address of the next instruction, RET imm16 releases parameters', () => {
    const guest = createGuest();
    // call +1 / nop / pop rax
    expect(guest.run([0xe8, 0x01, 0, 0, 0, 0x90, 0x58])).toEqual(done);
    expect(guest.get('rax')).toBe(BigInt(CODE + 5));
    guest.write(STACK - 8, bytesOf(BigInt(CODE + 3)));
    guest.set({ rsp: STACK - 8 });
    expect(guest.run([0xc2, 0xf0, 0xff])).toEqual(done);
    expect(guest.get('rsp')).toBe(BigInt(STACK + 0xfff0));
  });

  test('in 64-bit code prefix 66 changes nothing', () => {
    const guest = createGuest();
    // jmp +1 with 66: the displacement still has 32 bits / ud2 skipped in part / nop
    expect(guest.run([0x66, 0xe9, 0x01, 0, 0, 0, 0x0b, 0x90])).toEqual(done);
    expect(guest.get('rip')).toBe(BigInt(CODE + 8));
  });

  test('in 32-bit code prefix 66 truncates the target to 16 bits', () => {
    const guest = createGuest('flat');
    guest.write(CODE & 0xffff, [0xf4]);
    guest.set({ rax: 0x1234_0000 | (CODE & 0xffff) });
    expect(guest.run([0x66, 0xff, 0xe0], 1)).toEqual({ kind: 'budget' });
    expect(guest.get('rip')).toBe(BigInt(CODE & 0xffff));
  });

  test.each([
    ['ECX with prefix 67', 'long', [0x67], 0xffff_ffff_0000_0001n, 0n],
    ['RCX', 'long', [], 0x1_0000_0001n, 0x1_0000_0000n],
    ['CX with prefix 67', 'flat', [0x67], 0xabcd_0001n, 0xabcd_0000n],
    ['ECX with prefix 67 in 16-bit code', 'real', [0x67], 0x1_0001n, 0x1_0000n],
    ['CX', 'real', [], 0xabcd_0001n, 0xabcd_0000n],
  ] as const)('LOOP counts in %s', (_, mode, prefixes, before, after) => {
    const guest = createGuest(mode);
    guest.set({ rcx: before, rax: 0 });
    // loop +2 / mov al, 1
    expect(guest.run([...prefixes, 0xe2, 0x02, 0xb0, 0x01])).toEqual(done);
    expect(guest.get('rcx')).toBe(after);
    const size =
      mode === 'real'
        ? prefixes.length > 0
          ? 32
          : 16
        : mode === 'flat'
          ? 16
          : prefixes.length > 0
            ? 32
            : 64;
    expect(guest.get('rax')).toBe(BigInt.asUintN(size, after) === 0n ? 1n : 0n);
  });

  test('LOOPE and LOOPNE also look at ZF', () => {
    const guest = createGuest();
    const taken = (opcode: number, zero: boolean): boolean => {
      guest.set({ rcx: 5, rax: 0, rflags: zero ? 0x42 : 2 });
      expect(guest.run([opcode, 0x02, 0xb0, 0x01])).toEqual(done);
      expect([guest.get('rcx'), guest.get('rflags') & 0x40n]).toEqual([4n, zero ? 0x40n : 0n]);
      return guest.get('rax') === 0n;
    };
    expect([taken(0xe1, true), taken(0xe1, false)]).toEqual([true, false]);
    expect([taken(0xe0, true), taken(0xe0, false)]).toEqual([false, true]);
  });
});
