/** One call, instruction by instruction: what it costs, and how often control passes to another party. */
import { MemoryType, memoryDescriptorEnd, WellKnownGuid } from '@systab/efi-core';
import type { MemoryMap } from '@systab/efi-core';
import { costBetween } from './route.ts';
import type { Cost, RouteSystem } from './route.ts';

/** Physical ranges, end excluded. */
export type CodeRanges = readonly (readonly [from: bigint, to: bigint])[];

/** Where the firmware's runtime code is. */
export const firmwareCode = (map: MemoryMap | undefined): CodeRanges =>
  (map?.descriptors ?? [])
    .filter(({ type }) => type === MemoryType.EfiRuntimeServicesCode)
    .map((one) => [one.physicalStart, memoryDescriptorEnd(one)]);

const PRIVILEGE = 3n;

/** The parties of a call, by how deep they are. */
const PARTY = { kernel: 0, hypervisor: 1, firmware: 2 } as const;

/**
 * The cost of one GetVariable. Crossings are counted where execution enters a party below the one it was in: the hypervisor, the
 * firmware; and where the kernel's own stub is called by the firmware's convention.
 */
export const sampleGetVariable = (
  { system, cost, takeEvents }: RouteSystem,
  firmware: CodeRanges,
): Cost => {
  const { machine } = system.pc;
  let party: number = PARTY.kernel;
  let first: number | undefined;
  let deeper = 0;
  machine.hooks.code = (rip) => {
    const at = BigInt(machine.physicalAddress(rip) ?? 0);
    const inFirmware = firmware.some(([from, to]) => at >= from && at < to);
    const privileged = (machine.readRegister('cs') & PRIVILEGE) === 0n;
    const now = inFirmware ? PARTY.firmware : privileged ? PARTY.hypervisor : PARTY.kernel;
    first ??= now;
    if (now > party) deeper += 1;
    party = now;
  };
  takeEvents();
  const before = cost();
  system.runtime.services.getVariable('SetupMode', WellKnownGuid.EFI_GLOBAL_VARIABLE, 1);
  machine.hooks.code = undefined;
  const spent = costBetween(before, cost());
  // Called by the firmware's convention, but not in the firmware: a stub of the kernel's own.
  const calls = takeEvents().filter(({ through }) => through === 'ms-x64').length;
  const throughStub = first === PARTY.kernel ? calls : 0;
  return { ...spent, crossings: deeper + throughStub };
};
