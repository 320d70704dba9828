/** CPU profiles: what CPUID says, as data. A profile chooses features; the engine executes no instruction whose feature the profile lacks. */
import type { Feature } from './cpuid-feature.ts';

/** EAX, EBX, ECX, EDX. */
export type CpuidRegisters = readonly [number, number, number, number];

export interface CpuProfile {
  readonly name: string;
  /** 12 characters. */
  readonly vendor: string;
  /** Up to 47 characters. */
  readonly brand: string;
  /** CPUID.1:EAX: family, model, stepping. */
  readonly signature: number;
  /** Physical address width, 32 to 52 bits. */
  readonly physicalBits: number;
  readonly maxBasicLeaf: number;
  readonly maxExtendedLeaf: number;
  readonly features: readonly Feature[];
  /** 12 characters at leaf 0x40000000; shown with the HYPERVISOR feature. */
  readonly hypervisor?: string;
  /** Leaves without a rule of their own (caches, …), by leaf number; all subleaves alike. */
  readonly leaves: Readonly<Record<number, CpuidRegisters>>;
  /** MSR 0x8b: microcode patch level. */
  readonly microcode: bigint;
  /**
   * What RDMSR and WRMSR do with a register that does not exist: `fault` (default) is #GP(0), as the manuals have it; `ignore` reads zero and
   * drops what is written, for a profile that announces a processor whose own registers are not there.
   */
  readonly unknownMsrs?: 'fault' | 'ignore';
}

/** The x86-64 baseline with what every 64-bit operating system expects. */
const BASELINE: readonly Feature[] = [
  'FPU',
  'DE',
  'PSE',
  'TSC',
  'MSR',
  'PAE',
  'MCE',
  'CX8',
  'APIC',
  'SEP',
  'MTRR',
  'PGE',
  'MCA',
  'CMOV',
  'PAT',
  'PSE36',
  'CLFSH',
  'MMX',
  'FXSR',
  'SSE',
  'SSE2',
  'SSE3',
  'CX16',
  'HYPERVISOR',
  'LAHF',
  'SYSCALL',
  'NX',
  'LM',
];

/**
 * The default: everything the engine executes, identified as the family of the processor that the instruction vectors were recorded on (AMD family 19h).
 * 36 physical address bits: OVMF builds page tables for the whole announced width, so each bit more doubles that part of its boot.
 */
export const DEFAULT_PROFILE: CpuProfile = {
  name: 'default',
  vendor: 'AuthenticAMD',
  brand: 'Systab virtual x86-64 processor',
  signature: 0x00a0_0f11,
  physicalBits: 36,
  maxBasicLeaf: 0xd,
  maxExtendedLeaf: 0x8000_0008,
  hypervisor: 'SystabSystab',
  features: [
    ...BASELINE,
    'PCLMULQDQ',
    'SSSE3',
    'SSE41',
    'SSE42',
    'MOVBE',
    'POPCNT',
    'AESNI',
    'XSAVE',
    'RDRAND',
    'FSGSBASE',
    'BMI1',
    'SMEP',
    'BMI2',
    'ERMS',
    'RDSEED',
    'ADX',
    'SMAP',
    'CLFLUSHOPT',
    'CLWB',
    'SHA',
    'RDPID',
    'LZCNT',
    'PREFETCHW',
    'PAGE1GB',
    'RDTSCP',
    'INVARIANT_TSC',
  ],
  leaves: {
    // L1 TLBs of 64 entries; 32 KiB 8-way L1 caches with lines of 64 bytes.
    0x8000_0005: [0xff40_ff40, 0xff40_ff40, 0x2008_0140, 0x2008_0140],
    // 512 KiB 8-way L2; 32 MiB 16-way L3.
    0x8000_0006: [0x4c00_2200, 0x6800_4200, 0x0200_6140, 0x0100_8140],
  },
  microcode: 0x0a00_1173n,
};

/**
 * The same answers as `qemu-system-x86_64 -cpu qemu64` of QEMU 7.2 under TCG, read with a guest program; SVM is left out, for it does not exist here.
 * Neither does TCG have the K8's performance counters, which Xen writes without looking: it ignores registers that it does not have.
 */
export const QEMU64_PROFILE: CpuProfile = {
  name: 'qemu64',
  vendor: 'AuthenticAMD',
  brand: 'QEMU Virtual CPU version 2.5+',
  signature: 0x0006_0fb1,
  physicalBits: 40,
  maxBasicLeaf: 0xd,
  maxExtendedLeaf: 0x8000_000a,
  hypervisor: 'TCGTCGTCGTCG',
  features: BASELINE,
  leaves: {
    5: [0, 0, 3, 0],
    0x8000_0005: [0x01ff_01ff, 0x01ff_01ff, 0x4002_0140, 0x4002_0140],
    0x8000_0006: [0, 0x4200_4200, 0x0200_8140, 0x0080_8140],
  },
  microcode: 0x0100_0065n,
  unknownMsrs: 'ignore',
};
