import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';

/** Width in bits of UINTN and of pointers in the firmware that owns a structure. */
export type Width = 32 | 64;

/** One data type of UEFI 2.10, section 2.3.1: how wide, how aligned, how read and written. */
export interface FieldType<T> {
  /** The specification's spelling, for layouts and documentation. */
  readonly name: string;
  readonly size: (width: Width) => number;
  readonly align: (width: Width) => number;
  /** The caller has checked that `size(width)` bytes are there. */
  readonly read: (view: DataView, at: number, width: Width) => T;
  /** Throws `RangeError` when the value does not fit the type. */
  readonly write: (view: DataView, at: number, value: T, width: Width) => void;
}

/** Place of one field in a structure, derived from the types before it. */
export interface FieldLayout {
  readonly field: string;
  readonly type: string;
  readonly offset: number;
  readonly size: number;
}

/** A structure declared once; its layout, decoder and encoder follow from the declaration. */
export interface Struct<T extends object> {
  readonly name: string;
  /** Where the layout is defined. */
  readonly clause: string;
  /** Fields in order with derived offsets; `width` (default 64) is the firmware's. */
  readonly layout: (width?: Width) => readonly FieldLayout[];
  /** Size in bytes including tail padding; `width` defaults to 64. */
  readonly size: (width?: Width) => number;
  /** Alignment in bytes: that of the widest field, 1 when packed. */
  readonly align: (width?: Width) => number;
  /** Offset in bytes of one field; `width` defaults to 64. */
  readonly offsetOf: (field: keyof T & string, width?: Width) => number;
  /** Reads the structure at `offset` (default 0). Padding is not looked at. */
  readonly decode: (bytes: Uint8Array, offset?: number, width?: Width) => Decoded<T>;
  /** A fresh image of the structure, padding zero. Throws `RangeError` naming a field that does not fit. */
  readonly encode: (value: T, width?: Width) => Uint8Array<ArrayBuffer>;
}

/** Fields of a structure in order of declaration. */
export type Fields<T extends object> = { readonly [K in keyof T]-?: FieldType<T[K]> };

/** A DataView over exactly the bytes of a Uint8Array. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const outOfRange = (type: string, value: unknown): never => {
  throw new RangeError(`${String(value)} does not fit ${type}`);
};

const integer = (
  name: string,
  size: 1 | 2 | 4,
  low: number,
  high: number,
  read: (view: DataView, at: number) => number,
  write: (view: DataView, at: number, value: number) => void,
): FieldType<number> => ({
  name,
  size: () => size,
  align: () => size,
  read,
  write: (view, at, value) => {
    if (!Number.isInteger(value) || value < low || value > high) outOfRange(name, value);
    write(view, at, value);
  },
});

const wide = (name: string, size: (width: Width) => 4 | 8): FieldType<bigint> => ({
  name,
  size,
  align: size,
  read: (view, at, width) =>
    size(width) === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)),
  write: (view, at, value, width) => {
    const bytes = size(width);
    if (value < 0n || value >= 1n << BigInt(bytes * 8)) {
      outOfRange(`${name} of ${String(bytes * 8)} bits`, value);
    }
    if (bytes === 8) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(value), true);
  },
});

export const UINT8: FieldType<number> = integer(
  'UINT8',
  1,
  0,
  0xff,
  (view, at) => view.getUint8(at),
  (view, at, value) => {
    view.setUint8(at, value);
  },
);

export const UINT16: FieldType<number> = integer(
  'UINT16',
  2,
  0,
  0xffff,
  (view, at) => view.getUint16(at, true),
  (view, at, value) => {
    view.setUint16(at, value, true);
  },
);

export const INT16: FieldType<number> = integer(
  'INT16',
  2,
  -0x8000,
  0x7fff,
  (view, at) => view.getInt16(at, true),
  (view, at, value) => {
    view.setInt16(at, value, true);
  },
);

export const UINT32: FieldType<number> = integer(
  'UINT32',
  4,
  0,
  0xffff_ffff,
  (view, at) => view.getUint32(at, true),
  (view, at, value) => {
    view.setUint32(at, value, true);
  },
);

/** UINT64, also EFI_PHYSICAL_ADDRESS and EFI_VIRTUAL_ADDRESS. */
export const UINT64: FieldType<bigint> = wide('UINT64', () => 8);

/** UINTN: as wide as the firmware's pointers. */
export const UINTN: FieldType<bigint> = wide('UINTN', (width) => (width === 64 ? 8 : 4));

/** A pointer or handle, kept as the number the firmware wrote. */
export const POINTER: FieldType<bigint> = { ...UINTN, name: 'VOID*' };

/** BOOLEAN: one byte, 0 or not 0 when read, 0 or 1 when written. */
export const BOOLEAN: FieldType<boolean> = {
  name: 'BOOLEAN',
  size: () => 1,
  align: () => 1,
  read: (view, at) => view.getUint8(at) !== 0,
  write: (view, at, value) => {
    view.setUint8(at, value ? 1 : 0);
  },
};

/** A run of `length` bytes, copied out. */
export const byteArray = (length: number): FieldType<Uint8Array> => ({
  name: `UINT8[${String(length)}]`,
  size: () => length,
  align: () => 1,
  read: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, length).slice(),
  write: (view, at, value) => {
    if (value.length !== length)
      outOfRange(`UINT8[${String(length)}]`, `${String(value.length)} bytes`);
    new Uint8Array(view.buffer, view.byteOffset + at, length).set(value);
  },
});

/** A run of `length` characters of 8 bits, one per byte; anchors and identifiers are ASCII. */
export const asciiArray = (length: number): FieldType<string> => ({
  name: `CHAR8[${String(length)}]`,
  size: () => length,
  align: () => 1,
  read: (view, at) =>
    String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length)),
  write: (view, at, value) => {
    if (value.length !== length) outOfRange(`CHAR8[${String(length)}]`, JSON.stringify(value));
    for (let index = 0; index < length; index += 1) {
      UINT8.write(view, at + index, value.charCodeAt(index), 64);
    }
  },
});

interface Plan<T extends object> {
  readonly fields: readonly FieldLayout[];
  readonly byName: ReadonlyMap<string, FieldLayout>;
  readonly size: number;
  readonly align: number;
  readonly types: readonly (readonly [keyof T & string, FieldType<T[keyof T & string]>, number])[];
}

const plan = <T extends object>(fields: Fields<T>, width: Width, packed: boolean): Plan<T> => {
  const layout: FieldLayout[] = [];
  const types: [keyof T & string, FieldType<T[keyof T & string]>, number][] = [];
  let offset = 0;
  let widest = 1;
  for (const key of Object.keys(fields) as (keyof T & string)[]) {
    const type = fields[key];
    const align = packed ? 1 : type.align(width);
    offset = Math.ceil(offset / align) * align;
    widest = Math.max(widest, align);
    layout.push(Object.freeze({ field: key, type: type.name, offset, size: type.size(width) }));
    types.push([key, type, offset]);
    offset += type.size(width);
  }
  return {
    fields: Object.freeze(layout),
    byName: new Map(layout.map((field) => [field.field, field])),
    size: Math.ceil(offset / widest) * widest,
    align: widest,
    types,
  };
};

const firstCut = (layout: readonly FieldLayout[], available: number): string =>
  layout.find((field) => field.offset + field.size > available)?.field ?? 'padding';

/** How a structure departs from natural alignment. */
export interface StructOptions {
  /** No padding anywhere (`#pragma pack(1)`); default: natural alignment, as UEFI 2.10 section 2.3.1 asks. */
  readonly packed?: boolean;
}

/** Declares a structure. The order of `fields` is the order in memory. */
export const defineStruct = <T extends object>(
  name: string,
  clause: string,
  fields: Fields<T>,
  options: StructOptions = {},
): Struct<T> => {
  const packed = options.packed ?? false;
  const plans = { 32: plan(fields, 32, packed), 64: plan(fields, 64, packed) };
  return Object.freeze<Struct<T>>({
    name,
    clause,
    layout: (width = 64) => plans[width].fields,
    size: (width = 64) => plans[width].size,
    align: (width = 64) => plans[width].align,
    offsetOf: (field, width = 64) => {
      const found = plans[width].byName.get(field);
      if (found === undefined) throw new Error(`${name} has no field ${field}`);
      return found.offset;
    },
    decode: (bytes, offset = 0, width = 64) => {
      const { size, types, fields: layout } = plans[width];
      const available = bytes.length - offset;
      if (!Number.isInteger(offset) || offset < 0 || available < size) {
        const left = Number.isInteger(offset) && offset >= 0 ? Math.max(available, 0) : 0;
        return malformed(
          `${name}.${firstCut(layout, left)}`,
          offset,
          `${String(size)} bytes`,
          `${String(left)} bytes`,
        );
      }
      const view = viewOf(bytes);
      const value: Partial<Record<keyof T, unknown>> = {};
      for (const [key, type, at] of types) value[key] = type.read(view, offset + at, width);
      return decoded(value as T);
    },
    encode: (value, width = 64) => {
      const bytes = new Uint8Array(plans[width].size);
      const view = viewOf(bytes);
      for (const [key, type, at] of plans[width].types) {
        try {
          type.write(view, at, value[key], width);
        } catch (cause) {
          const reason = cause instanceof Error ? cause.message : String(cause);
          throw new RangeError(`${name}.${key}: ${reason}`, { cause });
        }
      }
      return bytes;
    },
  });
};

/** A structure as a field of another one. */
export const nested = <T extends object>(struct: Struct<T>): FieldType<T> => ({
  name: struct.name,
  size: (width) => struct.size(width),
  align: (width) => struct.align(width),
  read: (view, at, width) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const value = struct.decode(bytes, at, width);
    if (!value.ok) throw new Error(`${struct.name} read outside its parent`);
    return value.value;
  },
  write: (view, at, value, width) => {
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(
      struct.encode(value, width),
      at,
    );
  },
});
