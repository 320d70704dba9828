/**
 * The recorded vectors against arithmetic done here: proves that recorder, file format and masks tell the truth without
 * the engine. Register forms of the ALU group and shifts, decoded by an independent disassembler.
 */
import { Code, Decoder, DecoderOptions, Mnemonic, OpKind, Register } from 'iced-x86';
import { expect, test } from 'vitest';
import { readFamily } from './replay.ts';
import { AF, CF, OF, PF, SF, undefinedFlags, ZF } from './undefined-results.ts';
import type { Vector } from './vector-file.ts';

const mask = (size: number): bigint => (1n << BigInt(size)) - 1n;

interface Alu {
  readonly result: bigint;
  readonly carry: boolean;
  readonly adjust: boolean;
  readonly overflow: boolean;
}

const add = (a: bigint, b: bigint, carryIn: bigint, size: number): Alu => {
  const wide = a + b + carryIn;
  const result = wide & mask(size);
  const top = BigInt(size - 1);
  return {
    result,
    carry: wide > mask(size),
    adjust: (((a ^ b ^ result) >> 4n) & 1n) === 1n,
    overflow: ((((a ^ result) & (b ^ result)) >> top) & 1n) === 1n,
  };
};

const subtract = (a: bigint, b: bigint, borrowIn: bigint, size: number): Alu => {
  const result = (a - b - borrowIn) & mask(size);
  const top = BigInt(size - 1);
  return {
    result,
    carry: a < b + borrowIn,
    adjust: (((a ^ b ^ result) >> 4n) & 1n) === 1n,
    overflow: ((((a ^ b) & (a ^ result)) >> top) & 1n) === 1n,
  };
};

const logic = (result: bigint): Alu => ({ result, carry: false, adjust: false, overflow: false });

const evaluate = (
  mnemonic: string,
  a: bigint,
  b: bigint,
  flags: number,
  size: number,
): Alu | undefined => {
  const carry = BigInt(flags & CF);
  switch (mnemonic) {
    case 'ADD':
      return add(a, b, 0n, size);
    case 'ADC':
      return add(a, b, carry, size);
    case 'SUB':
    case 'CMP':
      return subtract(a, b, 0n, size);
    case 'SBB':
      return subtract(a, b, carry, size);
    case 'AND':
    case 'TEST':
      return logic(a & b);
    case 'OR':
      return logic(a | b);
    case 'XOR':
      return logic(a ^ b);
    default:
      return undefined;
  }
};

const parityEven = (byte: bigint): boolean => {
  let bits = Number(byte & 0xffn);
  bits ^= bits >> 4;
  bits ^= bits >> 2;
  bits ^= bits >> 1;
  return (bits & 1) === 0;
};

/** First and last register of each class as iced numbers them (ModRM order), the GPR the first stands for, shift, width. */
const CLASSES: readonly (readonly [number, number, number, bigint, number])[] = [
  [Register.RAX, Register.R15, 0, 0n, 64],
  [Register.EAX, Register.R15D, 0, 0n, 32],
  [Register.AX, Register.R15W, 0, 0n, 16],
  [Register.AH, Register.BH, 0, 8n, 8],
  [Register.SPL, Register.R15L, 4, 0n, 8],
  [Register.AL, Register.BL, 0, 0n, 8],
];

const readRegister = (register: number, gpr: BigUint64Array): bigint => {
  for (const [first, last, base, shift, width] of CLASSES) {
    if (register < first || register > last) continue;
    return ((gpr[register - first + base] ?? 0n) >> shift) & mask(width);
  }
  throw new Error(`iced register ${register} is no general register`);
};

const MODELLED = new Set(['ADD', 'ADC', 'SUB', 'CMP', 'SBB', 'AND', 'TEST', 'OR', 'XOR']);

const check = ({ testCase, outcome }: Vector): boolean => {
  const { mnemonic, size, mode } = testCase.form;
  if (!MODELLED.has(mnemonic)) return false;
  const decoder = new Decoder(mode, testCase.code, DecoderOptions.None);
  const instruction = decoder.decode();
  try {
    if (
      instruction.code === Code.INVALID ||
      instruction.opCount !== 2 ||
      instruction.op0Kind !== OpKind.Register
    )
      return false;
    const gpr = testCase.initial.gpr;
    const a = readRegister(instruction.op0Register, gpr);
    const b =
      instruction.op1Kind === OpKind.Register
        ? readRegister(instruction.op1Register, gpr)
        : instruction.op1Kind === OpKind.Memory
          ? undefined
          : instruction.immediate(1) & mask(size);
    if (b === undefined) return false;
    const alu = evaluate(mnemonic, a, b, testCase.initial.rflags, size);
    if (alu === undefined) return false;
    const flags =
      (alu.carry ? CF : 0) |
      (parityEven(alu.result) ? PF : 0) |
      (alu.adjust ? AF : 0) |
      (alu.result === 0n ? ZF : 0) |
      (((alu.result >> BigInt(size - 1)) & 1n) === 1n ? SF : 0) |
      (alu.overflow ? OF : 0);
    const compared = (CF | PF | AF | ZF | SF | OF) & ~undefinedFlags(testCase, undefined);
    const what = `${Mnemonic[instruction.mnemonic] ?? ''} ${testCase.form.label} seed ${testCase.seed}`;
    expect(outcome.final.rflags & compared, `flags of ${what}`).toBe(flags & compared);
    const expected = mnemonic === 'CMP' || mnemonic === 'TEST' ? a : alu.result;
    expect(readRegister(instruction.op0Register, outcome.final.gpr), `result of ${what}`).toBe(
      expected,
    );
    expect(outcome.final.rip).toBe(testCase.initial.rip + BigInt(testCase.code.length));
    return true;
  } finally {
    instruction.free();
    decoder.free();
  }
};

test.each(['integer', 'compat32'])(
  'recorded %s vectors agree with arithmetic done here',
  (family) => {
    let checked = 0;
    for (const vector of readFamily(family)) {
      if (vector.outcome.fault === undefined && check(vector)) checked++;
    }
    expect(checked).toBeGreaterThan(family === 'integer' ? 2000 : 500);
  },
);
