import {
  bindPlatform,
  EfiStatus,
  encodeChar16Z,
  guid,
  MemoryType,
  neutralRuntimeOps,
  overriddenMembers,
  physAddr,
  virtAddr,
} from '@systab/efi-core';
import type { BoundPlatform, PageMapping, PhysAddr, VirtualModePlan } from '@systab/efi-core';
import type { SkippableContext } from '@systab/host-tools';
import { createMachine, PcMachine } from '@systab/x86-emu';
import { describe, expect, it, vi } from 'vitest';
import { createBareMetalBackend, enterWithoutEfi } from '../src/index.ts';
import type { CallRecord, Kernel } from '../src/index.ts';
import { bootPhase, FIRMWARE } from './firmware.ts';
import type { FirmwareName } from './firmware.ts';

// OVMF's boot, with other work on the machine.
vi.setConfig({ testTimeout: 120_000 });

const VENDOR = guid('12345678-1234-1234-1234-123456789abc');
const ATTRIBUTES = 7;

const at = (raw: number | bigint): PhysAddr => {
  const address = physAddr(raw);
  if (address === undefined) throw new Error('bad test address');
  return address;
};

interface Running {
  readonly pc: PcMachine;
  readonly kernel: Kernel;
  readonly tables: BoundPlatform;
  readonly calls: CallRecord[];
}

/** The kernel on a firmware; calls with a small budget, so that hung firmware is noticed soon. */
const running = (context: SkippableContext, name: FirmwareName): Running => {
  const { pc, boot } = bootPhase(context, name);
  const kernel = boot.exit();
  if (!kernel.ok) throw new Error(String(kernel.status));
  const calls: CallRecord[] = [];
  const backend = createBareMetalBackend(kernel.value, {
    budget: 20_000_000,
    onCall: (call) => calls.push(call),
  });
  return { pc, kernel: kernel.value, tables: bindPlatform(backend), calls };
};

const mapping = (virt: bigint, phys: bigint, pages: number): PageMapping => {
  const target = virtAddr(virt);
  if (target === undefined) throw new Error('bad test address');
  return { virt: target, phys: at(phys), pages, writable: true, executable: true, cached: true };
};

/** A window for 64-bit firmware; 32-bit firmware stays where it is. */
const WINDOW = 0xffff_fffe_0000_0000n;

/** The runtime regions at `offset` above their physical addresses, and where they were. */
const planOf = ({ kernel, tables }: Running): VirtualModePlan => {
  const where = tables.init.locateMemoryMap();
  if (!where.ok) throw new Error('no memory map');
  const { address, size, descriptorSize, descriptorVersion = 1 } = where.value;
  const bytes = tables.memory.read(address, size);
  if (!bytes.ok) throw new Error('the memory map cannot be read');
  const view = new DataView(bytes.value.buffer);
  const descriptors = Array.from({ length: size / descriptorSize }, (_, index) => {
    const from = index * descriptorSize;
    const physicalStart = view.getBigUint64(from + 8, true);
    return {
      type: view.getUint32(from, true),
      physicalStart,
      virtualStart: physicalStart + (kernel.width === 64 ? WINDOW : 0n),
      numberOfPages: view.getBigUint64(from + 24, true),
      attribute: view.getBigUint64(from + 32, true),
    };
  }).filter(
    ({ attribute, type }) => attribute >> 63n === 1n || type === MemoryType.EfiBootServicesData,
  );
  return {
    map: { descriptorSize, descriptorVersion, descriptors },
    mappings: descriptors.flatMap(({ physicalStart, virtualStart, numberOfPages }) => [
      mapping(physicalStart, physicalStart, Number(numberOfPages)),
      mapping(virtualStart, physicalStart, Number(numberOfPages)),
    ]),
  };
};

describe.each(FIRMWARE)('bare metal on %s', (name) => {
  it('keeps variables in physical mode and in virtual mode, with the same values', (context) => {
    const system = running(context, name);
    const { runtime, init } = system.tables;
    const data = Uint8Array.of(1, 2, 3, 4, 5);
    expect(runtime.setVariable('Before', VENDOR, ATTRIBUTES, 5, data)).toEqual({
      ok: true,
      value: undefined,
    });
    expect(init.enterVirtualMode(planOf(system))).toMatchObject({ ok: true });
    expect(runtime.getVariable('Before', VENDOR, 100)).toEqual({
      ok: true,
      value: { attributes: ATTRIBUTES, data },
    });
    expect(runtime.getVariable('Before', VENDOR, 4)).toMatchObject({
      ok: false,
      status: EfiStatus.BUFFER_TOO_SMALL,
      needed: 5,
    });
    expect(new Set(system.calls.map(({ mode }) => mode))).toEqual(new Set(['physical', 'virtual']));
  });

  it('calls firmware at its virtual address, in its own page table, and keeps the contract', (context) => {
    const system = running(context, name);
    const { runtime, init } = system.tables;
    init.enterVirtualMode(planOf(system));
    system.calls.length = 0;
    expect(runtime.getTime().ok).toBe(true);
    const [call] = system.calls;
    expect(call).toMatchObject({ service: 'GetTime', mode: 'virtual', breaches: [] });
    expect(call?.entry).toSatisfy((entry: bigint) =>
      system.kernel.width === 64 ? entry > WINDOW : entry < 2n ** 32n,
    );
    expect(call?.cr3).not.toBe(system.pc.machine.readRegister('cr3'));
    expect(call?.convention).toBe(system.kernel.width === 64 ? 'ms-x64' : 'cdecl-ia32');
    // Shadow space for four registers, or the two arguments themselves (UEFI 2.10, 2.3.4.2 and 2.3.2.2).
    expect(call?.frame).toHaveLength(system.kernel.width === 64 ? 40 : 12);
    expect((call?.stack ?? 0n) % 16n).toBe(system.kernel.width === 64 ? 8n : 12n);
  });

  it('passes what a caller passes: NULL, sizes that lie, names without an end', (context) => {
    const { runtime } = running(context, name).tables;
    const invalid = { ok: false, status: EfiStatus.INVALID_PARAMETER };
    expect(runtime.getTime(['time'])).toMatchObject(invalid);
    expect(runtime.getTime(['capabilities'])).toMatchObject({ ok: true });
    expect(runtime.getVariable(null, VENDOR, 0)).toMatchObject(invalid);
    expect(runtime.getVariable('X', null, 0)).toMatchObject(invalid);
    expect(runtime.getVariable('X', VENDOR, 0, ['dataSize'])).toMatchObject(invalid);
    expect(runtime.setVariable('', VENDOR, ATTRIBUTES, 1, Uint8Array.of(1))).toMatchObject(invalid);
    expect(runtime.setVariable('X', VENDOR, ATTRIBUTES, 1, null)).toMatchObject(invalid);
    expect(runtime.getNextVariableName(null, encodeChar16Z(''), VENDOR)).toMatchObject(invalid);
    expect(runtime.queryVariableInfo(ATTRIBUTES, ['maximumVariableSize'])).toMatchObject(invalid);
  });

  it('tells how the machine went away', (context) => {
    const ends = [0, 1, 2].map((type) => {
      const { runtime } = running(context, name).tables;
      return runtime.resetSystem(type, EfiStatus.SUCCESS, 0, null);
    });
    expect(ends).toEqual([
      { ok: true, value: 'restarted' },
      { ok: true, value: 'restarted' },
      { ok: true, value: 'powered off' },
    ]);
  });

  it('contains what goes wrong inside a service, and goes on', (context) => {
    const faults: readonly (readonly [readonly number[], RegExp])[] = [
      [[0x0f, 0x0b], /^invalid opcode at 0x/],
      // mov eax, [absolute]: 64 bits of address for the firmware of that width.
      [[0xa1, 0, 0, 0, 0xf0, 0, 0, 0, 0], /^page fault at 0x[0-9a-f]+ reading 0xf0000000$/],
      [[0xeb, 0xfe], /^20000000 instructions used up at 0x/],
      [[0xf4], /^halted at 0x[0-9a-f]+ with nothing to wake it$/],
    ];
    for (const [code, why] of faults) {
      const system = running(context, name);
      const { kernel, tables, calls } = system;
      tables.init.enterVirtualMode(planOf(system));
      tables.runtime.getTime();
      const entry = (calls.at(-1)?.entry ?? 0n) - (kernel.width === 64 ? WINDOW : 0n);
      kernel.write(at(entry), Uint8Array.from(code));
      const failed = tables.runtime.getTime();
      expect(failed).toMatchObject({ ok: false, status: EfiStatus.ABORTED });
      expect(failed.ok ? '' : failed.why).toMatch(why);
      // The kernel has its processor back: other services still answer.
      expect(tables.runtime.getVariable('None', VENDOR, 10)).toMatchObject({
        status: EfiStatus.NOT_FOUND,
      });
    }
  });

  it('notices a service that breaks the calling convention', (context) => {
    const system = running(context, name);
    const { kernel, tables, calls } = system;
    tables.runtime.getTime();
    const entry = Number(calls.at(-1)?.entry ?? 0n);
    // mov ebx, 0x55; std; xor eax, eax; ret
    kernel.write(at(entry), Uint8Array.of(0xbb, 0x55, 0, 0, 0, 0xfd, 0x31, 0xc0, 0xc3));
    tables.runtime.getTime();
    const broken = calls.at(-1)?.breaches.map(({ what }) => what);
    expect(broken).toEqual(
      kernel.width === 64 ? ['rbx', 'direction flag'] : ['direction flag', 'ebx'],
    );
  });

  it('supplies what differs and nothing else', (context) => {
    const names = overriddenMembers(running(context, name).tables).map(
      ({ table, member }) => `${table}.${member}`,
    );
    expect(names).not.toContain('machine.restart');
    expect(names).not.toContain('memory.earlyMap');
    expect(names).toContain('init.enterVirtualMode');
    expect(names.filter((one) => one.startsWith('runtime.'))).toHaveLength(
      Object.keys(neutralRuntimeOps).length,
    );
  });
});

describe('a machine that no EFI firmware booted', () => {
  const legacy = (): { readonly pc: PcMachine; readonly tables: BoundPlatform } => {
    // A BIOS of one instruction: hlt at the reset vector.
    const image = new Uint8Array(0x1_0000).fill(0xf4);
    const pc = new PcMachine({ memory: 32 * 2 ** 20, flash: [{ image, readOnly: true }] });
    expect(pc.run({ budget: 10 }).kind).not.toBe('tripleFault');
    const kernel = enterWithoutEfi(pc.machine);
    if (!kernel.ok) throw new Error(String(kernel.status));
    return { pc, tables: bindPlatform(createBareMetalBackend(kernel.value)) };
  };

  it('has no tables and no services, each with its reason', () => {
    const { tables } = legacy();
    for (const result of [
      tables.init.locateSystemTable(),
      tables.init.locateMemoryMap(),
      tables.runtime.getTime(),
      tables.runtime.getVariable('X', VENDOR, 10),
      tables.machine.powerOff(),
    ]) {
      expect(result).toMatchObject({ ok: false, status: EfiStatus.UNSUPPORTED });
      expect(result.ok ? '' : result.why).toMatch(/\w/);
    }
    expect(tables.call.call('GetTime', [0n, 0n])).toMatchObject({ kind: 'unavailable' });
  });

  it('has memory, restarts through the reset register and can be halted', () => {
    const { tables } = legacy();
    const pages = tables.memory.allocatePages({ pages: 3 });
    if (!pages.ok) throw new Error(String(pages.status));
    expect(tables.memory.write(pages.value, Uint8Array.of(1, 2))).toMatchObject({ ok: true });
    expect(tables.memory.read(pages.value, 2)).toEqual({ ok: true, value: Uint8Array.of(1, 2) });
    expect(tables.memory.freePages(pages.value, 3)).toMatchObject({ ok: true });
    expect(tables.memory.freePages(pages.value, 3)).toMatchObject({ ok: false });
    expect(tables.machine.restart(0)).toEqual({ ok: true, value: 'restarted' });
    expect(tables.machine.halt()).toEqual({ ok: true, value: 'halted' });
  });

  it('refuses addresses without memory', () => {
    const { tables } = legacy();
    expect(tables.memory.read(at(0x8000_0000), 4)).toMatchObject({
      status: EfiStatus.INVALID_PARAMETER,
    });
    expect(tables.memory.read(at(32 * 2 ** 20 - 2), 4)).toMatchObject({
      status: EfiStatus.INVALID_PARAMETER,
    });
    expect(tables.memory.write(at(0xffff_fff0), Uint8Array.of(1))).toMatchObject({
      status: EfiStatus.INVALID_PARAMETER,
    });
    expect(tables.memory.allocatePages({ pages: 100_000 })).toMatchObject({
      status: EfiStatus.OUT_OF_RESOURCES,
    });
    expect(tables.memory.allocatePages({ pages: 0 })).toMatchObject({
      status: EfiStatus.OUT_OF_RESOURCES,
    });
  });

  it('needs memory for the kernel', () => {
    expect(enterWithoutEfi(createMachine({ ram: 2 ** 20 }))).toMatchObject({
      status: EfiStatus.OUT_OF_RESOURCES,
    });
  });
});
