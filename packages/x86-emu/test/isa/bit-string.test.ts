/** BT and its kin with a register offset address a bit string that extends both ways from the operand (SDM Vol. 2A, BT). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGuest, DATA, HOLE } from './guest.ts';

const WINDOW = 0x1000;
const MIDDLE = DATA + WINDOW / 2;
const OPERATIONS = { bt: 0xa3, bts: 0xab, btr: 0xb3, btc: 0xbb } as const;
type Operation = keyof typeof OPERATIONS;

const PREFIXES = { 16: [0x66], 32: [], 64: [0x48] } as const;
type Size = keyof typeof PREFIXES;

const pattern = Uint8Array.from({ length: WINDOW }, (_, i) => (i * 37) ^ (i >> 3));

const changed = (operation: Operation, bit: number): number =>
  ({ bt: bit, bts: 1, btr: 0, btc: bit ^ 1 })[operation];

const guest = createGuest();

test('the bit at a signed offset is tested and changed, nothing else', () => {
  const limit = (WINDOW / 2 - 8) * 8;
  fc.assert(
    fc.property(
      fc.constantFrom<Operation[]>('bt', 'bts', 'btr', 'btc'),
      fc.constantFrom<Size[]>(16, 32, 64),
      fc.integer({ min: -limit, max: limit }),
      fc.boolean(),
      (operation, size, at, locked) => {
        const lock = locked && operation !== 'bt' ? [0xf0] : [];
        guest.machine.memory.write(DATA, pattern);
        // Above the operand size the register holds garbage.
        const offset = size === 64 ? BigInt(at) : BigInt(at) ^ (0x5an << BigInt(size));
        guest.set({ rbx: MIDDLE, rcx: BigInt.asUintN(64, offset), rflags: 2 });
        const code = [...lock, ...PREFIXES[size], 0x0f, OPERATIONS[operation], 0x0b];
        expect(guest.run(code)).toEqual({ kind: 'until' });

        const reach = size === 16 ? (at << 16) >> 16 : at;
        const index = WINDOW / 2 + (reach >> 3);
        const old = pattern[index] as number;
        const bit = (old >> (reach & 7)) & 1;
        const want = pattern.slice();
        want[index] = (old & ~(1 << (reach & 7))) | (changed(operation, bit) << (reach & 7));
        expect(guest.get('rflags') & 1n).toBe(BigInt(bit));
        expect(Buffer.compare(guest.machine.memory.read(DATA, WINDOW), want)).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});

test('an immediate offset stays within the operand', () => {
  guest.machine.memory.write(DATA, new Uint8Array(16));
  guest.set({ rbx: DATA });
  // bts dword [rbx], 0x85: bit 5
  expect(guest.run([0x0f, 0xba, 0x2b, 0x85])).toEqual({ kind: 'until' });
  expect(guest.read(DATA, 16)).toEqual([0x20, ...Array.from({ length: 15 }, () => 0)]);
});

test('the unit that holds the bit is what faults', () => {
  guest.set({ rbx: HOLE - 16, rcx: 16 * 8, rflags: 2 });
  // bts qword [rbx], rcx
  expect(guest.run([0x48, 0x0f, 0xab, 0x0b])).toMatchObject({ vector: 14, errorCode: 2 });
  expect(guest.get('cr2')).toBe(BigInt(HOLE));
  guest.set({ rbx: HOLE, rcx: BigInt.asUintN(64, -1n) });
  expect(guest.run([0x48, 0x0f, 0xa3, 0x0b])).toEqual({ kind: 'until' });
});

test('with a 32-bit address size the address wraps at 4 GiB', () => {
  guest.write(DATA, [0x01]);
  guest.set({ rbx: 0xffff_fff0n, rcx: BigInt(DATA + 0x10) * 8n });
  // bt qword [ebx], rcx
  expect(guest.run([0x67, 0x48, 0x0f, 0xa3, 0x0b])).toEqual({ kind: 'until' });
  expect(guest.get('rflags') & 1n).toBe(1n);
});
