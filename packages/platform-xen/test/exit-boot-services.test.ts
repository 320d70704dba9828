// The end of boot services may itself change the memory map: the hypervisor gets a fresh one and tries once more, and no more than that.
import {
  EFI_BOOT_SERVICES,
  EFI_BOOT_SERVICES_SIGNATURE,
  EFI_TABLE_HEADER,
  EfiStatus,
} from '@systab/efi-core';
import { describe, expect, it } from 'vitest';
import { DOM0_LAYOUT } from '../src/index.ts';
import { embedded } from './dom0-run.ts';
import type { Machine0 } from './dom0-run.ts';

const STEP = 100_000;
const RAM = 256 * 2 ** 20;
/** The reference firmware's own code and data are below, its tables among them. */
const TABLES = { at: 0x80_0000, length: 0x10_0000 };

/** Address of ExitBootServices, read from the boot services table as soon as it is there. */
const exitBootServicesOf = ({ pc }: Machine0): bigint => {
  const signature = new Uint8Array(new BigUint64Array([EFI_BOOT_SERVICES_SIGNATURE]).buffer);
  for (;;) {
    expect(pc.run({ budget: STEP })).toEqual({ kind: 'budget' });
    const bytes = Buffer.from(pc.machine.memory.read(TABLES.at, TABLES.length));
    const at = bytes.indexOf(signature);
    if (at < 0) continue;
    const field = at + EFI_BOOT_SERVICES.offsetOf('ExitBootServices');
    const header = EFI_TABLE_HEADER.decode(bytes, at);
    const entry = bytes.readBigUInt64LE(field);
    // Sealed, so that all of it is there.
    if (header.ok && header.value.crc32 !== 0 && entry > 0n && entry < BigInt(RAM)) return entry;
  }
};

/** Boots; the first calls of ExitBootServices find that the map has changed. */
const bootWithRefusals = (
  refusals: number,
): Machine0 & { readonly calls: number; readonly end: string } => {
  const machine = embedded();
  const { machine: cpu } = machine.pc;
  const entry = exitBootServicesOf(machine);
  cpu.breakpoints.add(entry);
  let calls = 0;
  for (;;) {
    const exit = machine.pc.run({ budget: 100_000_000, until: DOM0_LAYOUT.entry });
    if (exit.kind !== 'breakpoint') return { ...machine, calls, end: exit.kind };
    calls += 1;
    if (calls > refusals) continue;
    const stack = cpu.readRegister('rsp');
    const back = cpu.readLinear(stack, 8);
    if (back === undefined) throw new Error('no stack');
    cpu.writeRegister('rax', EfiStatus.INVALID_PARAMETER);
    cpu.writeRegister('rsp', stack + 8n);
    cpu.writeRegister('rip', new DataView(back.buffer, back.byteOffset).getBigUint64(0, true));
  }
};

describe('ExitBootServices', () => {
  it('is called once when the map is as it was', () => {
    expect(bootWithRefusals(0)).toMatchObject({ calls: 1, end: 'until' });
  });

  it('is called again with a fresh map when it has changed', () => {
    expect(bootWithRefusals(1)).toMatchObject({ calls: 2, end: 'until' });
  });

  it('is not called for ever', () => {
    const { calls, end, text } = bootWithRefusals(5);
    expect({ calls, end }).toEqual({ calls: 2, end: 'shutdown' });
    expect(text()).toBe('Cannot exit boot services\r\n');
  });
});
