/** The guest's physical address space: RAM and ROM in linear memory through the page map, everything else through I/O handlers. */
import { GUEST_MEMORY, PAGE_FLAG, PAGE_MAP, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE } from './layout.ts';

/** Width of one access in bytes; 8-byte accesses reach a handler as two of 4, the low one first. */
export type IoSize = 1 | 2 | 4;

/** Registers behind a range of ports or of physical addresses. `offset` counts from the start of the range; values are unsigned. */
export interface IoHandler {
  readonly read: (offset: number, size: IoSize) => number;
  readonly write: (offset: number, size: IoSize, value: number) => void;
}

export type RegionKind = 'ram' | 'rom' | 'mmio';

export interface Region {
  readonly kind: RegionKind;
  readonly name: string;
  /** Guest-physical address and length in bytes; multiples of 4096 for memory. */
  readonly base: number;
  readonly length: number;
  readonly handler?: IoHandler | undefined;
  /** Address in linear memory. */
  readonly host: number;
}

const describe = ({ name, base, length }: Region): string =>
  `${name} (0x${base.toString(16)}-0x${(base + length - 1).toString(16)})`;

/** Memory mapped here lies below 4 GiB; the address space itself has up to 52 bits. */
const MEMORY_LIMIT = 2 ** 32;
const ADDRESS_LIMIT = 2 ** 52;

/** A mapping that cannot be made; the message names the regions and what was expected. */
export class MapError extends Error {
  override readonly name = 'MapError';
}

export class PhysicalMemory {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #regions: Region[] = [];
  readonly #changed: (firstPage: number, pageCount: number) => void;
  #free = GUEST_MEMORY;
  /** Bytes that the embedder and bus masters have moved with `read` and `write` so far: for measurements. */
  transferred = 0;

  /** `changed` is told which pages were mapped, unmapped or written from outside the CPU. */
  constructor(memory: ArrayBuffer, changed: (firstPage: number, pageCount: number) => void) {
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
    this.#changed = changed;
  }

  /** All regions by address. */
  get regions(): readonly Region[] {
    return this.#regions;
  }

  /** Linear memory that is still free for `mapMemory`, in bytes. */
  get available(): number {
    return this.#bytes.length - this.#free;
  }

  /** Maps zeroed memory. ROM refuses writes, or gives them to `onWrite` (flash commands). */
  mapMemory(
    kind: 'ram' | 'rom',
    base: number,
    length: number,
    name: string,
    onWrite?: IoHandler,
  ): Region {
    if (base % PAGE_SIZE !== 0 || length % PAGE_SIZE !== 0 || !Number.isSafeInteger(base + length))
      throw new MapError(
        `${name}: base 0x${base.toString(16)} and length 0x${length.toString(16)} must be multiples of 0x1000`,
      );
    if (length > this.available)
      throw new MapError(
        `${name}: ${length} bytes exceed the ${this.available} bytes left of the machine's memory`,
      );
    const region: Region = { kind, name, base, length, handler: onWrite, host: this.#free };
    this.#insert(region, MEMORY_LIMIT);
    this.#free += length;
    this.#setPages(region, PAGE_FLAG.present | (kind === 'rom' ? PAGE_FLAG.readOnly : 0));
    return region;
  }

  /** Maps registers at any byte address. */
  mapIo(base: number, length: number, name: string, handler: IoHandler): Region {
    if (!Number.isSafeInteger(base) || length <= 0)
      throw new MapError(`${name}: length ${length} must be positive`);
    const region: Region = { kind: 'mmio', name, base, length, handler, host: 0 };
    this.#insert(region, ADDRESS_LIMIT);
    return region;
  }

  /** A second view of a memory region at another address: same bytes, read-only if `kind` is `rom`. */
  mapAlias(
    kind: 'ram' | 'rom',
    base: number,
    target: Region,
    offset: number,
    length: number,
    name: string,
  ): Region {
    if (target.kind === 'mmio' || offset + length > target.length)
      throw new MapError(`${name}: beyond the end of ${describe(target)}`);
    const region: Region = {
      kind,
      name,
      base,
      length,
      handler: target.handler,
      host: target.host + offset,
    };
    this.#insert(region, MEMORY_LIMIT);
    this.#setPages(region, PAGE_FLAG.present | (kind === 'rom' ? PAGE_FLAG.readOnly : 0));
    return region;
  }

  /** Removes a mapping. Its linear memory is not reused. */
  unmap(region: Region): void {
    const at = this.#regions.indexOf(region);
    if (at < 0) throw new MapError(`${region.name} is not mapped`);
    this.#regions.splice(at, 1);
    if (region.kind !== 'mmio') this.#setPages(region, 0);
  }

  /** Switches a ROM region between memory and its handler's registers (flash leaving and entering read-array mode). */
  setReadable(region: Region, readable: boolean): void {
    this.#setPages(region, readable ? PAGE_FLAG.present | PAGE_FLAG.readOnly : 0);
  }

  regionAt(address: number): Region | undefined {
    return this.#regions.find((r) => address >= r.base && address < r.base + r.length);
  }

  /** The bytes of a memory region; writes through it bypass the code cache: use `write` for RAM that may hold code. */
  contents(region: Region): Uint8Array {
    return this.#bytes.subarray(region.host, region.host + region.length);
  }

  /** Bytes of `contents` were changed: they are dirty, and code decoded from them is stale. */
  touched(address: number, length: number): void {
    this.#pieces(address, length, (_host, _at, _count, map, page) => {
      this.#view.setUint32(PAGE_MAP + page * 4, map | PAGE_FLAG.dirty, true);
      if (map & PAGE_FLAG.code) this.#changed(page, 1);
    });
  }

  /** Copies `length` bytes from `address` on; bytes without memory read as 0xff. */
  read(address: number, length: number): Uint8Array {
    const out = new Uint8Array(length).fill(0xff);
    this.transferred += length;
    this.#pieces(address, length, (host, at, count) => {
      if (host !== 0) out.set(this.#bytes.subarray(host, host + count), at);
    });
    return out;
  }

  /** Stores bytes into RAM and ROM alike (the embedder and bus masters; ROM only if `force`). Bytes without memory are lost. */
  write(address: number, bytes: Uint8Array, force = true): void {
    this.transferred += bytes.length;
    this.#pieces(address, bytes.length, (host, at, count, map, page) => {
      if (host === 0 || (!force && (map & PAGE_FLAG.readOnly) !== 0)) return;
      this.#bytes.set(bytes.subarray(at, at + count), host);
      const entry = PAGE_MAP + page * 4;
      this.#view.setUint32(entry, map | PAGE_FLAG.dirty, true);
      if (map & PAGE_FLAG.code) this.#changed(page, 1);
    });
  }

  /** An access to what is not plain memory, at most 4 bytes: the handler's value, or `unclaimed`. */
  readIo(address: number, size: IoSize, unclaimed: number): number {
    const region = this.regionAt(address);
    return region?.handler ? region.handler.read(address - region.base, size) >>> 0 : unclaimed;
  }

  writeIo(address: number, size: IoSize, value: number): void {
    const region = this.regionAt(address);
    region?.handler?.write(address - region.base, size, value >>> 0);
  }

  #pieces(
    address: number,
    length: number,
    visit: (host: number, at: number, count: number, map: number, page: number) => void,
  ): void {
    for (let at = 0; at < length;) {
      const here = address + at;
      const offset = here % PAGE_SIZE;
      const count = Math.min(length - at, PAGE_SIZE - offset);
      const page = Math.floor(here / PAGE_SIZE);
      const map = here < MEMORY_LIMIT ? this.#view.getUint32(PAGE_MAP + page * 4, true) : 0;
      const host = map & PAGE_FLAG.present ? ((map & ~PAGE_MASK) >>> 0) + offset : 0;
      visit(host, at, count, map, page);
      at += count;
    }
  }

  #insert(region: Region, limit: number): void {
    if (region.base < 0 || region.length <= 0 || region.base + region.length > limit)
      throw new MapError(`${describe(region)}: outside 0-0x${limit.toString(16)}`);
    const other = this.#regions.find(
      (r) => region.base < r.base + r.length && r.base < region.base + region.length,
    );
    if (other) throw new MapError(`${describe(region)} overlaps ${describe(other)}`);
    this.#regions.push(region);
    this.#regions.sort((a, b) => a.base - b.base);
  }

  #setPages(region: Region, flags: number): void {
    const first = region.base >>> PAGE_SHIFT;
    const count = region.length >>> PAGE_SHIFT;
    for (let i = 0; i < count; i++) {
      const entry = PAGE_MAP + (first + i) * 4;
      const kept =
        this.#view.getUint32(entry, true) & (PAGE_FLAG.watched | PAGE_FLAG.dirty | PAGE_FLAG.code);
      const value = flags === 0 ? kept : (region.host + i * PAGE_SIZE) | flags | kept;
      this.#view.setUint32(entry, value >>> 0, true);
    }
    this.#changed(first, count);
  }
}
