/** Machine-check registers (SDM Vol. 3B, section 15.3). No error is ever reported. */
import type { Msr } from './msr.ts';
import { MACHINE_CHECK_BANKS, MSR_SLOT } from './msr-slots.ts';

/** MCG_CTL present, software error recovery, number of banks. */
const CAPABILITY = 0x0100_0100n | BigInt(MACHINE_CHECK_BANKS);
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

const slot = (
  index: number,
  name: string,
  place: number,
  valid: (value: bigint) => boolean,
): Msr => ({
  index,
  name,
  read: ({ state }) => state.msrSlot(place),
  write: ({ state }, value) => {
    if (!valid(value)) return false;
    state.setMsrSlot(place, value);
    return true;
  },
});

/** Control registers take any value; status, address and miscellaneous ones are cleared by software, never set. */
const BANK: readonly (readonly [name: string, valid: (value: bigint) => boolean])[] = [
  ['CTL', () => true],
  ['STATUS', (value) => value === 0n],
  ['ADDR', (value) => value === 0n],
  ['MISC', (value) => value === 0n],
];

export const machineCheckMsrs = (): readonly Msr[] => [
  { index: 0x179, name: 'IA32_MCG_CAP', read: () => CAPABILITY, write: () => false },
  slot(0x17a, 'IA32_MCG_STATUS', MSR_SLOT.machineCheckStatus, (value) => value >> 3n === 0n),
  slot(
    0x17b,
    'IA32_MCG_CTL',
    MSR_SLOT.machineCheckControl,
    (value) => value === 0n || value === ALL_ONES,
  ),
  ...Array.from({ length: MACHINE_CHECK_BANKS }, (_, bank) =>
    BANK.map(([name, valid], i) => {
      const n = bank * 4 + i;
      return slot(0x400 + n, `IA32_MC${bank}_${name}`, MSR_SLOT.machineCheckBanks + n, valid);
    }),
  ).flat(),
];
