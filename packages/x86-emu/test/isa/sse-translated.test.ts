// The rows of the SSE families in both engines: translated code must leave what the interpreter leaves.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sseCryptoRows } from '../../src/isa/sse-crypto.ts';
import { sseCryptoShaRows } from '../../src/isa/sse-crypto-sha.ts';
import { sseFloatRows } from '../../src/isa/sse-float.ts';
import { sseFloatConvertRows } from '../../src/isa/sse-float-convert.ts';
import { sseStringRows } from '../../src/isa/sse-string.ts';
import type { Row } from '../../src/isa/row.ts';
import { CODE, DATA, createBareEngine, executeTranslated } from '../engine/bare-engine.ts';

type Bytes = readonly number[];
type Engine = ReturnType<typeof createBareEngine>;

const ROWS: readonly Row[] = [
  ...sseFloatRows,
  ...sseFloatConvertRows,
  ...sseStringRows,
  ...sseCryptoRows,
  ...sseCryptoShaRows,
];

/** Prefix and opcode bytes of a row, without REX. */
const encodingOf = (row: Row): { readonly prefix: Bytes; readonly opcode: Bytes } => {
  const bytes = row.op
    .split(' ')
    .filter((token) => /^[0-9A-F]{2}$/.test(token))
    .map((token) => Number.parseInt(token, 16));
  return row.op.startsWith('NP')
    ? { prefix: [], opcode: bytes }
    : { prefix: bytes.slice(0, 1), opcode: bytes.slice(1) };
};

/** Registers alone, or memory at [RBP + a multiple of 16]; RSP and RBP are no destinations. */
const instruction = fc
  .record({
    row: fc.constantFrom(...ROWS),
    reg: fc.constantFrom(0, 1, 2, 3, 6, 7),
    rm: fc.constantFrom(0, 1, 2, 3, 6, 7),
    inMemory: fc.boolean(),
    wide: fc.boolean(),
    displacement: fc.integer({ min: 0, max: 7 }),
    immediate: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ row, reg, rm, inMemory, wide, displacement, immediate }): Bytes => {
    const { prefix, opcode } = encodingOf(row);
    const kind = row.operands[1]?.[0];
    const memory = kind === 'M' || (inMemory && kind !== 'N');
    return [
      ...prefix,
      wide ? 0x48 : 0x40,
      ...opcode,
      ...(memory ? [0x45 | (reg << 3), displacement * 16] : [0xc0 | (reg << 3) | rm]),
      ...(row.operands[2] === 'Ib' ? [immediate] : []),
    ];
  });

/** Values that make the fast paths as well as the slow ones. */
const lane = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }).map(doubleBits) },
  { weight: 1, arbitrary: fc.double().map(doubleBits) },
  { weight: 2, arbitrary: fc.integer({ min: -1000, max: 1000 }).map(singlesBits) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) },
);

function doubleBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function singlesBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat32(0, value);
  view.setFloat32(4, value / 3);
  return view.getBigUint64(0);
}

const interpreter = createBareEngine();
const translator = createBareEngine();

const prepare = (
  engine: Engine,
  code: Uint8Array,
  lanes: readonly bigint[],
  mxcsr: number,
): void => {
  const { state } = engine;
  const data = new DataView(new ArrayBuffer(128));
  for (let i = 0; i < 16; i++) data.setBigUint64(i * 8, lanes[(i * 5) % lanes.length] ?? 0n, true);
  engine.physical.write(DATA, new Uint8Array(data.buffer));
  engine.physical.write(CODE, code);
  engine.code.drop(CODE / 4096);
  for (let n = 0; n < 16; n++) {
    state.setXmm(n, 0, lanes[(2 * n) % lanes.length] ?? 0n);
    state.setXmm(n, 1, lanes[(2 * n + 1) % lanes.length] ?? 0n);
    state.setGpr(n, BigInt.asUintN(64, (lanes[n % lanes.length] ?? 0n) >> 48n));
  }
  const { view, base } = state.x87;
  new Uint8Array(view.buffer, base, 256).fill(0);
  state.setGpr(5, BigInt(DATA));
  state.setBig('rip', BigInt(CODE));
  state.rflags = 2;
  state.set('mxcsr', mxcsr);
  state.set('unwind', 0);
  state.set('exitReason', 0);
};

const stateOf = ({ state }: Engine): unknown => ({
  registers: Array.from({ length: 16 }, (_, n) => state.gpr(n).toString(16)),
  vectors: Array.from({ length: 16 }, (_, n) => [
    state.xmm(n, 1).toString(16),
    state.xmm(n, 0).toString(16),
  ]),
  x87: [...new Uint8Array(state.x87.view.buffer, state.x87.base, 256)],
  rip: state.big('rip').toString(16),
  flags: state.rflags.toString(16),
  mxcsr: state.get('mxcsr').toString(16),
});

it('SSE rows do the same in both engines', { timeout: 120_000 }, () => {
  let translated = 0;
  fc.assert(
    fc.property(
      fc.array(instruction, { minLength: 1, maxLength: 8 }),
      fc.array(lane, { minLength: 33, maxLength: 33 }),
      // One in five with the exceptions unmasked.
      fc.constantFrom(0x1f80, 0x1fa0, 0x1fa0, 0x9fe0, 0x0020),
      (instructions, lanes, mxcsr) => {
        const code = Uint8Array.from([...instructions.flat(), 0xf4]);
        for (const engine of [interpreter, translator]) prepare(engine, code, lanes, mxcsr);
        translated += executeTranslated(translator, instructions.length);
        interpreter.execute(instructions.length);
        expect(stateOf(translator)).toEqual(stateOf(interpreter));
      },
    ),
    { numRuns: 600, seed: 2013 },
  );
  expect(translated).toBeGreaterThan(1500);
});
