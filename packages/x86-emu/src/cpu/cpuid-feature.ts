/** Every feature name and its CPUID bit: the one table that decoder, control registers and CPUID itself look at (SDM Vol. 2A, CPUID; AMD APM Vol. 3, appendix E). */
import type { CpuFeature } from '../isa/row.ts';
import type { Cpu } from './helper.ts';

/** Features that gate no row but a control bit, an MSR, a paging form or a baseline instruction. */
type SystemFeature =
  | 'FPU'
  | 'DE'
  | 'PSE'
  | 'TSC'
  | 'MSR'
  | 'PAE'
  | 'MCE'
  | 'CX8'
  | 'APIC'
  | 'SEP'
  | 'MTRR'
  | 'PGE'
  | 'MCA'
  | 'CMOV'
  | 'PAT'
  | 'PSE36'
  | 'CLFSH'
  | 'MMX'
  | 'FXSR'
  | 'SSE'
  | 'SSE2'
  | 'HYPERVISOR'
  | 'SMEP'
  | 'ERMS'
  | 'LAHF'
  | 'NX'
  | 'PAGE1GB'
  | 'LM'
  | 'INVARIANT_TSC';

export type Feature = CpuFeature | SystemFeature;

export interface FeatureBit {
  readonly leaf: number;
  /** 0 EAX, 1 EBX, 2 ECX, 3 EDX; subleaf 0. */
  readonly register: 0 | 1 | 2 | 3;
  readonly bit: number;
}

const bit = (leaf: number, register: FeatureBit['register'], n: number): FeatureBit => ({
  leaf,
  register,
  bit: n,
});
const EBX = 1;
const ECX = 2;
const EDX = 3;
const EXTENDED = 0x8000_0001;

export const FEATURE_BITS: Readonly<Record<Feature, FeatureBit>> = {
  FPU: bit(1, EDX, 0),
  DE: bit(1, EDX, 2),
  PSE: bit(1, EDX, 3),
  TSC: bit(1, EDX, 4),
  MSR: bit(1, EDX, 5),
  PAE: bit(1, EDX, 6),
  MCE: bit(1, EDX, 7),
  CX8: bit(1, EDX, 8),
  APIC: bit(1, EDX, 9),
  SEP: bit(1, EDX, 11),
  MTRR: bit(1, EDX, 12),
  PGE: bit(1, EDX, 13),
  MCA: bit(1, EDX, 14),
  CMOV: bit(1, EDX, 15),
  PAT: bit(1, EDX, 16),
  PSE36: bit(1, EDX, 17),
  CLFSH: bit(1, EDX, 19),
  MMX: bit(1, EDX, 23),
  FXSR: bit(1, EDX, 24),
  SSE: bit(1, EDX, 25),
  SSE2: bit(1, EDX, 26),
  SSE3: bit(1, ECX, 0),
  PCLMULQDQ: bit(1, ECX, 1),
  MONITOR: bit(1, ECX, 3),
  SSSE3: bit(1, ECX, 9),
  CX16: bit(1, ECX, 13),
  SSE41: bit(1, ECX, 19),
  SSE42: bit(1, ECX, 20),
  MOVBE: bit(1, ECX, 22),
  POPCNT: bit(1, ECX, 23),
  AESNI: bit(1, ECX, 25),
  XSAVE: bit(1, ECX, 26),
  RDRAND: bit(1, ECX, 30),
  HYPERVISOR: bit(1, ECX, 31),
  FSGSBASE: bit(7, EBX, 0),
  BMI1: bit(7, EBX, 3),
  SMEP: bit(7, EBX, 7),
  BMI2: bit(7, EBX, 8),
  ERMS: bit(7, EBX, 9),
  INVPCID: bit(7, EBX, 10),
  RDSEED: bit(7, EBX, 18),
  ADX: bit(7, EBX, 19),
  SMAP: bit(7, EBX, 20),
  CLFLUSHOPT: bit(7, EBX, 23),
  CLWB: bit(7, EBX, 24),
  SHA: bit(7, EBX, 29),
  RDPID: bit(7, ECX, 22),
  LAHF: bit(EXTENDED, ECX, 0),
  LZCNT: bit(EXTENDED, ECX, 5),
  PREFETCHW: bit(EXTENDED, ECX, 8),
  '3DNOWPREFETCH': bit(EXTENDED, ECX, 8),
  SYSCALL: bit(EXTENDED, EDX, 11),
  NX: bit(EXTENDED, EDX, 20),
  PAGE1GB: bit(EXTENDED, EDX, 26),
  RDTSCP: bit(EXTENDED, EDX, 27),
  LM: bit(EXTENDED, EDX, 29),
  INVARIANT_TSC: bit(0x8000_0007, EDX, 8),
};

/** Whether the machine's CPUID shows the feature. */
export const featureEnabled = (cpu: Cpu, feature: Feature): boolean => {
  const { leaf, register, bit: n } = FEATURE_BITS[feature];
  return ((cpu.cpuid(leaf, 0)[register] >>> n) & 1) !== 0;
};
