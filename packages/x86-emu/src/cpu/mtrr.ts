/** Memory type range registers (SDM Vol. 3A, section 12.11). All memory behaves alike here: they keep what is written, and reject what hardware rejects. */
import type { Cpu } from './helper.ts';
import type { Msr } from './msr.ts';
import { MSR_SLOT } from './msr-slots.ts';

/** Eight variable ranges, fixed ranges, write combining. */
const CAPABILITY = 0x508n;
const VARIABLE_REGISTERS = 16;

const FIXED: readonly (readonly [index: number, name: string])[] = [
  [0x250, 'IA32_MTRR_FIX64K_00000'],
  [0x258, 'IA32_MTRR_FIX16K_80000'],
  [0x259, 'IA32_MTRR_FIX16K_A0000'],
  [0x268, 'IA32_MTRR_FIX4K_C0000'],
  [0x269, 'IA32_MTRR_FIX4K_C8000'],
  [0x26a, 'IA32_MTRR_FIX4K_D0000'],
  [0x26b, 'IA32_MTRR_FIX4K_D8000'],
  [0x26c, 'IA32_MTRR_FIX4K_E0000'],
  [0x26d, 'IA32_MTRR_FIX4K_E8000'],
  [0x26e, 'IA32_MTRR_FIX4K_F0000'],
  [0x26f, 'IA32_MTRR_FIX4K_F8000'],
];

const validType = (type: bigint): boolean =>
  type === 0n || type === 1n || (type >= 4n && type <= 6n);

const validTypes = (value: bigint): boolean => {
  for (let i = 0n; i < 64n; i += 8n) if (!validType((value >> i) & 0xffn)) return false;
  return true;
};

const register = (
  index: number,
  name: string,
  slot: number,
  valid: (value: bigint, physicalBits: number) => boolean,
): Msr => ({
  index,
  name,
  read: ({ state }: Cpu) => state.msrSlot(slot),
  write: ({ state, physicalBits }: Cpu, value: bigint) => {
    if (!valid(value, physicalBits)) return false;
    state.setMsrSlot(slot, value);
    return true;
  },
});

/** Base: type and address. Mask: valid bit 11 and mask. */
const variable = (i: number): Msr =>
  register(
    0x200 + i,
    `IA32_MTRR_PHYS${i % 2 === 0 ? 'BASE' : 'MASK'}${i >> 1}`,
    MSR_SLOT.mtrrVariable + i,
    (value, physicalBits) =>
      value >> BigInt(physicalBits) === 0n &&
      (i % 2 === 0 ? (value & 0xf00n) === 0n && validType(value & 0xffn) : (value & 0x7ffn) === 0n),
  );

export const memoryTypeMsrs = (): readonly Msr[] => [
  { index: 0xfe, name: 'IA32_MTRRCAP', read: () => CAPABILITY, write: () => false },
  ...Array.from({ length: VARIABLE_REGISTERS }, (_, i) => variable(i)),
  ...FIXED.map(([index, name], i) => register(index, name, MSR_SLOT.mtrrFixed + i, validTypes)),
  register(
    0x2ff,
    'IA32_MTRR_DEF_TYPE',
    MSR_SLOT.mtrrDefault,
    (value) => (value & ~0xcffn) === 0n && validType(value & 0xffn),
  ),
];
