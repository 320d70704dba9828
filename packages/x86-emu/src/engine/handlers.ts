/** Numbers handlers, and builds those outside the dispatch loop when the decoder first meets their shape. */
import type { DecodeEntry } from '../decode/decode-table.ts';
import type { Decoder } from '../decode/decoder.ts';
import type { CodeMode } from '../isa/emit.ts';
import { ModuleBuilder } from '../wasm/module.ts';
import type { Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import { importRuntime } from './core-module.ts';
import { QUICK } from './core-transfer.ts';
import { FIRST_HOT, HELPER_BASE, coldHandler } from './dispatch-loop.ts';
import { loadField32 } from './paging.ts';
import { RecordEmit } from './record-emit.ts';
import type { Callees } from './runtime-functions.ts';
import { shapeKey, shapeOf, shapeVariant } from './shape.ts';
import type { InstructionShape } from './shape.ts';

/** Compiled handler modules by shape key; shared by all machines of the process, for they hold no state. */
const compiled = new Map<string, WebAssembly.Module>();

const EXPORT = 'handler';

/** Builds a handler: record → next record. */
type Build = (c: Code, callees: Callees) => void;

const compile = (key: string, build: Build): WebAssembly.Module => {
  const known = compiled.get(key);
  if (known) return known;
  const module = new ModuleBuilder('handler');
  const callees = importRuntime(module);
  const { body: c } = module.function(['i32'], 'i32', EXPORT);
  build(c, callees);
  const result = new WebAssembly.Module(module.finish());
  compiled.set(key, result);
  return result;
};

export class Handlers {
  readonly #numbers = new Map<string, number>();
  /** The same by decode entry and variant. */
  readonly #variants = new Map<DecodeEntry, Map<number, number>>();
  readonly #helpers: InstructionShape[] = [];
  readonly #hotCount: number;
  readonly #table: WebAssembly.Table;
  /** What handler modules, and translated blocks, import. */
  readonly imports: WebAssembly.Imports;
  #cold = 0;
  /** Table entries of dropped regions, free for new ones. */
  readonly #free: number[] = [];

  /** `hot` are the shape keys of the dispatch loop's inline handlers, in their order. */
  constructor(hot: readonly string[], table: WebAssembly.Table, imports: WebAssembly.Imports) {
    hot.forEach((key, i) => this.#numbers.set(key, FIRST_HOT + i));
    this.#hotCount = hot.length;
    this.#table = table;
    this.imports = imports;
  }

  /** The handler of a decoded instruction. */
  number(decoded: Decoder, mode: CodeMode): number {
    let variants = this.#variants.get(decoded.entry);
    if (!variants) this.#variants.set(decoded.entry, (variants = new Map()));
    const variant = shapeVariant(decoded, mode);
    let number = variants.get(variant);
    if (number === undefined) variants.set(variant, (number = this.#numberByKey(decoded, mode)));
    return number;
  }

  #numberByKey(decoded: Decoder, mode: CodeMode): number {
    const key = shapeKey(decoded, mode);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const shape = shapeOf(decoded, mode);
    const number = shape.row.run ? this.#addHelper(key, shape) : this.#addCold(key, shape);
    this.#numbers.set(key, number);
    return number;
  }

  /** The shape of helper `index` (handler number less HELPER_BASE). */
  helper(index: number): InstructionShape {
    const shape = this.#helpers[index];
    if (!shape) throw new Error(`no helper has the number ${index}`);
    return shape;
  }

  #addHelper(key: string, shape: InstructionShape): number {
    const helper = this.#helpers.push(shape) - 1;
    const { row, mode, operandSize } = shape;
    const quick = row.run ? row.quick : undefined;
    if (quick === undefined || mode !== 'long') return HELPER_BASE + helper;
    if (quick === 'quickReturn' && operandSize !== 64) return HELPER_BASE + helper;
    return this.#addInstance(`${key}=${helper}`, (c, callees) => {
      const record = c.param(0, 'i32');
      const next = c.letCall('i32', callees[quick], record);
      c.if(e.gtU(next, QUICK.leave), () => c.return(next));
      c.if(next, () => c.return(e.i32(0)));
      c.return(c.letCall('i32', callees.helper, e.i32(helper), record));
    });
  }

  #addCold(key: string, shape: InstructionShape): number {
    return this.#addInstance(key, (c, callees) =>
      new RecordEmit(c, shape, callees, {
        record: c.param(0, 'i32'),
        tlb: () => loadField32(c, 'tlb'),
        // The dispatch loop has stored record and count before the call.
        synchronise: () => {},
        resume: () => {},
        next: (record) => c.return(record),
      }).build(),
    );
  }

  #addInstance(key: string, build: Build): number {
    const instance = new WebAssembly.Instance(compile(key, build), this.imports);
    const number = this.reserve();
    this.replace(number, instance.exports[EXPORT] as () => number);
    return number;
  }

  /** A number whose function, of the handlers' type, comes by `replace`: a region's entry. */
  reserve(): number {
    const index = this.#free.pop() ?? this.#cold++;
    if (index >= this.#table.length) this.#table.grow(256);
    return coldHandler(this.#hotCount, index);
  }

  /** Puts a function behind a number. */
  replace(number: number, handler: () => number): void {
    this.#table.set(this.#indexOf(number), handler);
  }

  /** Takes back a number that `reserve` gave. */
  remove(number: number): void {
    const index = this.#indexOf(number);
    this.#table.set(index, null);
    this.#free.push(index);
  }

  #indexOf(number: number): number {
    return number - coldHandler(this.#hotCount, 0);
  }
}
