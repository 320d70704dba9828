/** CPUID from a profile and the few bits that follow the CPU's state (SDM Vol. 2A, CPUID; AMD APM Vol. 3, appendix E). */
import { CR4 } from './control-bits.ts';
import type { CpuFeature } from '../isa/row.ts';
import { FEATURE_BITS } from './cpuid-feature.ts';
import type { Feature, FeatureBit } from './cpuid-feature.ts';
import type { CpuProfile, CpuidRegisters } from './cpuid-profile.ts';
import type { CpuState } from './cpu-state.ts';

export type Cpuid = (leaf: number, subleaf: number) => CpuidRegisters;

/** XSAVE area: legacy region and header (SDM Vol. 1, section 13.4); x87 and SSE state need no more. */
export const XSAVE_AREA_SIZE = 576;

const ZERO: CpuidRegisters = [0, 0, 0, 0];
const EXTENDED = 0x8000_0000;
const HYPERVISOR_LEAF = 0x4000_0000;
const APIC_ENABLED = 0x800n;

/** AMD repeats these bits of CPUID.1:EDX in CPUID.80000001:EDX. */
const MIRRORED = 0x0183_f3ff;
/** CLFLUSH line of 64 bytes (in units of 8), one logical processor, APIC id 0. */
const LEAF_1_EBX = 0x0000_0800;
const LINEAR_BITS = 48;

/** Four characters from `at` as a little-endian number. */
const quad = (text: string, at: number): number =>
  [0, 1, 2, 3].reduce((sum, i) => sum + (text.charCodeAt(at + i) || 0) * 2 ** (8 * i), 0);

/** Whether the profile has a feature: what the decoder asks to enable rows. */
export const profileHasFeature = (profile: CpuProfile, feature: CpuFeature): boolean => {
  const wanted = FEATURE_BITS[feature];
  return profile.features.some((name) => sameBit(FEATURE_BITS[name], wanted));
};

const sameBit = (a: FeatureBit, b: FeatureBit): boolean =>
  a.leaf === b.leaf && a.register === b.register && a.bit === b.bit;

/** The feature bits of one register of one leaf. */
const featureWord = (features: readonly Feature[], leaf: number, register: number): number =>
  features.reduce((word, name) => {
    const place = FEATURE_BITS[name];
    return place.leaf === leaf && place.register === register
      ? (word | (1 << place.bit)) >>> 0
      : word;
  }, 0);

/** The leaves that never change, all subleaves alike. */
const fixedLeaves = (profile: CpuProfile): Map<number, CpuidRegisters> => {
  const { features, vendor, hypervisor } = profile;
  const word = (leaf: number, register: number): number => featureWord(features, leaf, register);
  const brand = profile.brand.slice(0, 47);
  const amd = vendor === 'AuthenticAMD';
  const leaves = new Map<number, CpuidRegisters>(
    Object.entries(profile.leaves).map(([leaf, registers]) => [Number(leaf), registers]),
  );
  // EBX, EDX, ECX spell the vendor; AMD repeats it at 0x80000000.
  const identity = [quad(vendor, 0), quad(vendor, 8), quad(vendor, 4)] as const;
  leaves.set(0, [profile.maxBasicLeaf, ...identity]);
  leaves.set(1, [profile.signature, LEAF_1_EBX, word(1, 2), word(1, 3)]);
  leaves.set(7, [0, word(7, 1), word(7, 2), word(7, 3)]);
  leaves.set(EXTENDED, [profile.maxExtendedLeaf, ...(amd ? identity : ([0, 0, 0] as const))]);
  leaves.set(EXTENDED + 1, [
    amd ? profile.signature : 0,
    0,
    word(EXTENDED + 1, 2),
    (word(EXTENDED + 1, 3) | (amd ? word(1, 3) & MIRRORED : 0)) >>> 0,
  ]);
  for (const i of [0, 1, 2]) {
    const at = i * 16;
    const registers = [quad(brand, at), quad(brand, at + 4), quad(brand, at + 8)] as const;
    leaves.set(EXTENDED + 2 + i, [...registers, quad(brand, at + 12)]);
  }
  leaves.set(EXTENDED + 7, [0, 0, 0, word(EXTENDED + 7, 3)]);
  leaves.set(EXTENDED + 8, [profile.physicalBits | (LINEAR_BITS << 8), 0, 0, 0]);
  if (hypervisor !== undefined)
    leaves.set(HYPERVISOR_LEAF, [
      HYPERVISOR_LEAF,
      quad(hypervisor, 0),
      quad(hypervisor, 4),
      quad(hypervisor, 8),
    ]);
  return leaves;
};

/** CPUID of a profile on a CPU. Leaves beyond the highest give zeros (AMD; Intel repeats the last one). */
export const createCpuid = (profile: CpuProfile, state: CpuState): Cpuid => {
  const leaves = fixedLeaves(profile);
  const xsave = profile.features.includes('XSAVE');
  return (leaf, subleaf) => {
    const fixed = leaves.get(leaf) ?? ZERO;
    switch (leaf) {
      case 1:
        return [fixed[0], fixed[1], withOsXsave(state, fixed[2]), withApic(state, fixed[3])];
      case 7:
        return subleaf === 0 ? fixed : ZERO;
      case 0xb:
        return topology(subleaf);
      case 0xd:
        return xsave ? xsaveLeaf(subleaf) : ZERO;
      case 0x8000_0001:
        return [fixed[0], fixed[1], fixed[2], withApic(state, fixed[3])];
      default:
        return fixed;
    }
  };
};

/** CPUID.1:ECX.OSXSAVE (bit 27) follows CR4. */
const withOsXsave = (state: CpuState, ecx: number): number =>
  (state.low('cr4') & CR4.OSXSAVE) === 0 ? ecx : (ecx | (1 << 27)) >>> 0;

/** The APIC bit (9) follows the enable bit of the APIC base. */
const withApic = (state: CpuState, edx: number): number =>
  state.big('apicBase') & APIC_ENABLED ? edx : (edx & ~(1 << 9)) >>> 0;

/** One thread in one core in one package, x2APIC id 0. */
const topology = (subleaf: number): CpuidRegisters => {
  const levelType = subleaf < 2 ? subleaf + 1 : 0;
  return [0, subleaf < 2 ? 1 : 0, (levelType << 8) | (subleaf & 0xff), 0];
};

/** x87 and SSE state in the standard format; no XSAVEOPT, XSAVEC or XSAVES. */
const xsaveLeaf = (subleaf: number): CpuidRegisters =>
  subleaf === 0 ? [3, XSAVE_AREA_SIZE, XSAVE_AREA_SIZE, 0] : ZERO;
