/** What each vector file holds: which encodings, in which modes, how many cases of each form. */
import type {
  CaseForm,
  CodeMode,
  CpuCase,
  CpuOutcome,
} from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { cloneState } from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { CODE_SIZE } from '../../packages/x86-emu/test/silicon/layout.ts';
import { createPrng } from '../../packages/x86-emu/test/silicon/prng.ts';
import { codeAddress } from '../../packages/x86-emu/test/silicon/seeded-state.ts';
import type { Placement } from './address.ts';
import { buildCase } from './case-builder.ts';
import type { Encoding } from './encoding.ts';
import { operandSizes } from './encoding.ts';
import { bitEncodings, integerEncodings, stringEncodings } from './encodings/integer.ts';
import { compatEncodings, systemEncodings } from './encodings/system.ts';
import {
  cryptoEncodings,
  mmxEncodings,
  mmxFloatEncodings,
  sseDoubleEncodings,
  sseIntegerEncodings,
  sseSingleEncodings,
  stringCompareEncodings,
} from './encodings/vector.ts';
import { x87Encodings } from './encodings/x87.ts';
import { tweaksFor } from './tweaks.ts';
import { undefinedOpcodeCases } from './undefined-opcodes.ts';

interface Plan {
  readonly encodings: readonly Encoding[];
  readonly mode: CodeMode;
  /** Cases of a form whose operands are registers, and of one with a memory operand. */
  readonly registers: number;
  readonly memory: number;
}

const BASE_PLACEMENTS: readonly Placement[] = [
  'plain',
  'plain',
  'plain',
  'plain',
  'plain',
  'plain',
  'plain',
  'plain',
  'cross',
  'guard-end',
  'guard-start',
  'read-only',
  'code',
  'segment',
  'segment',
  'address-size',
  'alignment-check',
  'misaligned',
];

const hash = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** Prefixes without meaning for the encoding; VEX refuses 66, F2 and F3. */
const redundantPrefixes = (e: Encoding, mode: CodeMode, pick: (n: number) => number): number[] => {
  if (e.vex !== undefined) return pick(20) === 0 ? [[0x66, 0xf2, 0xf3][pick(3)] ?? 0x66] : [];
  const choices: number[] = [];
  if (mode === 64 && !e.attributes.has('string')) choices.push(0x26, 0x2e, 0x36, 0x3e);
  const plainOneByte = e.bytes.length === 1 && e.mandatory === undefined && e.kind === 'int';
  if (
    plainOneByte &&
    !e.attributes.has('string') &&
    !e.attributes.has('f64') &&
    (e.bytes[0] ?? 0) !== 0x90 &&
    !e.attributes.has('lock')
  ) {
    choices.push(0xf2, 0xf3);
    const sized =
      e.operands.some((o) => ['v', 'z', 'p', 'a'].includes(o.width)) ||
      e.operands.some((o) => o.text === 'rAX' || o.text === 'eAX');
    if (!sized && !e.attributes.has('os')) choices.push(0x66);
  }
  return choices.length > 0 && pick(16) === 0 ? [choices[pick(choices.length)] ?? 0x3e] : [];
};

const usable = (e: Encoding, mode: CodeMode): boolean =>
  !e.attributes.has(mode === 64 ? 'legacy' : 'long');

const formsOf = (
  family: string,
  { encodings, mode, registers, memory }: Plan,
  factor: number,
): CpuCase[] => {
  const cases: CpuCase[] = [];
  for (const encoding of encodings) {
    if (!usable(encoding, mode)) continue;
    const tweaks = tweaksFor(encoding.attributes);
    const place = encoding.operands.find((o) => ['E', 'M', 'Q', 'W', 'O'].includes(o.letter));
    const weight = factor * (encoding.attributes.has('many') ? 2 : 1);
    const noOperands =
      encoding.modrm === undefined &&
      !encoding.plusRegister &&
      encoding.operands.every((o) => o.letter === 'fixed');
    const trivial =
      noOperands &&
      !encoding.attributes.has('string') &&
      !encoding.attributes.has('many') &&
      encoding.mnemonic === 'INVALID';
    for (const size of operandSizes(encoding, mode)) {
      if (encoding.attributes.has('nowide') && size === 64) continue;
      for (const where of ['reg', 'mem'] as const) {
        if (
          where === 'reg' && place?.letter === 'O'
            ? true
            : where === 'mem'
              ? place === undefined
              : place?.letter === 'M' && encoding.op !== '8D /r'
        )
          continue;
        const operands = encoding.operands.map((o) => o.text).join(',');
        const label = `${encoding.op}  ${operands}${place === undefined ? '' : ` ${where}`} ${size}`;
        const form: CaseForm = {
          mnemonic: encoding.mnemonic,
          label,
          mode,
          kind: encoding.kind,
          size,
        };
        const start = hash(`${family} ${encoding.mnemonic} ${label} ${mode}`);
        const r = createPrng(start);
        const base =
          place?.letter === 'M' && where === 'reg' ? 3 : where === 'reg' ? registers : memory;
        const number = Math.max(1, Math.round((trivial ? 2 : base) * weight));
        const placements: readonly Placement[] =
          mode === 64 ? [...BASE_PLACEMENTS, 'noncanonical'] : BASE_PLACEMENTS;
        for (let i = 0; i < number; i++) {
          const placement =
            where === 'mem' ? (r.oneIn(2) ? 'plain' : r.pick(placements)) : undefined;
          const lockable = encoding.attributes.has('lock') && where === 'mem';
          const lock = r.oneIn(lockable ? 5 : 40) && !encoding.attributes.has('nolock');
          const extraPrefixes = redundantPrefixes(encoding, mode, r.below);
          cases.push(
            buildCase(
              { encoding, form, seed: (start + i) >>> 0, placement, lock, extraPrefixes },
              tweaks,
            ),
          );
        }
      }
    }
  }
  return cases;
};

/** Instructions at page ends, and ones that prefixes make too long. */
const fetchCases = (family: string, factor: number): CpuCase[] => {
  const sample = formsOf(
    family,
    { encodings: integerEncodings(), mode: 64, registers: 1, memory: 1 },
    factor,
  );
  return sample.flatMap((c, i) => {
    if (c.step === 'int3' || c.form.label.includes('[') || c.form.mnemonic === 'CALL') return [];
    const r = createPrng(c.seed ^ 0xfe7c4);
    const initial = cloneState(c.initial);
    let code = c.code;
    let codeOffset: number;
    let what: string;
    if (i % 3 === 0) {
      what = 'fetch across the end';
      codeOffset = CODE_SIZE - r.below(code.length + 1);
    } else if (i % 3 === 1) {
      what = 'fetch across a page';
      codeOffset = 0x1000 - r.below(code.length + 1);
    } else {
      what = 'long instruction';
      const room = r.pick([14, 15, 15, 16, 16, 18]) - code.length;
      if (room <= 0) return [];
      code = Uint8Array.from([
        ...Array.from({ length: room }, () => r.pick([0x2e, 0x36, 0x3e, 0x26])),
        ...code,
      ]);
      codeOffset = c.codeOffset;
    }
    if (codeOffset === CODE_SIZE) codeOffset -= 1;
    initial.rip = codeAddress(64, codeOffset);
    return [
      { ...c, form: { ...c.form, label: `${c.form.label}, ${what}` }, code, codeOffset, initial },
    ];
  });
};

const withForms = (cases: CpuCase[]): CpuCase[] => {
  const known = new Map<string, CaseForm>();
  return cases.map((c) => {
    const key = `${c.form.mnemonic}|${c.form.label}|${c.form.mode}|${c.form.kind}`;
    const form = known.get(key) ?? c.form;
    known.set(key, form);
    return { ...c, form };
  });
};

const family = (
  name: string,
  plans: readonly Plan[],
): readonly [string, (factor: number) => CpuCase[]] => [
  name,
  (factor) => plans.flatMap((plan) => formsOf(name, plan, factor)),
];

const plan = (
  encodings: readonly Encoding[],
  mode: CodeMode,
  registers: number,
  memory: number,
): Plan => ({ encodings, mode, registers, memory });

/** Family name → its cases; `factor` multiplies the number of cases. */
export const FAMILIES: ReadonlyMap<string, (factor: number) => CpuCase[]> = new Map([
  family('integer', [plan(integerEncodings(), 64, 24, 32)]),
  family('string', [
    plan(stringEncodings(), 64, 150, 0),
    plan(stringEncodings(), 32, 60, 0),
    plan(stringEncodings(), 16, 40, 0),
  ]),
  family('bmi', [
    plan(bitEncodings(), 64, 60, 40),
    plan(bitEncodings(), 32, 10, 10),
    plan(bitEncodings(), 16, 4, 4),
  ]),
  family('sse-int', [
    plan(sseIntegerEncodings(), 64, 40, 40),
    plan(sseIntegerEncodings(), 32, 4, 6),
  ]),
  family('sse-fp', [
    plan(sseSingleEncodings(), 64, 160, 80),
    plan(sseDoubleEncodings(), 64, 160, 80),
    plan(sseSingleEncodings(), 32, 3, 5),
    plan(sseDoubleEncodings(), 32, 3, 5),
  ]),
  family('sse42', [
    plan(stringCompareEncodings(), 64, 600, 200),
    plan(stringCompareEncodings(), 32, 40, 20),
  ]),
  family('crypto', [plan(cryptoEncodings(), 64, 80, 40), plan(cryptoEncodings(), 32, 4, 4)]),
  family('mmx', [
    plan(mmxEncodings(), 64, 24, 24),
    plan(mmxFloatEncodings(), 64, 80, 40),
    plan(mmxEncodings(), 32, 3, 4),
  ]),
  family('x87', [
    plan(x87Encodings(), 64, 160, 80),
    plan(x87Encodings(), 32, 6, 6),
    plan(x87Encodings(), 16, 2, 3),
  ]),
  family('compat32', [
    plan(integerEncodings(), 32, 8, 14),
    plan(integerEncodings(), 16, 6, 9),
    plan(compatEncodings(), 32, 60, 60),
    plan(compatEncodings(), 16, 40, 40),
  ]),
  [
    'system-user',
    (factor) =>
      withForms([
        ...formsOf('system-user', plan(systemEncodings(), 64, 16, 12), factor),
        ...fetchCases('system-user', factor),
      ]),
  ] as const,
  ['undefined', undefinedOpcodeCases] as const,
]);

const INVALID_OPCODE = 6;

/** Whether a recorded case belongs into the family's file. */
export const belongs = (name: string, outcome: CpuOutcome): boolean =>
  name !== 'undefined' || outcome.fault?.vector === INVALID_OPCODE;
