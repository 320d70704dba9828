/** Statements of one WebAssembly function body: locals, structured control flow, memory access, calls. */
import { ByteWriter } from './byte-writer.ts';
import { emitExpr, i32, localExpr } from './expr.ts';
import type { Expr, I32, V128, ValType } from './expr.ts';
import {
  BLOCK,
  BR,
  BR_IF,
  BR_TABLE,
  CALL,
  CALL_INDIRECT,
  DROP,
  ELSE,
  EMPTY_BLOCK,
  END,
  IF,
  LOAD,
  LOCAL_SET,
  LOOP,
  MEMORY_COPY,
  MEMORY_FILL,
  PREFIX_NUMERIC,
  PREFIX_SIMD,
  RETURN,
  STORE,
  UNREACHABLE,
  V128_LOAD,
  V128_STORE,
  VALUE_TYPE,
} from './opcode.ts';
import type { Load, Store } from './opcode.ts';

/** A function that code can call: its index in the module and its type. */
export interface Callee {
  readonly index: number;
  readonly params: readonly ValType[];
  readonly result: ValType | undefined;
}

/** A mutable local. Reading it gives a value that is only good until the next `set`: bind it with `let` if it must last. */
export interface Variable<T extends ValType = ValType> {
  readonly type: T;
  readonly index: number;
}

/** A branch target: the nesting depth at which its block was opened. */
export interface Label {
  readonly depth: number;
}

export class Code {
  readonly params: readonly ValType[];
  readonly result: ValType | undefined;
  #out = new ByteWriter();
  readonly #head = new ByteWriter();
  readonly #locals: ValType[] = [];
  readonly #free: Record<ValType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  #scope: { readonly type: ValType; readonly index: number }[] = [];
  #depth = 0;

  constructor(params: readonly ValType[], result: ValType | undefined) {
    this.params = params;
    this.result = result;
  }

  /** Parameter `index` as an immutable value. */
  param<T extends ValType>(index: number, type: T): Expr<T> {
    if (this.params[index] !== type) throw new TypeError(`parameter ${index} is not ${type}`);
    return localExpr(type, index);
  }

  /** How many blocks are open here. */
  get depth(): number {
    return this.#depth;
  }

  /** Emits what `body` builds at the start of the function, before everything emitted so far. */
  atEntry(body: () => void): void {
    const out = this.#out;
    this.#out = this.#head;
    body();
    this.#out = out;
  }

  /** Size of the body so far, in bytes. */
  get length(): number {
    return this.#out.length;
  }

  /** Evaluates the expression here, once, and gives the value as a local. Constants and locals stay as they are. */
  let<T extends ValType>(expr: Expr<T>): Expr<T> {
    if (expr.constant !== undefined || expr.local >= 0) return expr;
    const index = this.#allocate(expr.type);
    emitExpr(expr, this.#out);
    this.#out.byte(LOCAL_SET);
    this.#out.u32(index);
    return localExpr(expr.type, index);
  }

  variable<T extends ValType>(type: T, initial?: Expr<T>): Variable<T> {
    const variable = { type, index: this.#allocate(type) };
    if (initial) this.set(variable, initial);
    return variable;
  }

  /** A variable that outlives the scopes that are open. */
  lasting<T extends ValType>(type: T): Variable<T> {
    return { type, index: this.params.length + this.#locals.push(type) - 1 };
  }

  set<T extends ValType>(variable: Variable<T>, value: Expr<T>): void {
    if (variable.type !== value.type) throw new TypeError(`set ${variable.type} = ${value.type}`);
    emitExpr(value, this.#out);
    this.#out.byte(LOCAL_SET);
    this.#out.u32(variable.index);
  }

  /** The variable's present value; see `Variable`. */
  get<T extends ValType>(variable: Variable<T>): Expr<T> {
    return localExpr(variable.type, variable.index);
  }

  /** Copies the variable's present value into a local of its own. */
  snapshot<T extends ValType>(variable: Variable<T>): Expr<T> {
    const copy = this.variable(variable.type, this.get(variable));
    return localExpr(copy.type, copy.index);
  }

  /** Locals bound inside `body` are given back for reuse when it ends. */
  scope(body: () => void): void {
    const outer = this.#scope;
    this.#scope = [];
    body();
    for (const { type, index } of this.#scope) this.#free[type].push(index);
    this.#scope = outer;
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    if (condition.constant !== undefined) {
      if (condition.constant !== 0) then();
      else otherwise?.();
      return;
    }
    emitExpr(condition, this.#out);
    this.#out.bytes([IF, EMPTY_BLOCK]);
    this.#depth++;
    then();
    if (otherwise) {
      this.#out.byte(ELSE);
      otherwise();
    }
    this.#depth--;
    this.#out.byte(END);
  }

  /** A block whose label ends it. */
  block(body: (end: Label) => void): void {
    this.#structured(BLOCK, body);
  }

  /** A block whose label starts it again. */
  loop(body: (again: Label) => void): void {
    this.#structured(LOOP, body);
  }

  br(label: Label): void {
    this.#out.byte(BR);
    this.#out.u32(this.#depth - label.depth);
  }

  brIf(condition: I32, label: Label): void {
    if (condition.constant === 0) return;
    if (condition.constant !== undefined) {
      this.br(label);
      return;
    }
    emitExpr(condition, this.#out);
    this.#out.byte(BR_IF);
    this.#out.u32(this.#depth - label.depth);
  }

  brTable(index: I32, labels: readonly Label[], otherwise: Label): void {
    emitExpr(index, this.#out);
    this.#out.byte(BR_TABLE);
    this.#out.u32(labels.length);
    for (const label of labels) this.#out.u32(this.#depth - label.depth);
    this.#out.u32(this.#depth - otherwise.depth);
  }

  return(value?: Expr): void {
    if (value) emitExpr(value, this.#out);
    this.#out.byte(RETURN);
  }

  unreachable(): void {
    this.#out.byte(UNREACHABLE);
  }

  call(callee: Callee, ...args: readonly Expr[]): void {
    this.#call(callee, args);
    if (callee.result !== undefined) this.#out.byte(DROP);
  }

  /** Calls a function and binds its result. */
  letCall<T extends ValType>(type: T, callee: Callee, ...args: readonly Expr[]): Expr<T> {
    if (callee.result !== type) throw new TypeError(`call gives ${callee.result}, not ${type}`);
    this.#call(callee, args);
    return this.#bindTop(type);
  }

  /** Calls entry `index` of table 0, whose function has the type of index `typeIndex`, and binds its i32 result. */
  letCallIndirect(typeIndex: number, index: I32, ...args: readonly Expr[]): I32 {
    for (const arg of args) emitExpr(arg, this.#out);
    emitExpr(index, this.#out);
    this.#out.byte(CALL_INDIRECT);
    this.#out.u32(typeIndex);
    this.#out.u32(0);
    return this.#bindTop('i32');
  }

  /** Reads linear memory at `address + offset` and binds the value. Never a guest address: see the engine's memory access. */
  load<N extends Load>(name: N, address: I32, offset = 0): Expr<(typeof LOAD)[N][1]> {
    emitExpr(address, this.#out);
    this.#out.bytes([LOAD[name][0], 0]);
    this.#out.u32(offset);
    return this.#bindTop(LOAD[name][1]);
  }

  loadV128(address: I32, offset = 0): V128 {
    emitExpr(address, this.#out);
    this.#out.bytes([PREFIX_SIMD, V128_LOAD, 0]);
    this.#out.u32(offset);
    return this.#bindTop('v128');
  }

  store(name: Store, address: I32, value: Expr, offset = 0): void {
    emitExpr(address, this.#out);
    emitExpr(value, this.#out);
    this.#out.bytes([STORE[name], 0]);
    this.#out.u32(offset);
  }

  storeV128(address: I32, value: V128, offset = 0): void {
    emitExpr(address, this.#out);
    emitExpr(value, this.#out);
    this.#out.bytes([PREFIX_SIMD, V128_STORE, 0]);
    this.#out.u32(offset);
  }

  memoryCopy(target: I32, source: I32, length: I32): void {
    for (const e of [target, source, length]) emitExpr(e, this.#out);
    this.#out.bytes([PREFIX_NUMERIC, MEMORY_COPY, 0, 0]);
  }

  memoryFill(target: I32, value: I32, length: I32): void {
    for (const e of [target, value, length]) emitExpr(e, this.#out);
    this.#out.bytes([PREFIX_NUMERIC, MEMORY_FILL, 0]);
  }

  /** The finished body with its local declarations, as the code section wants it (without the size prefix). */
  finish(): Uint8Array {
    const out = new ByteWriter();
    const runs: [number, ValType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    out.u32(runs.length);
    for (const [count, type] of runs) {
      out.u32(count);
      out.byte(VALUE_TYPE[type]);
    }
    out.bytes(this.#head.view());
    out.bytes(this.#out.view());
    if (this.result !== undefined && this.result !== 'v128') {
      // Every path returns explicitly; this keeps the validator content where it cannot see that.
      out.byte(UNREACHABLE);
    }
    out.byte(END);
    return out.view();
  }

  #structured(opcode: number, body: (label: Label) => void): void {
    this.#out.bytes([opcode, EMPTY_BLOCK]);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#out.byte(END);
  }

  #call(callee: Callee, args: readonly Expr[]): void {
    if (args.length !== callee.params.length)
      throw new TypeError(`call with ${args.length} arguments, expected ${callee.params.length}`);
    args.forEach((arg, i) => {
      if (arg.type !== callee.params[i])
        throw new TypeError(`argument ${i} is ${arg.type}, expected ${callee.params[i]}`);
      emitExpr(arg, this.#out);
    });
    this.#out.byte(CALL);
    this.#out.u32(callee.index);
  }

  #bindTop<T extends ValType>(type: T): Expr<T> {
    const index = this.#allocate(type);
    this.#out.byte(LOCAL_SET);
    this.#out.u32(index);
    return localExpr(type, index);
  }

  #allocate(type: ValType): number {
    const index = this.#free[type].pop() ?? this.params.length + this.#locals.push(type) - 1;
    this.#scope.push({ type, index });
    return index;
  }
}

/** Address 0: for state at fixed places, which the store's constant offset reaches. */
export const BASE: I32 = i32(0);
