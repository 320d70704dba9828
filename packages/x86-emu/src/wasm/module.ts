/** A WebAssembly module under construction: imports, functions, exports (core spec, section 5.5), and names for whoever looks at stacks (appendix 7.4.1). */
import { ByteWriter } from './byte-writer.ts';
import { Code } from './code.ts';
import type { Callee } from './code.ts';
import type { ValType } from './expr.ts';
import { VALUE_TYPE } from './opcode.ts';

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const CUSTOM_SECTION = 0;
/** Subsections of the name section. */
const NAMES = { module: 0, functions: 1 } as const;
const FUNCTION_TYPE = 0x60;
const FUNCREF = 0x70;

interface Definition {
  readonly type: number;
  readonly body: Code;
  readonly exported: string | undefined;
}

export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #typeBytes: number[][] = [];
  readonly #imports: { readonly name: string; readonly type: number }[] = [];
  readonly #functions: Definition[] = [];
  readonly #name: string;
  readonly #importTable: boolean;

  /** `name` is what profilers and stack traces call the module; `importTable`: it imports `env.table` for indirect calls. */
  constructor(name: string, options: { readonly importTable?: boolean } = {}) {
    this.#name = name;
    this.#importTable = options.importTable ?? false;
  }

  /** Index of a function type, shared by all functions of that type. */
  type(params: readonly ValType[], result: ValType | undefined): number {
    const key = `${params.join()}>${result ?? ''}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#typeBytes.push([
      FUNCTION_TYPE,
      params.length,
      ...params.map((p) => VALUE_TYPE[p]),
      ...(result ? [1, VALUE_TYPE[result]] : [0]),
    ]);
    return this.#types.push(key) - 1;
  }

  /** Declares the import `env.<name>`; all imports come before the first function. */
  import(name: string, params: readonly ValType[], result?: ValType): Callee {
    if (this.#functions.length > 0) throw new Error(`import ${name} after the first function`);
    const index = this.#imports.push({ name, type: this.type(params, result) }) - 1;
    return { index, params, result };
  }

  /** Declares a function and gives its body to fill; a body may call functions declared later. */
  function(
    params: readonly ValType[],
    result: ValType | undefined,
    exported?: string,
  ): { readonly callee: Callee; readonly body: Code } {
    const body = new Code(params, result);
    const index =
      this.#imports.length +
      this.#functions.push({ type: this.type(params, result), body, exported }) -
      1;
    return { callee: { index, params, result }, body };
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const section = (id: number, fill: (s: ByteWriter) => void): void => {
      const s = new ByteWriter();
      fill(s);
      out.byte(id);
      out.u32(s.length);
      out.bytes(s.view());
    };
    section(SECTION.type, (s) => {
      s.u32(this.#typeBytes.length);
      for (const bytes of this.#typeBytes) s.bytes(bytes);
    });
    section(SECTION.import, (s) => {
      s.u32(this.#imports.length + (this.#importTable ? 2 : 1));
      // Functions first: their indices are those given out by `import`.
      for (const { name, type } of this.#imports) {
        s.name('env');
        s.name(name);
        s.byte(0x00);
        s.u32(type);
      }
      s.name('env');
      s.name('memory');
      s.bytes([0x02, 0x00, 0x01]);
      if (this.#importTable) {
        s.name('env');
        s.name('table');
        s.bytes([0x01, FUNCREF, 0x00, 0x01]);
      }
    });
    section(SECTION.function, (s) => {
      s.u32(this.#functions.length);
      for (const f of this.#functions) s.u32(f.type);
    });
    const exported = this.#functions.flatMap((f, i) =>
      f.exported === undefined ? [] : [{ name: f.exported, index: i + this.#imports.length }],
    );
    section(SECTION.export, (s) => {
      s.u32(exported.length);
      for (const { name, index } of exported) {
        s.name(name);
        s.byte(0x00);
        s.u32(index);
      }
    });
    section(SECTION.code, (s) => {
      s.u32(this.#functions.length);
      for (const f of this.#functions) {
        const body = f.body.finish();
        s.u32(body.length);
        s.bytes(body);
      }
    });
    section(CUSTOM_SECTION, (s) => {
      s.name('name');
      const subsection = (id: number, fill: (names: ByteWriter) => void): void => {
        const names = new ByteWriter();
        fill(names);
        s.byte(id);
        s.u32(names.length);
        s.bytes(names.view());
      };
      subsection(NAMES.module, (names) => names.name(this.#name));
      subsection(NAMES.functions, (names) => {
        names.u32(exported.length);
        for (const { name, index } of exported) {
          names.u32(index);
          names.name(name);
        }
      });
    });
    return out.view().slice();
  }
}
