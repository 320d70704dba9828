import { efiFail, EfiStatus } from '@systab/efi-core';
import type {
  EfiCallOps,
  EfiCallOutcome,
  EfiResult,
  EfiServiceName,
  MemoryOps,
  PhysAddr,
  Width,
} from '@systab/efi-core';

/** What a service is called with: a value, a buffer passed by address, an array of addresses of buffers, or NULL. */
export type Argument = bigint | Uint8Array | { readonly pointers: readonly Uint8Array[] } | null;

/** What became of the call; `after` has the contents of each buffer argument, by index. */
export interface Invocation {
  readonly outcome: EfiCallOutcome;
  readonly after: readonly (Uint8Array | undefined)[];
}

/** Memory the firmware can reach, for the arguments of one call at a time. */
export interface ArgumentSpace {
  readonly memory: Pick<MemoryOps, 'read' | 'write'>;
  /** The start of at least `bytes` bytes, aligned to 16. */
  readonly reserve: (bytes: number) => EfiResult<PhysAddr>;
}

const ALIGNMENT = 16;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Buffers side by side, each on a boundary of 16 bytes. */
class Block {
  size = 0;
  readonly #parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  place(bytes: Uint8Array): number {
    const at = this.size;
    this.#parts.push({ at, bytes });
    this.size += aligned(bytes.length);
    return at;
  }

  image(): Uint8Array {
    const image = new Uint8Array(this.size);
    for (const { at, bytes } of this.#parts) image.set(bytes, at);
    return image;
  }
}

const pointerBytes = (pointers: readonly bigint[], width: Width): Uint8Array => {
  const bytes = new Uint8Array((pointers.length * width) / 8);
  const view = new DataView(bytes.buffer);
  pointers.forEach((pointer, index) => {
    if (width === 64) view.setBigUint64(index * 8, pointer, true);
    else view.setUint32(index * 4, Number(pointer), true);
  });
  return bytes;
};

/** A UINTN in memory. */
export const uintn = (value: number | bigint, width: Width): Uint8Array =>
  pointerBytes([BigInt(value)], width);

/** What a UINTN in memory holds. */
export const readUintn = (bytes: Uint8Array | undefined, width: Width): bigint => {
  if (bytes === undefined) return 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return width === 64 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
};

/**
 * Calls a service with its buffers in guest memory: one write before the call and one read after it. EFI_OUT_OF_RESOURCES or
 * EFI_INVALID_PARAMETER, with a reason, when there is no memory for the arguments.
 */
export const invoke = (
  space: ArgumentSpace,
  call: EfiCallOps['call'],
  width: Width,
  service: EfiServiceName,
  args: readonly Argument[],
): EfiResult<Invocation> => {
  const block = new Block();
  const places = args.map((argument) => {
    if (argument === null || typeof argument === 'bigint') return undefined;
    if (argument instanceof Uint8Array) return { own: block.place(argument), inner: [] };
    const inner = argument.pointers.map((bytes) => block.place(bytes));
    return { own: block.place(new Uint8Array((inner.length * width) / 8)), inner };
  });
  const base = space.reserve(block.size);
  if (!base.ok) return base;
  const image = block.image();
  const raw = args.map((argument, index): bigint => {
    const place = places[index];
    if (argument === null) return 0n;
    if (typeof argument === 'bigint') return argument;
    if (place === undefined) throw new Error('a buffer without a place');
    if (place.inner.length > 0) {
      const addresses = place.inner.map((at) => BigInt(base.value + at));
      image.set(pointerBytes(addresses, width), place.own);
    }
    return BigInt(base.value + place.own);
  });
  if (image.length > 0) {
    const written = space.memory.write(base.value, image);
    if (!written.ok) return written;
  }
  const outcome = call(service, raw);
  // Where control did not come back there is nothing to read, and maybe no memory any more.
  if (outcome.kind !== 'returned') return { ok: true, value: { outcome, after: [] } };
  const left = space.memory.read(base.value, image.length);
  if (!left.ok)
    return efiFail(EfiStatus.DEVICE_ERROR, { why: 'the arguments cannot be read back' });
  const after = args.map((argument, index) => {
    const place = places[index];
    if (!(argument instanceof Uint8Array) || place === undefined) return undefined;
    return left.value.slice(place.own, place.own + argument.length);
  });
  return { ok: true, value: { outcome, after } };
};
