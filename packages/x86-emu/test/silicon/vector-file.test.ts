/** The file format: what is written comes back, and damage is noticed. */
import { brotliCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { CaseForm, CpuOutcome } from './cpu-case.ts';
import { cloneState } from './cpu-case.ts';
import { CODE_BASE, CODE_OFFSET } from './layout.ts';
import { seededOperand, seededState } from './seeded-state.ts';
import type { Vector } from './vector-file.ts';
import { decodeVectors, encodeVectors } from './vector-file.ts';

const form: CaseForm = {
  mnemonic: 'ADD',
  label: '01 /r  Ev,Gv reg 64',
  mode: 64,
  kind: 'int',
  size: 64,
};

const vector = (
  seed: number,
  change: (v: { -readonly [K in keyof CpuOutcome]: CpuOutcome[K] }) => void,
): Vector => {
  const initial = seededState(64, 'int', seed);
  const outcome = { final: cloneState(initial), memory: [], fault: undefined };
  change(outcome);
  const code = Uint8Array.from([0x48, 0x01, 0xc8]);
  return {
    testCase: { form, seed, code, codeOffset: CODE_OFFSET, step: 'trap', initial, memory: [] },
    outcome,
  };
};

const samples = (): Vector[] => {
  const moved = vector(2 ** 32 - 1, (o) => {
    o.final.rip += 3n;
    o.final.gpr[0] = 0xffff_ffff_ffff_ffffn;
    o.final.rflags ^= 0x8d5;
    o.final.fx[24] = 1;
    o.final.fx[160] = 7;
    o.final.fx[287] = 9;
    o.final.fx[47] = 1;
    o.final.segments[4] = 0x2b;
    o.final.fsBase = 0x7fff_ffff_ffffn;
  });
  const faulted = vector(5, (o) => {
    o.fault = { vector: 14, errorCode: 7, address: 0x1000_2000n };
    o.memory = [{ offset: 0x1fff, bytes: Uint8Array.of(1) }];
  });
  const elsewhere = {
    ...faulted,
    testCase: {
      ...faulted.testCase,
      step: 'int3' as const,
      codeOffset: 0xffe,
      initial: { ...cloneState(faulted.testCase.initial), rip: BigInt(CODE_BASE + 0xffe) },
      memory: [
        { offset: 3, bytes: seededOperand('int', 5, 10) },
        { offset: 40, bytes: Uint8Array.of(9, 8) },
      ],
    },
  };
  return [moved, faulted, elsewhere];
};

test('vectors come back as they were written', () => {
  const written = samples();
  expect([...decodeVectors(encodeVectors(written))]).toEqual(written);
});

test('a seeded state is the same each time and stays inside its mode', () => {
  expect(seededState(32, 'x87', 77)).toEqual(seededState(32, 'x87', 77));
  const { gpr } = seededState(16, 'int', 77);
  expect(gpr.every((x, i) => (i < 8 ? x < 2n ** 32n : x === 0n))).toBe(true);
});

test('an unknown version, a short file and a long one are refused', () => {
  expect(() => [...decodeVectors(brotliCompressSync(Uint8Array.of(99)))]).toThrow(
    'version 99, expected',
  );
  expect(() => [...decodeVectors(brotliCompressSync(Uint8Array.of(1, 1)))]).toThrow('ends early');
  expect(() => [...decodeVectors(brotliCompressSync(Uint8Array.of(1, 0, 5)))]).toThrow(
    'bytes behind its end',
  );
});
