import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_PROFILE, QEMU64_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import { apicBaseMsr, createMsrs, taskPriorityRegister } from '../../src/cpu/msr.ts';
import { MSR_SLOT_COUNT } from '../../src/cpu/state-layout.ts';
import { MACHINE_CHECK_BANKS, MSR_SLOT, TASK_PRIORITY } from '../../src/cpu/msr-slots.ts';
import { createMemoryCpu } from './memory-cpu.ts';
import type { MemoryCpu } from './memory-cpu.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

let cpu: MemoryCpu;
beforeEach(() => {
  cpu = createMemoryCpu();
});

test('values after reset, as QEMU 7.2 gives them', () => {
  const expected: readonly (readonly [number, bigint])[] = [
    [0x1b, 0xfee0_0900n],
    [0xfe, 0x508n],
    [0x179, 0x0100_010an],
    [0x17a, 0n],
    [0x1a0, 1n],
    [0x277, 0x0007_0406_0007_0406n],
    [0x2ff, 0n],
    [0x17, 0n],
    [0x8b, DEFAULT_PROFILE.microcode],
    [0xc000_0080, 0n],
  ];
  for (const [index, value] of expected)
    expect([index, cpu.readMsr(index)]).toEqual([index, value]);
});

test('every register that OVMF and Xen use exists', () => {
  const used = [0x10, 0x1b, 0x8b, 0xfe, 0x179, 0x17a, 0x17b, 0x250, 0x258, 0x259, 0x277, 0x2ff];
  for (let i = 0x200; i < 0x210; i++) used.push(i);
  for (let i = 0x268; i < 0x270; i++) used.push(i);
  for (let i = 0x400; i < 0x426; i++) used.push(i);
  for (let i = 0xc000_0080; i < 0xc000_0085; i++) used.push(i);
  for (let i = 0xc000_0100; i < 0xc000_0104; i++) used.push(i);
  for (const index of used) expect([index, cpu.readMsr(index)]).not.toEqual([index, undefined]);
});

test('an unknown register is neither read nor written', () => {
  expect(cpu.readMsr(0x1234)).toBeUndefined();
  expect(cpu.writeMsr(0x1234, 0n)).toBe(false);
});

test('a profile may ignore what it does not have, but not what a register refuses', () => {
  const qemu = createMemoryCpu(QEMU64_PROFILE);
  // PerfCtr0 of a K8, which the profile announces.
  expect(qemu.writeMsr(0xc001_0004, 5n)).toBe(true);
  expect(qemu.readMsr(0xc001_0004)).toBe(0n);
  expect(qemu.writeMsr(0x17, 0n)).toBe(false);
});

test('no two registers share an index or a slot', () => {
  const { registers } = createMsrs(DEFAULT_PROFILE);
  const writable = registers.filter((r) => ![0x10, 0xc000_0080].includes(r.index));
  // Each register is written alone; nothing else may change.
  for (const { index, write } of writable) {
    const fresh = createMemoryCpu();
    const before = new Map(registers.map((r) => [r.index, r.read(fresh)]));
    const value = [6n, 0x800n, 0xfee0_0800n, 0n].find(
      (v) => write(fresh, v) && v !== before.get(index),
    );
    if (value === undefined) continue;
    const changed = registers.filter((r) => r.read(fresh) !== before.get(r.index));
    expect(changed.filter((r) => r.index !== index)).toEqual([]);
  }
  expect(MSR_SLOT.machineCheckBanks + MACHINE_CHECK_BANKS * 4).toBeLessThanOrEqual(MSR_SLOT_COUNT);
});

describe('checks of what is written', () => {
  const cases: readonly (readonly [what: string, index: number, value: bigint, ok: boolean])[] = [
    ['APIC base: enable', 0x1b, 0xfee0_0800n, true],
    ['APIC base: x2APIC', 0x1b, 0xfee0_0d00n, false],
    ['APIC base: above the physical width', 0x1b, 1n << 36n, false],
    ['MTRR capability', 0xfe, 0n, false],
    ['variable base', 0x200, 0x8000_0006n, true],
    ['variable base: type 2', 0x200, 2n, false],
    ['variable base: reserved bits', 0x200, 0x100n, false],
    ['variable base: above the physical width', 0x20e, 1n << 36n, false],
    ['variable mask', 0x201, 0xf_8000_0800n, true],
    ['variable mask: reserved bits', 0x201, 0x400n, false],
    ['fixed: write-back', 0x250, 0x0606_0606_0606_0606n, true],
    ['fixed: a bad byte', 0x26f, 0x0306_0606_0606_0606n, false],
    ['default type: as OVMF writes', 0x2ff, 0xc06n, true],
    ['default type: bad type', 0x2ff, 0xc03n, false],
    ['default type: reserved bits', 0x2ff, 0x1000n, false],
    ['PAT: as Xen writes', 0x277, 0x0501_0406_0007_0406n, true],
    ['PAT: type 2', 0x277, 0x0207_0406_0007_0406n, false],
    ['PAT: type 8', 0x277, 0x0008_0406_0007_0406n, false],
    ['FS base', 0xc000_0100, 0xffff_8000_0000_0000n, true],
    ['FS base: not canonical', 0xc000_0100, 0x8000_0000_0000n, false],
    ['GS base: not canonical', 0xc000_0101, 0x8000_0000_0000n, false],
    ['kernel GS base: not canonical', 0xc000_0102, 1n << 63n, false],
    ['LSTAR: not canonical', 0xc000_0082, 1n << 47n, false],
    ['FMASK: 33 bits', 0xc000_0084, 1n << 32n, false],
    ['TSC_AUX: 33 bits', 0xc000_0103, 1n << 32n, false],
    ['SYSENTER_EIP: not canonical', 0x176, 1n << 47n, false],
    ['machine-check control: all ones', 0x400, ALL_ONES, true],
    ['machine-check status: not zero', 0x401, 1n, false],
    ['machine-check status: zero', 0x401, 0n, true],
    ['machine-check address: not zero', 0x402, 1n, false],
    ['machine-check global control: mixed', 0x17b, 5n, false],
    ['platform id', 0x17, 0n, false],
    ['microcode level: ignored', 0x8b, 0n, true],
    ['EFER: reserved', 0xc000_0080, 1n << 12n, false],
  ];
  test.each(cases)('%s', (_what, index, value, ok) => {
    const before = cpu.readMsr(index);
    expect(cpu.writeMsr(index, value)).toBe(ok);
    const kept = index === 0x8b || !ok;
    expect(cpu.readMsr(index)).toBe(kept ? before : value);
  });
});

test('the bases of FS and GS are those of the segment registers', () => {
  cpu.writeMsr(0xc000_0101, 0x1234_5678_9abcn);
  expect(cpu.state.segment('gs').base).toBe(0x1234_5678_9abcn);
  expect(cpu.state.segment('gs').limit).toBe(0xffff);
});

test('the time stamp counter goes on from what is written', () => {
  cpu.time = 1000n;
  cpu.writeMsr(0x10, 5n);
  expect(cpu.readMsr(0x10)).toBe(5n);
  cpu.time = 1100n;
  expect(cpu.readMsr(0x10)).toBe(105n);
  cpu.writeMsr(0x10, 200n);
  expect(cpu.readMsr(0x10)).toBe(200n);
});

test('a machine takes the place of a register, or adds one', () => {
  const moves: bigint[] = [];
  const extra = { index: 0x830, name: 'IA32_X2APIC_ICR', read: () => 7n, write: () => true };
  const msrs = createMsrs(DEFAULT_PROFILE, [apicBaseMsr((value) => moves.push(value)), extra]);
  expect(msrs.write(cpu, 0x1b, 0xfed0_0900n)).toBe(true);
  expect(msrs.write(cpu, 0x1b, 1n)).toBe(false);
  expect(moves).toEqual([0xfed0_0900n]);
  expect(msrs.read(cpu, 0x830)).toBe(7n);
});

test('CR8 can be the local APIC’s, and RDMSR never reaches it', () => {
  let tpr = 3;
  const register = taskPriorityRegister(
    () => tpr,
    (priority) => {
      tpr = priority;
    },
  );
  const msrs = createMsrs(DEFAULT_PROFILE, [register]);
  expect(msrs.read(cpu, TASK_PRIORITY)).toBe(3n);
  expect(msrs.write(cpu, TASK_PRIORITY, 9n)).toBe(true);
  expect(tpr).toBe(9);
  expect(TASK_PRIORITY).toBeGreaterThan(0xffff_ffff);
});
