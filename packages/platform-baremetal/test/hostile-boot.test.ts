// Firmware that turns hostile between the start of the stub and the end of boot services: taking over fails with a reason or succeeds,
// and neither throws nor hangs.
import { bindPlatform, EFI_SYSTEM_TABLE } from '@systab/efi-core';
import { hostileBytes, hostileCode } from '@systab/efi-conformance';
import type { CodeByWidth } from '@systab/efi-conformance';
import type { Machine } from '@systab/x86-emu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serviceEntry } from '../src/firmware-call.ts';
import { createBareMetalBackend, enterBootPhase, watchTrap } from '../src/index.ts';
import { bootOnce, firmwareFlash, machineWith } from './firmware.ts';

const SERVICES = [
  'AllocatePages',
  'GetMemoryMap',
  'HandleProtocol',
  'LocateProtocol',
  'ExitBootServices',
] as const;
const REGISTERS = ['rcx', 'rdx', 'rsp', 'cr3'] as const;
const CALL_BUDGET = 2_000_000;
const RUNS = Number(process.env.SYSTAB_HOSTILE_RUNS ?? 60);

interface Hostility {
  readonly damages: readonly {
    readonly near: 'system table' | 'boot services' | (typeof REGISTERS)[number];
    readonly offset: number;
    readonly bytes: Uint8Array;
  }[];
  readonly replaced: readonly {
    readonly service: (typeof SERVICES)[number];
    readonly code: CodeByWidth;
  }[];
}

const hostility: fc.Arbitrary<Hostility> = fc.record({
  /** Random bytes, up to a page away from what a register points to or from a table. */
  damages: fc.array(
    fc.record({
      near: fc.constantFrom('system table', 'boot services', ...REGISTERS),
      offset: fc.integer({ min: -64, max: 512 }),
      bytes: hostileBytes,
    }),
    { maxLength: 3 },
  ),
  replaced: fc.array(fc.record({ service: fc.constantFrom(...SERVICES), code: hostileCode }), {
    maxLength: 2,
  }),
});

/** What becomes of a kernel that takes a machine over from such firmware. */
const takeOver = (machine: Machine, { damages, replaced }: Hostility): string => {
  const boot = enterBootPhase(machine, { budget: CALL_BUDGET });
  const { width, systemTable } = boot;
  const read = (at: bigint, length: number): Uint8Array | undefined =>
    machine.readLinear(at, length);
  const image = read(BigInt(systemTable), EFI_SYSTEM_TABLE.size(width));
  const table = EFI_SYSTEM_TABLE.decode(image ?? new Uint8Array(), 0, width);
  const placeOf = (near: Hostility['damages'][number]['near']): bigint => {
    if (near === 'system table') return BigInt(systemTable);
    if (near === 'boot services') return table.ok ? table.value.bootServices : 0n;
    return machine.readRegister(near);
  };
  for (const { service, code } of replaced) {
    const entry = serviceEntry(service, BigInt(systemTable), width, read);
    if (entry !== undefined) machine.writeLinear(entry, code[width]);
  }
  for (const { near, offset, bytes } of damages)
    machine.writeLinear(BigInt.asUintN(64, placeOf(near) + BigInt(offset)), bytes);
  boot.commandLine();
  boot.services.getMemoryMap(0x1000);
  const kernel = boot.exit();
  if (!kernel.ok) return 'refused';
  const { memory, init, runtime } = bindPlatform(
    createBareMetalBackend(kernel.value, { budget: CALL_BUDGET }),
  );
  init.locateMemoryMap();
  runtime.getTime();
  runtime.getVariable('Any', null, 10);
  const pages = memory.allocatePages({ pages: 1 });
  if (!pages.ok) return 'refused';
  return memory.write(pages.value, Uint8Array.of(1)).ok ? 'alive' : 'without memory';
};

const booted = bootOnce((context, name) => machineWith(name, firmwareFlash(context, name)));

describe.each(['reference-x64', 'reference-ia32'] as const)(
  'hostile boot services of %s',
  (name) => {
    it('do not start the stub with what is no system table', (context) => {
      const { machine } = booted(context, name);
      const watch = watchTrap(machine);
      expect(watch.waiting()).toBe(true);
      // The argument itself is no address, or the stack that it is on is not there.
      if (name === 'reference-x64') machine.writeRegister('rdx', 2n ** 60n);
      else machine.writeRegister('esp', 0xd000_0000n);
      expect(watch.waiting()).toBe(false);
      expect(() => enterBootPhase(machine)).toThrow('not at the trap');
      watch.end();
    });

    it('are survived, whatever they are', { timeout: 600_000 }, (context) => {
      fc.assert(
        fc.property(hostility, (hostile) => {
          expect(['refused', 'alive']).toContain(takeOver(booted(context, name).machine, hostile));
        }),
        { numRuns: RUNS },
      );
    });
  },
);
