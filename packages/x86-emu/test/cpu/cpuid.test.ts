import { describe, expect, test } from 'vitest';
import { createCpuid, profileHasFeature } from '../../src/cpu/cpuid.ts';
import { FEATURE_BITS } from '../../src/cpu/cpuid-feature.ts';
import { DEFAULT_PROFILE, QEMU64_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import { createMemoryCpu } from './memory-cpu.ts';

/**
 * Read by a guest program under `qemu-system-x86_64 -cpu qemu64` (QEMU 7.2.22, TCG); leaf, subleaf, EAX to EDX.
 * SVM is not modelled: bit 2 of 80000001:ECX and leaf 8000000a are cleared here.
 */
const QEMU64: readonly (readonly [number, number, number, number, number, number])[] = [
  [0, 0, 0xd, 0x68747541, 0x444d4163, 0x69746e65],
  [1, 0, 0x60fb1, 0x800, 0x80002001, 0x078bfbfd],
  [2, 0, 0, 0, 0, 0],
  [4, 0, 0, 0, 0, 0],
  [5, 0, 0, 0, 3, 0],
  [6, 0, 0, 0, 0, 0],
  [7, 0, 0, 0, 0, 0],
  [0xa, 0, 0, 0, 0, 0],
  [0xb, 0, 0, 1, 0x100, 0],
  [0xb, 1, 0, 1, 0x201, 0],
  [0xd, 0, 0, 0, 0, 0],
  [0xd, 1, 0, 0, 0, 0],
  [0x80000000, 0, 0x8000000a, 0x68747541, 0x444d4163, 0x69746e65],
  [0x80000001, 0, 0x60fb1, 0, 0x1, 0x2193fbfd],
  [0x80000002, 0, 0x554d4551, 0x72695620, 0x6c617574, 0x55504320],
  [0x80000003, 0, 0x72657620, 0x6e6f6973, 0x352e3220, 0x2b],
  [0x80000004, 0, 0, 0, 0, 0],
  [0x80000005, 0, 0x1ff01ff, 0x1ff01ff, 0x40020140, 0x40020140],
  [0x80000006, 0, 0, 0x42004200, 0x2008140, 0x808140],
  [0x80000007, 0, 0, 0, 0, 0],
  [0x80000008, 0, 0x3028, 0, 0, 0],
];

test.each(QEMU64)('qemu64 leaf 0x%x subleaf %i is as recorded', (leaf, subleaf, ...registers) => {
  const cpu = createMemoryCpu(QEMU64_PROFILE);
  expect(cpu.cpuid(leaf, subleaf)).toEqual(registers);
});

describe('the default profile', () => {
  const cpu = createMemoryCpu();

  test('announces nothing that the engine lacks', () => {
    const [, , ecx1] = cpu.cpuid(1, 0);
    const [, ebx7, ecx7] = cpu.cpuid(7, 0);
    const absent = (register: number, ...places: readonly number[]): void => {
      for (const place of places) expect((register >>> place) & 1).toBe(0);
    };
    // MONITOR, VMX, SMX, FMA, PCID, x2APIC, TSC deadline, AVX, F16C.
    absent(ecx1, 3, 5, 6, 12, 17, 21, 24, 28, 29);
    // AVX2, INVPCID, RTM, AVX-512.
    absent(ebx7, 5, 10, 11, 16);
    // UMIP, PKU, VAES, VPCLMULQDQ, LA57.
    absent(ecx7, 2, 3, 9, 10, 16);
    const [, , ecxExtended] = cpu.cpuid(0x8000_0001, 0);
    // SVM, SSE4A, XOP, FMA4.
    absent(ecxExtended, 2, 6, 11, 16);
  });

  test('every feature of the profile is at its bit', () => {
    for (const name of DEFAULT_PROFILE.features) {
      const { leaf, register, bit } = FEATURE_BITS[name];
      expect([name, (cpu.cpuid(leaf, 0)[register] >>> bit) & 1]).toEqual([name, 1]);
    }
  });

  test('identity, address widths, XSAVE area', () => {
    expect(cpu.cpuid(0x8000_0008, 0)[0]).toBe(0x3024);
    expect(cpu.cpuid(0xd, 0)).toEqual([3, 576, 576, 0]);
    expect(cpu.cpuid(0xd, 1)).toEqual([0, 0, 0, 0]);
    expect(cpu.cpuid(7, 1)).toEqual([0, 0, 0, 0]);
    expect(cpu.cpuid(0xb, 7)).toEqual([0, 0, 7, 0]);
    expect(cpu.cpuid(0xffff_ffff, 0)).toEqual([0, 0, 0, 0]);
    const family = (cpu.cpuid(1, 0)[0] >>> 8) & 0xf;
    expect(family + ((cpu.cpuid(1, 0)[0] >>> 20) & 0xff)).toBe(0x19);
  });

  test('the brand string is readable', () => {
    const words = [2, 3, 4].flatMap((i) => [...cpu.cpuid(0x8000_0000 + i, 0)]);
    const text = Buffer.from(new Uint32Array(words).buffer).toString('latin1');
    expect(text.replaceAll('\0', '')).toBe(DEFAULT_PROFILE.brand);
    expect(text).toHaveLength(48);
  });
});

test('OSXSAVE and APIC follow CR4 and the APIC base', () => {
  const { state } = createMemoryCpu();
  const cpuid = createCpuid(DEFAULT_PROFILE, state);
  expect([cpuid(1, 0)[2] & 0x800_0000, cpuid(1, 0)[3] & 0x200]).toEqual([0, 0x200]);
  state.setBig('cr4', 0x4_0000n);
  state.setBig('apicBase', 0xfee0_0100n);
  expect([cpuid(1, 0)[2] & 0x800_0000, cpuid(1, 0)[3] & 0x200]).toEqual([0x800_0000, 0]);
  expect(cpuid(0x8000_0001, 0)[3] & 0x200).toBe(0);
});

test('the decoder sees the same features', () => {
  expect(profileHasFeature(DEFAULT_PROFILE, 'SHA')).toBe(true);
  expect(profileHasFeature(DEFAULT_PROFILE, 'MONITOR')).toBe(false);
  expect(profileHasFeature(QEMU64_PROFILE, 'SHA')).toBe(false);
  expect(profileHasFeature(QEMU64_PROFILE, 'CX16')).toBe(true);
  // Two names of one bit.
  expect(profileHasFeature(DEFAULT_PROFILE, '3DNOWPREFETCH')).toBe(true);
});

test('a vendor that is not AMD has no AMD leaves', () => {
  const cpu = createMemoryCpu({ ...DEFAULT_PROFILE, vendor: 'GenuineIntel' });
  expect(cpu.cpuid(0x8000_0000, 0)).toEqual([0x8000_0008, 0, 0, 0]);
  expect(cpu.cpuid(0x8000_0001, 0)[3] & 1).toBe(0);
});
