// A writer of ACPI Machine Language: just the terms that the DSDT of this machine uses.
// Source: ACPI specification 6.4, chapter 20 (AML) and 6.4 (resource data types).

/** An encoded term. */
export type Aml = Uint8Array;

const concat = (parts: readonly (Uint8Array | readonly number[])[]): Aml => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
const littleEndian = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);

/** Joins terms into one term list. */
export const terms = (...parts: readonly Aml[]): Aml => concat(parts);

/** PkgLength (20.2.4): counts itself. */
const pkgLength = (contents: number): number[] => {
  if (contents + 1 < 0x40) return [contents + 1];
  for (let extra = 1; extra <= 3; extra++) {
    const total = contents + 1 + extra;
    if (total < 2 ** (4 + 8 * extra))
      return [(extra << 6) | (total & 0x0f), ...littleEndian(total >>> 4, extra)];
  }
  throw new Error(`AML package of ${contents} bytes is too long`);
};
const packaged = (
  op: readonly number[],
  ...contents: readonly (Uint8Array | readonly number[])[]
): Aml => {
  const body = concat(contents);
  return concat([op, pkgLength(body.length), body]);
};

/** One name segment: up to four characters, filled with underscores. */
const segment = (name: string): number[] => {
  if (!/^[A-Z_][A-Z0-9_]{0,3}$/.test(name)) throw new Error(`not an AML name: ${name}`);
  return Array.from(name.padEnd(4, '_'), (c) => c.charCodeAt(0));
};
/** A path such as `\_SB.PCI0` or `LNKA` (20.2.2). */
export const path = (text: string): Aml => {
  const root = text.startsWith('\\');
  const names = (root ? text.slice(1) : text).split('.').filter((name) => name !== '');
  const prefix = root ? [0x5c] : [];
  if (names.length === 0) return concat([prefix, [0x00]]);
  const segments = names.flatMap(segment);
  if (names.length === 1) return concat([prefix, segments]);
  return concat([prefix, names.length === 2 ? [0x2e] : [0x2f, names.length], segments]);
};

export const integer = (value: number): Aml => {
  if (value === 0) return concat([[0x00]]);
  if (value === 1) return concat([[0x01]]);
  if (value <= 0xff) return concat([[0x0a], littleEndian(value, 1)]);
  if (value <= 0xffff) return concat([[0x0b], littleEndian(value, 2)]);
  if (value <= 0xffff_ffff) return concat([[0x0c], littleEndian(value, 4)]);
  return concat([[0x0e], littleEndian(value, 8)]);
};
export const string = (text: string): Aml =>
  concat([[0x0d], new TextEncoder().encode(text), [0x00]]);
export const buffer = (bytes: Uint8Array): Aml => packaged([0x11], integer(bytes.length), bytes);
export const pkg = (...elements: readonly Aml[]): Aml =>
  packaged([0x12], [elements.length], ...elements);
/** A compressed PNP id such as `PNP0A03` (19.6.37). */
export const eisaId = (id: string): Aml => {
  const letters = Array.from(id.slice(0, 3), (c) => c.charCodeAt(0) - 0x40).reduce(
    (value, letter) => value * 32 + letter,
    0,
  );
  const product = Number.parseInt(id.slice(3), 16);
  return concat([[0x0c], [letters >>> 8, letters & 0xff, product >>> 8, product & 0xff]]);
};

export const name = (target: string, value: Aml): Aml => concat([[0x08], path(target), value]);
export const scope = (target: string, ...body: readonly Aml[]): Aml =>
  packaged([0x10], path(target), ...body);
export const device = (target: string, ...body: readonly Aml[]): Aml =>
  packaged([0x5b, 0x82], path(target), ...body);
/** Processor object (deprecated by ACPI 6, what an ACPI 1.0 system knows). */
export const processor = (target: string, id: number): Aml =>
  packaged([0x5b, 0x83], path(target), [id, 0, 0, 0, 0, 0]);
export const method = (
  target: string,
  args: number,
  serialized: boolean,
  ...body: readonly Aml[]
): Aml => packaged([0x14], path(target), [args | (serialized ? 8 : 0)], ...body);

/** Address spaces of an operation region. */
export const REGION = { SYSTEM_MEMORY: 0, SYSTEM_IO: 1, PCI_CONFIG: 2 } as const;
export const operationRegion = (
  target: string,
  space: number,
  offset: number,
  length: number,
): Aml => concat([[0x5b, 0x80], path(target), [space], integer(offset), integer(length)]);
/** Byte access, no lock, preserve; each unit is a name and its width in bits. */
export const field = (region: string, units: readonly (readonly [string, number])[]): Aml =>
  packaged(
    [0x5b, 0x81],
    path(region),
    [0x01],
    ...units.map(([unit, bits]) => concat([segment(unit), pkgLength(bits - 1)])),
  );

export const arg0: Aml = new Uint8Array([0x68]);
export const ret = (value: Aml): Aml => concat([[0xa4], value]);
export const store = (value: Aml, target: Aml): Aml => concat([[0x70], value, target]);
export const and = (a: Aml, b: Aml): Aml => concat([[0x7b], a, b, [0x00]]);
export const orInto = (a: Aml, b: Aml, target: Aml): Aml => concat([[0x7d], a, b, target]);
export const ifThen = (condition: Aml, ...body: readonly Aml[]): Aml =>
  packaged([0xa0], condition, ...body);
export const createDWordField = (source: Aml, offset: number, target: string): Aml =>
  concat([[0x8a], source, integer(offset), path(target)]);

/** A resource template of descriptors, closed by an end tag (checksum 0: not checked). */
export const resources = (...descriptors: readonly (readonly number[])[]): Aml =>
  buffer(new Uint8Array([...descriptors.flat(), 0x79, 0x00]));

export const io = (base: number, alignment: number, length: number): number[] => [
  0x47,
  0x01,
  ...littleEndian(base, 2),
  ...littleEndian(base, 2),
  alignment,
  length,
];
export const irqNoFlags = (irq: number): number[] => [0x22, ...littleEndian(1 << irq, 2)];
/** Extended interrupt: consumer, level, active high, shared. */
export const interrupt = (...numbers: readonly number[]): number[] => [
  0x89,
  ...littleEndian(2 + 4 * numbers.length, 2),
  0x09,
  numbers.length,
  ...numbers.flatMap((n) => littleEndian(n, 4)),
];
export const memory32Fixed = (writable: boolean, base: number, length: number): number[] => [
  0x86,
  0x09,
  0x00,
  writable ? 1 : 0,
  ...littleEndian(base, 4),
  ...littleEndian(length, 4),
];

/** Address-space descriptors: minimum and maximum fixed, positive decode, producer. */
const addressSpace = (
  tag: number,
  width: number,
  type: number,
  typeFlags: number,
  first: number,
  last: number,
): number[] => {
  const values = [0, first, last, 0, last - first + 1].flatMap((value) =>
    littleEndian(value, width),
  );
  return [tag, ...littleEndian(3 + values.length, 2), type, 0x0c, typeFlags, ...values];
};
export const wordBusNumber = (first: number, last: number): number[] =>
  addressSpace(0x88, 2, 2, 0, first, last);
export const wordIo = (first: number, last: number): number[] =>
  addressSpace(0x88, 2, 1, 3, first, last);
/** Read-write memory, cacheable or not. */
export const dwordMemory = (cacheable: boolean, first: number, last: number): number[] =>
  addressSpace(0x87, 4, 0, cacheable ? 3 : 1, first, last);
