/**
 * Packed SSE floating-point instructions over the scalar functions of `sse.ts`: elements are independent, their exceptions are merged.
 * An unmasked pre-computation exception of any element hides what all of them would raise later (SDM Vol. 1, 11.5.3).
 * Vectors are four 32-bit words in a `Uint32Array` from a word index on, lowest first.
 */

import { PRE_COMPUTATION_FLAGS } from './softfloat-format.ts';
import { MXCSR, SSE_FORMAT, SSE_OP, sseBinary } from './sse.ts';
import type { SseFormat, SseOp, SseResult } from './sse.ts';

/** A packed result; as in `SseResult`, the destination keeps its value if `unmasked` is not 0. */
export interface SsePackedResult {
  readonly words: Uint32Array;
  flags: number;
  unmasked: number;
}

const packed: SsePackedResult = { words: new Uint32Array(4), flags: 0, unmasked: 0 };

function put(format: SseFormat, index: number, element: SseResult): void {
  if (format === SSE_FORMAT.single) {
    packed.words[index] = element.lo;
  } else {
    packed.words[2 * index] = element.lo;
    packed.words[2 * index + 1] = element.hi;
  }
  packed.flags |= element.flags;
}

function close(mxcsr: number): SsePackedResult {
  const masks = mxcsr >>> MXCSR.maskShift;
  if ((packed.flags & PRE_COMPUTATION_FLAGS & ~masks) !== 0) packed.flags &= PRE_COMPUTATION_FLAGS;
  packed.unmasked = packed.flags & ~masks;
  return packed;
}

/**
 * Runs `element` for each index of a vector of `format` and merges the results; the returned object is reused by the next call.
 * `count` limits the elements (CVTPI2PS and the like); the words beyond are 0.
 */
export function ssePacked(
  format: SseFormat,
  mxcsr: number,
  element: (index: number) => SseResult,
  count: number = 128 / format,
): SsePackedResult {
  packed.flags = 0;
  packed.words.fill(0);
  for (let index = 0; index < count; index++) put(format, index, element(index));
  return close(mxcsr);
}

/** One binary operation on element `aIndex` of a and `bIndex` of b. */
function lane(
  op: SseOp,
  format: SseFormat,
  a: Uint32Array,
  aWord: number,
  b: Uint32Array,
  bWord: number,
  mxcsr: number,
): SseResult {
  const aLo = a[aWord] as number;
  const bLo = b[bWord] as number;
  if (format === SSE_FORMAT.single) return sseBinary(op, format, aLo, 0, bLo, 0, mxcsr);
  return sseBinary(op, format, aLo, a[aWord + 1] as number, bLo, b[bWord + 1] as number, mxcsr);
}

/** ADDPx, SUBPx, MULPx, DIVPx, MINPx, MAXPx. */
export function ssePackedBinary(
  op: SseOp,
  format: SseFormat,
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  mxcsr: number,
): SsePackedResult {
  const step = format / 32;
  return ssePacked(format, mxcsr, (index) =>
    lane(op, format, a, aAt + index * step, b, bAt + index * step, mxcsr),
  );
}

/** ADDSUBPx: even elements are subtracted, odd ones added. */
export function ssePackedAddSubtract(
  format: SseFormat,
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  mxcsr: number,
): SsePackedResult {
  const step = format / 32;
  return ssePacked(format, mxcsr, (index) => {
    const op = (index & 1) === 0 ? SSE_OP.sub : SSE_OP.add;
    return lane(op, format, a, aAt + index * step, b, bAt + index * step, mxcsr);
  });
}

/** HADDPx and HSUBPx: neighbours of a give the low half, neighbours of b the high half. */
export function ssePackedHorizontal(
  op: SseOp,
  format: SseFormat,
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  mxcsr: number,
): SsePackedResult {
  const step = format / 32;
  const half = 64 / format;
  return ssePacked(format, mxcsr, (index) => {
    const from = index < half ? a : b;
    const at = (index < half ? aAt : bAt) + (index % half) * 2 * step;
    return lane(op, format, from, at, from, at + step, mxcsr);
  });
}

const products: Uint32Array = new Uint32Array(4);

/** Adds products `x` and `y` (word indices) into word `to`. */
function addProducts(format: SseFormat, x: number, y: number, to: number, mxcsr: number): number {
  const sum = lane(SSE_OP.add, format, products, x, products, y, mxcsr);
  products[to] = sum.lo;
  if (format === SSE_FORMAT.double) products[to + 1] = sum.hi;
  return sum.flags;
}

/**
 * DPPS and DPPD. Products selected by imm8[7:4] (others +0), summed as ((p0 + p1) + (p2 + p3)), rounded after every step; the sum goes to the
 * elements selected by imm8[3:0], the others become +0.
 */
export function sseDotProduct(
  imm: number,
  format: SseFormat,
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  mxcsr: number,
): SsePackedResult {
  const step = format / 32;
  const elements = 128 / format;
  packed.flags = 0;
  products.fill(0);
  for (let index = 0; index < elements; index++) {
    if (((imm >>> (4 + index)) & 1) === 0) continue;
    const at = index * step;
    const product = lane(SSE_OP.mul, format, a, aAt + at, b, bAt + at, mxcsr);
    products[at] = product.lo;
    if (format === SSE_FORMAT.double) products[at + 1] = product.hi;
    packed.flags |= product.flags;
  }
  // Each level ends the instruction if it finds an unmasked exception; what earlier levels raised stays (SDM Vol. 2A, DPPS; the levels are silicon's).
  if (close(mxcsr).unmasked !== 0) return packed;
  let found = packed.flags;
  packed.flags = addProducts(format, 0, step, 0, mxcsr);
  if (elements === 4) packed.flags |= addProducts(format, 2, 3, 2, mxcsr);
  close(mxcsr);
  found |= packed.flags;
  if (elements === 4 && packed.unmasked === 0) {
    packed.flags = addProducts(format, 0, 2, 0, mxcsr);
    close(mxcsr);
    found |= packed.flags;
  }
  packed.flags = found;
  packed.words.fill(0);
  for (let index = 0; index < elements; index++) {
    if (((imm >>> index) & 1) === 0) continue;
    packed.words[index * step] = products[0] as number;
    if (format === SSE_FORMAT.double) packed.words[index * step + 1] = products[1] as number;
  }
  return packed;
}
