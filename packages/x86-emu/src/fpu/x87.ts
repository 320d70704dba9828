/** The D8…DF map and FWAIT: decodes an x87 instruction and runs it on the state. */

import {
  arithmeticMemory,
  arithmeticRegisters,
  changeSign,
  extract,
  partialRemainder,
  roundToInteger,
  scale,
  squareRoot,
} from './x87-arithmetic.ts';
import {
  compareMemory,
  compareRegister,
  compareToFlags,
  examine,
  testZero,
} from './x87-compare.ts';
import { X87_OUTCOME } from './x87-context.ts';
import type { X87Context, X87Memory, X87Outcome } from './x87-context.ts';
import {
  clearExceptions,
  freeRegister,
  loadControl,
  rotateStack,
  statusToAx,
  storeControl,
  storeStatus,
} from './x87-control.ts';
import {
  environmentSize,
  loadEnvironment,
  restoreState,
  saveState,
  stateSize,
  storeEnvironment,
} from './x87-environment.ts';
import {
  exchange,
  loadConstant,
  loadDecimal,
  loadExtended,
  loadNumber,
  loadRegister,
  moveIf,
  storeDecimal,
  storeExtended,
  storeFloat,
  storeInteger,
  storeRegister,
  storeUnchecked,
} from './x87-load-store.ts';
import { MEMORY_FORMAT } from './x87-operand.ts';
import { FSW, X87_LAYOUT, initializeX87, pop, readFsw } from './x87-state.ts';
import type { X87State } from './x87-state.ts';
import {
  arctangent,
  cosine,
  exponential,
  logarithm,
  logarithmPlusOne,
  sine,
  sineCosine,
  tangent,
} from './x87-transcendental.ts';

/** How an instruction treats a pending exception and the last-instruction pointers. */
const KIND_OF = {
  /** Waits for pending exceptions and records itself in FOP, FIP and FDP. */
  numeric: 0,
  /** Waits, but leaves the pointers: FLDCW, FLDENV, FRSTOR. */
  control: 1,
  /** Neither: the FN forms. */
  immediate: 2,
} as const;
type Kind = (typeof KIND_OF)[keyof typeof KIND_OF];

/** DB E0…E4 (FENI, FDISI, FNCLEX, FNINIT, FSETPM) and DF E0 (FNSTSW AX) do not wait. */
const isImmediate = (opcode: number, modrm: number): boolean =>
  (opcode === 0xdb && modrm >= 0xe0 && modrm <= 0xe4) || (opcode === 0xdf && modrm === 0xe0);

/** FUCOMI, FCOMI and their popping forms write EFLAGS. */
const isFlagCompare = (opcode: number, modrm: number): boolean =>
  (opcode === 0xdb || opcode === 0xdf) && modrm >= 0xe8 && modrm <= 0xf7;

type MemoryHandler = (s: X87State, memory: X87Memory, context: X87Context) => void;

/** An instruction with a memory operand. */
interface MemoryForm {
  readonly run: MemoryHandler;
  readonly access: 'read' | 'write';
  /** Bytes of the operand; an image of the state has as many as the operand size says. */
  readonly size: 2 | 4 | 8 | 10 | ((context: X87Context) => number);
  readonly kind: Kind;
}

const { single, double, int16, int32, int64 } = MEMORY_FORMAT;
const { numeric, control, immediate } = KIND_OF;

const reads = (size: MemoryForm['size'], run: MemoryHandler, kind: Kind = numeric): MemoryForm => ({
  run,
  access: 'read',
  size,
  kind,
});

const writes = (
  size: MemoryForm['size'],
  run: MemoryHandler,
  kind: Kind = numeric,
): MemoryForm => ({ run, access: 'write', size, kind });

/** The eight arithmetic and comparing instructions of D8, DA, DC and DE with a memory operand. */
const arithmeticRow = (
  size: 2 | 4 | 8,
  format: (typeof MEMORY_FORMAT)[keyof typeof MEMORY_FORMAT],
): MemoryForm[] =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((op): MemoryForm => {
    if (op === 2 || op === 3) return reads(size, (s, m) => compareMemory(s, m, format, op === 3));
    return reads(size, (s, m) => arithmeticMemory(s, op, m, format));
  });

/** Memory forms by opcode − D8 and reg field; undefined is #UD. */
const MEMORY_FORMS: readonly (readonly (MemoryForm | undefined)[])[] = [
  arithmeticRow(4, single),
  [
    reads(4, (s, m) => loadNumber(s, m, single)),
    undefined,
    writes(4, (s, m) => storeFloat(s, m, true, false)),
    writes(4, (s, m) => storeFloat(s, m, true, true)),
    reads(environmentSize, (s, m, context) => loadEnvironment(s, context, m), control),
    reads(2, loadControl, control),
    writes(environmentSize, (s, m, context) => storeEnvironment(s, context, m), immediate),
    writes(2, storeControl, immediate),
  ],
  arithmeticRow(4, int32),
  [
    reads(4, (s, m) => loadNumber(s, m, int32)),
    writes(4, (s, m) => storeInteger(s, m, int32, true, true)),
    writes(4, (s, m) => storeInteger(s, m, int32, false, false)),
    writes(4, (s, m) => storeInteger(s, m, int32, true, false)),
    undefined,
    reads(10, loadExtended),
    undefined,
    writes(10, storeExtended),
  ],
  arithmeticRow(8, double),
  [
    reads(8, (s, m) => loadNumber(s, m, double)),
    writes(8, (s, m) => storeInteger(s, m, int64, true, true)),
    writes(8, (s, m) => storeFloat(s, m, false, false)),
    writes(8, (s, m) => storeFloat(s, m, false, true)),
    reads(stateSize, (s, m, context) => restoreState(s, context, m), control),
    undefined,
    writes(stateSize, (s, m, context) => saveState(s, context, m), immediate),
    writes(2, storeStatus, immediate),
  ],
  arithmeticRow(2, int16),
  [
    reads(2, (s, m) => loadNumber(s, m, int16)),
    writes(2, (s, m) => storeInteger(s, m, int16, true, true)),
    writes(2, (s, m) => storeInteger(s, m, int16, false, false)),
    writes(2, (s, m) => storeInteger(s, m, int16, true, false)),
    reads(10, loadDecimal),
    reads(8, (s, m) => loadNumber(s, m, int64)),
    writes(10, storeDecimal),
    writes(8, (s, m) => storeInteger(s, m, int64, true, false)),
  ],
];

/** Probes the operand: an image is accessed piece by piece, its first field first, then (AMD) its last byte. */
function probeOperand({ size, access }: MemoryForm, context: X87Context, memory: X87Memory): void {
  if (typeof size === 'function') memory.probe(size(context), context.operand16 ? 2 : 4, access);
  else memory.probe(size, size === 10 ? 8 : size, access);
}

type RegisterHandler = (s: X87State, i: number, context: X87Context) => void;

type PlainHandler = (s: X87State) => void;

const nothing: PlainHandler = () => undefined;

/** Handlers of register forms by opcode − D8 and bits 5:3 of ModRM, where all eight registers act alike. */
const REGISTER_FORMS: readonly (readonly (RegisterHandler | undefined)[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7].map((op): RegisterHandler => {
    if (op === 2 || op === 3) return (s, i) => compareRegister(s, i, false, op - 2);
    return (s, i) => arithmeticRegisters(s, op, 0, i, false);
  }),
  [loadRegister, exchange, nothing, storeUnchecked],
  [0, 1, 2, 3].map(
    (condition): RegisterHandler =>
      (s, i, context) =>
        moveIf(s, i, condition, false, context),
  ),
  [
    ...[0, 1, 2, 3].map(
      (condition): RegisterHandler =>
        (s, i, context) =>
          moveIf(s, i, condition, true, context),
    ),
    undefined,
    (s, i, context) => compareToFlags(s, i, true, false, context),
    (s, i, context) => compareToFlags(s, i, false, false, context),
  ],
  [0, 1, 2, 3, 4, 5, 6, 7].map((op): RegisterHandler => {
    if (op === 2 || op === 3) return (s, i) => compareRegister(s, i, false, op - 2);
    // DC and DE name subtraction and division from the destination's side: reversed and plain are exchanged.
    return (s, i) => arithmeticRegisters(s, op < 4 ? op : op ^ 1, i, 0, false);
  }),
  [
    freeRegister,
    exchange,
    (s, i) => storeRegister(s, i, false),
    (s, i) => storeRegister(s, i, true),
    (s, i) => compareRegister(s, i, true, 0),
    (s, i) => compareRegister(s, i, true, 1),
  ],
  [0, 1, 2, 3, 4, 5, 6, 7].map((op): RegisterHandler | undefined => {
    if (op === 2) return (s, i) => compareRegister(s, i, false, 1);
    if (op === 3) return undefined;
    return (s, i) => arithmeticRegisters(s, op < 4 ? op : op ^ 1, i, 0, true);
  }),
  [
    (s, i) => {
      freeRegister(s, i);
      pop(s);
    },
    exchange,
    (s, i) => storeRegister(s, i, true),
    (s, i) => storeRegister(s, i, true),
    undefined,
    (s, i, context) => compareToFlags(s, i, true, true, context),
    (s, i, context) => compareToFlags(s, i, false, true, context),
  ],
];

/** D9 E0…FF, instructions on ST(0) and ST(1). */
const PLAIN_D9: readonly (PlainHandler | undefined)[] = [
  (s) => changeSign(s, true),
  (s) => changeSign(s, false),
  undefined,
  undefined,
  testZero,
  examine,
  undefined,
  undefined,
  ...[0, 1, 2, 3, 4, 5, 6].map(
    (index): PlainHandler =>
      (s) =>
        loadConstant(s, index),
  ),
  undefined,
  exponential,
  logarithm,
  tangent,
  arctangent,
  extract,
  (s) => partialRemainder(s, true),
  (s) => rotateStack(s, -1),
  (s) => rotateStack(s, 1),
  (s) => partialRemainder(s, false),
  logarithmPlusOne,
  squareRoot,
  sineCosine,
  roundToInteger,
  scale,
  sine,
  cosine,
];

/** Handlers of single encodings; FENI, FDISI and FSETPM of older processors do nothing. */
const PLAIN: ReadonlyMap<number, PlainHandler> = new Map<number, PlainHandler>([
  ...PLAIN_D9.flatMap((handler, i): [number, PlainHandler][] =>
    handler === undefined ? [] : [[0xd9e0 + i, handler]],
  ),
  [0xdae9, (s) => compareRegister(s, 1, true, 2)],
  [0xded9, (s) => compareRegister(s, 1, false, 2)],
  [0xdbe0, nothing],
  [0xdbe1, nothing],
  [0xdbe2, clearExceptions],
  [0xdbe3, initializeX87],
  [0xdbe4, nothing],
]);

function recordInstruction(
  s: X87State,
  context: X87Context,
  opcode: number,
  modrm: number,
  hasOperand: boolean,
): void {
  const { view, base } = s;
  view.setUint16(base + X87_LAYOUT.fop, ((opcode & 7) << 8) | modrm, true);
  view.setUint32(base + X87_LAYOUT.fip, context.ipLow, true);
  view.setUint32(base + X87_LAYOUT.fip + 4, context.ipHigh, true);
  view.setUint16(base + X87_LAYOUT.fcs, context.cs, true);
  if (!hasOperand) return;
  view.setUint32(base + X87_LAYOUT.fdp, context.dataLow, true);
  view.setUint32(base + X87_LAYOUT.fdp + 4, context.dataHigh, true);
  view.setUint16(base + X87_LAYOUT.fds, context.ds, true);
}

/** FWAIT: only looks for a pending exception. */
export const executeFwait = (s: X87State): X87Outcome =>
  (readFsw(s) & FSW.summary) === 0 ? X87_OUTCOME.done : X87_OUTCOME.pending;

function executeMemory(
  s: X87State,
  context: X87Context,
  opcode: number,
  modrm: number,
  memory: X87Memory,
): X87Outcome {
  const form = MEMORY_FORMS[opcode - 0xd8]?.[(modrm >>> 3) & 7];
  if (form === undefined) return X87_OUTCOME.undefined;
  if (form.kind !== immediate && executeFwait(s) !== X87_OUTCOME.done) return X87_OUTCOME.pending;
  probeOperand(form, context, memory);
  form.run(s, memory, context);
  if (form.kind === numeric) recordInstruction(s, context, opcode, modrm, true);
  return X87_OUTCOME.done;
}

/**
 * Runs the x87 instruction of `opcode` (D8…DF) and `modrm`. The caller has checked CR0.EM and TS (#NM) and computed the operand's address.
 * Faults thrown by `memory` leave the state as it was.
 */
export function executeX87(
  s: X87State,
  context: X87Context,
  opcode: number,
  modrm: number,
  memory: X87Memory,
): X87Outcome {
  if (modrm < 0xc0) return executeMemory(s, context, opcode, modrm, memory);
  const plain = PLAIN.get((opcode << 8) | modrm);
  const handler = REGISTER_FORMS[opcode - 0xd8]?.[(modrm >>> 3) & 7];
  const status = opcode === 0xdf && modrm === 0xe0;
  if (plain === undefined && handler === undefined && !status) return X87_OUTCOME.undefined;
  if (opcode === 0xd9 && modrm > 0xd0 && modrm < 0xd8) return X87_OUTCOME.undefined;
  if (isImmediate(opcode, modrm)) {
    plain?.(s);
    if (!status) return X87_OUTCOME.done;
    statusToAx(s, context);
    return X87_OUTCOME.ax;
  }
  if (executeFwait(s) !== X87_OUTCOME.done) return X87_OUTCOME.pending;
  if (plain === undefined) handler?.(s, modrm & 7, context);
  else plain(s);
  recordInstruction(s, context, opcode, modrm, false);
  return isFlagCompare(opcode, modrm) ? X87_OUTCOME.flags : X87_OUTCOME.done;
}
