/** A machine's whole state, and its form in bytes. Pages are shared between snapshots that did not change them. */

/** Plain values that a device or an embedder adds to a snapshot. */
export type StateValue = number | string | Uint8Array | readonly StateValue[] | StateObject;
export interface StateObject {
  readonly [name: string]: StateValue;
}

export interface SnapshotContents {
  /** Identifies the machine's options and memory layout; restoring into another layout is refused. */
  readonly layout: string;
  /** The CPU state's bytes. */
  readonly cpu: Uint8Array;
  /** Guest memory pages that are not all zero, by index of their 4 KiB page in the machine's memory. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly machine: StateObject;
}

const MAGIC = 0x5342_5953;
const VERSION = 1;
const PAGE_SIZE = 4096;
const HEADER = 20;

/** Bytes that are no snapshot, or one of another machine; the message says what was expected and where. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/** Table k advances the CRC of a byte by k further zero bytes: eight bytes are taken at a time. */
const CRC_TABLES = ((): readonly Uint32Array[] => {
  const first = Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb8_8320 : c >>> 1;
    return c;
  });
  const tables = [first];
  for (let k = 1; k < 8; k++) {
    const before = tables[k - 1] as Uint32Array;
    tables.push(before.map((c) => (c >>> 8) ^ (first[c & 0xff] as number)));
  }
  return tables;
})();

/** CRC-32 as zlib and PNG have it. */
export type Crc32 = (bytes: Uint8Array) => number;

const ownCrc32: Crc32 = (bytes) => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = CRC_TABLES as readonly Uint32Array[] &
    Record<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7, Uint32Array>;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~7;
  let c = 0xffff_ffff;
  for (let at = 0; at < whole; at += 8) {
    const low = c ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    c =
      (t7[low & 0xff] as number) ^
      (t6[(low >>> 8) & 0xff] as number) ^
      (t5[(low >>> 16) & 0xff] as number) ^
      (t4[low >>> 24] as number) ^
      (t3[high & 0xff] as number) ^
      (t2[(high >>> 8) & 0xff] as number) ^
      (t1[(high >>> 16) & 0xff] as number) ^
      (t0[high >>> 24] as number);
  }
  for (let at = whole; at < bytes.length; at++)
    c = (c >>> 8) ^ (t0[(c ^ (bytes[at] as number)) & 0xff] as number);
  return ~c >>> 0;
};

/** Byte arrays leave the JSON part and stand behind it, in order. */
const packValue = (value: StateValue, blobs: Uint8Array[]): unknown => {
  if (value instanceof Uint8Array) return { $bytes: blobs.push(value) - 1 };
  if (Array.isArray(value)) return value.map((v: StateValue) => packValue(v, blobs));
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, packValue(v, blobs)]));
  return value;
};

const unpackValue = (value: unknown, blobs: readonly Uint8Array[]): StateValue => {
  if (Array.isArray(value)) return value.map((v) => unpackValue(v, blobs));
  if (typeof value !== 'object' || value === null) return value as StateValue;
  if ('$bytes' in value) {
    const index = Number(value.$bytes);
    const blob = blobs[index];
    if (!blob) throw new SnapshotError(`snapshot refers to missing data block ${index}`);
    return blob;
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unpackValue(v, blobs)]));
};

/**
 * Serialises a snapshot: header (magic, version, CRC-32, sizes), JSON, then data blocks.
 * @param crc32 the host's own, where it has a fast one (Node.js: `zlib.crc32`).
 */
export const snapshotToBytes = (
  contents: SnapshotContents,
  crc32: Crc32 = ownCrc32,
): Uint8Array => {
  const blobs: Uint8Array[] = [contents.cpu];
  const indices = [...contents.pages.keys()].toSorted((a, b) => a - b);
  for (const index of indices) blobs.push(contents.pages.get(index) as Uint8Array);
  const machine = packValue(contents.machine, blobs);
  const json = new TextEncoder().encode(
    JSON.stringify({
      layout: contents.layout,
      pages: indices,
      machine,
      sizes: blobs.map((b) => b.length),
    }),
  );
  const total = blobs.reduce((sum, b) => sum + b.length, HEADER + json.length);
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(12, json.length, true);
  view.setUint32(16, total, true);
  out.set(json, HEADER);
  let at = HEADER + json.length;
  for (const blob of blobs) {
    out.set(blob, at);
    at += blob.length;
  }
  view.setUint32(8, crc32(out.subarray(12)), true);
  return out;
};

/**
 * Reads what `snapshotToBytes` wrote; throws a SnapshotError that names the first thing wrong. The snapshot's pages are views of `bytes`.
 * @param crc32 as there.
 */
export const snapshotFromBytes = (bytes: Uint8Array, crc32: Crc32 = ownCrc32): SnapshotContents => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER || view.getUint32(0, true) !== MAGIC)
    throw new SnapshotError(`not a snapshot: expected the bytes 53 59 42 53 at offset 0`);
  const version = view.getUint32(4, true);
  if (version !== VERSION)
    throw new SnapshotError(`snapshot version ${version} at offset 4, expected ${VERSION}`);
  const total = view.getUint32(16, true);
  if (total !== bytes.length)
    throw new SnapshotError(
      `snapshot has ${bytes.length} bytes, its header at offset 16 says ${total}`,
    );
  const crc = crc32(bytes.subarray(12));
  if (view.getUint32(8, true) !== crc)
    throw new SnapshotError(
      `snapshot is damaged: CRC-32 at offset 8 is 0x${view.getUint32(8, true).toString(16)}, the contents have 0x${crc.toString(16)}`,
    );
  const jsonLength = view.getUint32(12, true);
  const json = JSON.parse(
    new TextDecoder().decode(bytes.subarray(HEADER, HEADER + jsonLength)),
  ) as { layout: string; pages: number[]; machine: unknown; sizes: number[] };
  const blobs: Uint8Array[] = [];
  let at = HEADER + jsonLength;
  for (const size of json.sizes) {
    blobs.push(bytes.subarray(at, at + size));
    at += size;
  }
  const pages = new Map<number, Uint8Array>();
  json.pages.forEach((index, i) => {
    const page = blobs[i + 1];
    if (page?.length !== PAGE_SIZE)
      throw new SnapshotError(
        `snapshot page ${index} has ${page?.length ?? 0} bytes, expected 4096`,
      );
    pages.set(index, page);
  });
  const cpu = blobs[0];
  if (!cpu) throw new SnapshotError('snapshot has no CPU state');
  return {
    layout: json.layout,
    cpu,
    pages,
    machine: unpackValue(json.machine, blobs) as StateObject,
  };
};
