/** Functions that staged code calls: declared once, defined by the core module (`core-module.ts`) or by TypeScript (`Imports`). */
import type { QuickPath } from '../isa/row.ts';
import type { Callee } from '../wasm/code.ts';
import type { ValType } from '../wasm/expr.ts';

export interface Signature {
  readonly params: readonly ValType[];
  readonly result: ValType | undefined;
}

export type RuntimeName =
  | 'load8'
  | 'load16'
  | 'load32'
  | 'load64'
  | 'loadVector'
  | 'store8'
  | 'store16'
  | 'store32'
  | 'store64'
  | 'storeVector'
  | 'prepareModify'
  | 'segmentLinear'
  | 'raise'
  | 'statusFlags'
  | 'carryFlag'
  | 'lookup'
  | 'resolve'
  | QuickPath;

export type ImportName =
  | 'helper'
  | 'readIo'
  | 'writeIo'
  | 'codeWritten'
  | 'watchedAccess'
  | 'debugAccess'
  | 'segmentCheck'
  | 'slowPath'
  | 'announce';

const load = (result: ValType): Signature => ({ params: ['i64'], result });
const store = (value: ValType): Signature => ({ params: ['i64', value], result: undefined });

/** The instruction's record: the next record, or one of `QUICK`. */
const QUICK_PATH: Signature = { params: ['i32'], result: 'i32' };

/** Exports of the core module. Guest addresses are linear addresses (i64). A fault sets `unwind`. */
export const RUNTIME: Readonly<Record<RuntimeName, Signature>> = {
  load8: load('i32'),
  load16: load('i32'),
  load32: load('i32'),
  load64: load('i64'),
  loadVector: load('v128'),
  store8: store('i32'),
  store16: store('i32'),
  store32: store('i32'),
  store64: store('i64'),
  storeVector: store('v128'),
  /** Address and byte count: host address if the location may be modified in place, 1 if it may be written only through `store`, 0 on a fault. */
  prepareModify: { params: ['i64', 'i32'], result: 'i32' },
  /** Segment number, offset, byte count, 1 for a write: linear address; 16- and 32-bit code. */
  segmentLinear: { params: ['i32', 'i64', 'i32', 'i32'], result: 'i64' },
  /** Raises a fault: vector, error code, 1 if it has one. */
  raise: { params: ['i32', 'i32', 'i32'], result: undefined },
  /** Status flags in EFLAGS layout, from their lazy form. */
  statusFlags: { params: [], result: 'i32' },
  /** CF from its lazy form. */
  carryFlag: { params: [], result: 'i32' },
  /** Record for a RIP: its address, or 0 with `exitReason` and `rip` set. */
  lookup: { params: ['i64'], result: 'i32' },
  /** The same for a direct branch, whose record keeps the answer. */
  resolve: { params: ['i64', 'i32'], result: 'i32' },
  quickInterrupt: QUICK_PATH,
  quickReturn: QUICK_PATH,
  quickReadControl: QUICK_PATH,
  quickWriteControl: QUICK_PATH,
};

/** Functions that TypeScript gives to WebAssembly. */
export const IMPORTS: Readonly<Record<ImportName, Signature>> = {
  /** Helper number and record: next record, or 0 to leave. */
  helper: { params: ['i32', 'i32'], result: 'i32' },
  /** Byte count; the physical address is in `slowAddress`. Low 32 bits; high ones in `slowHigh`. */
  readIo: { params: ['i32'], result: 'i32' },
  /** Byte count; value in `slowLow`, `slowHigh`. */
  writeIo: { params: ['i32'], result: undefined },
  /** A store to `slowAddress` of this many bytes hits decoded code. */
  codeWritten: { params: ['i32'], result: undefined },
  /** A watched page is accessed at `slowAddress`: byte count, 1 for a write. */
  watchedAccess: { params: ['i32', 'i32'], result: undefined },
  /** Data breakpoints are armed and `slowAddress` (linear) is accessed: byte count, 1 for a write. */
  debugAccess: { params: ['i32', 'i32'], result: undefined },
  /** Full segment check for what the fast check did not allow: segment, byte count, write; offset in and linear address out by `slowAddress`. */
  segmentCheck: { params: ['i32', 'i32', 'i32'], result: undefined },
  /** Slow path number and up to three arguments. */
  slowPath: { params: ['i32', 'i32', 'i32', 'i32'], result: 'i32' },
  /** The exception that the state describes is about to be delivered: 1 to stop instead. */
  announce: { params: [], result: 'i32' },
};

/** What a function body under construction can call. */
export type Callees = Readonly<Record<RuntimeName, Callee>> &
  Readonly<Record<'slowPath' | 'helper', Callee>>;
