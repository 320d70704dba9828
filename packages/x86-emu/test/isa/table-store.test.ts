// SGDT and SIDT: within a page, across two pages, and where they may not be stored.
import { describe, expect, test } from 'vitest';
import { createGuest, DATA, HOLE, READ_ONLY } from './guest.ts';

const LIMIT = 0x1234;
const BASE = 0x0008_7654_3210_4000n;

/** `sidt [rbx]`, in 16-bit code `sidt [bx]`; `sgdt` likewise. */
const SIDT = [0x0f, 0x01, 0x0b];
const SGDT = [0x0f, 0x01, 0x03];
const SIDT_16 = [0x0f, 0x01, 0x0f];

const expected = (bytes: number): number[] => [
  LIMIT & 0xff,
  LIMIT >> 8,
  ...Array.from({ length: bytes }, (_, i) => Number((BASE >> BigInt(8 * i)) & 0xffn)),
];

const guestWith = (mode: 'long' | 'flat' | 'real', address: number) => {
  const guest = createGuest(mode);
  const { state } = guest.machine;
  state.setBig('idtrBase', BASE);
  state.set('idtrLimit', LIMIT);
  guest.set({ rbx: address });
  return guest;
};

describe.each([
  ['long', SIDT, 8],
  ['flat', SIDT, 4],
  ['real', SIDT_16, 4],
] as const)('%s code', (mode, code, bytes) => {
  test.each([0, 1, 7, 0xff0, 0xff6, 0xff7, 0xffb, 0xffe, 0xfff])(
    'stores limit and base at offset %i of a page, and nothing else',
    (offset) => {
      const address = (mode === 'real' ? 0x7000 : DATA) + offset;
      const guest = guestWith(mode, address);
      guest.write(
        address - 1,
        Array.from({ length: 16 }, () => 0xaa),
      );
      // The second time the page is known to be plain memory.
      guest.machine.state.set('idtrLimit', 0);
      guest.run(code);
      guest.machine.state.set('idtrLimit', LIMIT);
      guest.run(code);
      expect(guest.read(address - 1, bytes + 4)).toEqual([0xaa, ...expected(bytes), 0xaa]);
    },
  );
});

test.each([
  ['a page that is not present', HOLE - 4, HOLE, 2],
  ['a page that is read-only', READ_ONLY - 1, READ_ONLY, 3],
])('nothing is stored when the second page is %s', (_what, address, fault, errorCode) => {
  const guest = guestWith('long', address);
  // The page before the hole is there, and so is the one before the read-only page.
  const before = guest.read(address - 4, 4);
  expect(guest.run(SIDT)).toMatchObject({ kind: 'exception', vector: 14, errorCode });
  expect(guest.get('cr2')).toBe(BigInt(fault));
  expect(guest.read(address - 4, 4)).toEqual(before);
  guest.set({ rbx: address });
  expect(guest.run(SGDT)).toMatchObject({ kind: 'exception', vector: 14 });
});

test('a page with decoded code notices the store', () => {
  const guest = guestWith('long', 0);
  const { machine } = guest;
  // mov eax, 1; hlt, executed once and then overwritten by the table's first bytes: mov al, 2.
  guest.write(DATA, [0xb8, 1, 0, 0, 0, 0xf4]);
  machine.writeRegister('rip', BigInt(DATA));
  machine.run({ budget: 1 });
  expect(guest.get('rax') & 0xffn).toBe(1n);
  machine.state.set('idtrLimit', 0x02b0);
  guest.set({ rbx: DATA });
  guest.run(SIDT);
  machine.writeRegister('rip', BigInt(DATA));
  machine.run({ budget: 1 });
  expect(guest.get('rax') & 0xffn).toBe(2n);
});
