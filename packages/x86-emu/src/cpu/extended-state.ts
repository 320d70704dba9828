/** Images of FXSAVE and XSAVE (SDM Vol. 1, sections 10.5 and 13.4): 512 bytes of legacy state, for XSAVE 64 bytes of header. */
import { initializeX87, X87_LAYOUT } from '../fpu/x87-state.ts';
import { readFxsaveImage, writeFxsaveImage } from '../fpu/x87-environment.ts';
import type { CpuState } from './cpu-state.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { is64Bit } from './mode.ts';

const LEGACY_SIZE = 512;
const MXCSR_AT = 24;
const MXCSR_MASK_AT = 28;
const XMM_AT = 160;
const HEADER_AT = 512;

/** Bits of MXCSR that exist; DAZ is one of them. */
export const MXCSR_MASK = 0xffff;

const X87 = 1;
const SSE = 2;

interface Image {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly linear: bigint;
}

const newImage = (linear: bigint): Image => {
  const bytes = new Uint8Array(LEGACY_SIZE);
  return { bytes, view: new DataView(bytes.buffer), linear };
};

/** Writes bytes `from` to `to` of the image to memory. */
const flush = (cpu: Cpu, { bytes, linear }: Image, from: number, to: number): void =>
  cpu.memory.writeBlock(linear + BigInt(from), bytes.subarray(from, to));

const fetch = (cpu: Cpu, linear: bigint): Image => {
  const image = newImage(linear);
  cpu.memory.readBlock(linear, image.bytes);
  return image;
};

/** End of the XMM registers that the mode has. */
const xmmEnd = (state: CpuState): number => XMM_AT + (is64Bit(state) ? 16 : 8) * 16;

const putXmm = (state: CpuState, { view }: Image): void => {
  for (let at = XMM_AT; at < xmmEnd(state); at += 16) {
    const n = (at - XMM_AT) / 16;
    view.setBigUint64(at, state.xmm(n, 0), true);
    view.setBigUint64(at + 8, state.xmm(n, 1), true);
  }
};

const takeXmm = (state: CpuState, value: (at: number) => bigint): void => {
  for (let at = XMM_AT; at < xmmEnd(state); at += 16) {
    const n = (at - XMM_AT) / 16;
    state.setXmm(n, 0, value(at));
    state.setXmm(n, 1, value(at + 8));
  }
};

const putMxcsr = (state: CpuState, { view }: Image): void => {
  view.setUint32(MXCSR_AT, state.get('mxcsr'), true);
  view.setUint32(MXCSR_MASK_AT, MXCSR_MASK, true);
};

/** MXCSR of an image; #GP(0) for reserved bits. */
const checkedMxcsr = (cpu: Cpu, { view }: Image): number => {
  const value = view.getUint32(MXCSR_AT, true);
  return (value & ~MXCSR_MASK) === 0 ? value : cpu.fault(VECTOR.GP, 0);
};

/** FXSAVE to the aligned `linear`; `wide` is FXSAVE64. Bytes 416 to 511 are left alone. */
export const saveExtended = (cpu: Cpu, linear: bigint, wide: boolean): void => {
  const { state } = cpu;
  const image = newImage(linear);
  writeFxsaveImage(state.x87, image.view, 0, wide);
  putMxcsr(state, image);
  putXmm(state, image);
  flush(cpu, image, 0, xmmEnd(state));
};

export const restoreExtended = (cpu: Cpu, linear: bigint, wide: boolean): void => {
  const { state } = cpu;
  const image = fetch(cpu, linear);
  state.set('mxcsr', checkedMxcsr(cpu, image));
  readFxsaveImage(state.x87, image.view, 0, wide);
  takeXmm(state, (at) => image.view.getBigUint64(at, true));
};

/** XSAVE of the components in `mask`. Every component counts as in use. */
export const xsave = (cpu: Cpu, linear: bigint, mask: number, wide: boolean): void => {
  const { state, memory } = cpu;
  const image = newImage(linear);
  const header = linear + BigInt(HEADER_AT);
  memory.probeWrite(HEADER_AT + 8, linear);
  const present = (memory.read(8, header) & ~BigInt(mask)) | BigInt(mask);
  if (mask & X87) {
    writeFxsaveImage(state.x87, image.view, 0, wide);
    flush(cpu, image, 0, MXCSR_AT);
    flush(cpu, image, X87_LAYOUT.registers, XMM_AT);
  }
  if (mask & SSE) {
    putMxcsr(state, image);
    putXmm(state, image);
    flush(cpu, image, MXCSR_AT, MXCSR_AT + 8);
    flush(cpu, image, XMM_AT, xmmEnd(state));
  }
  memory.write(8, header, present);
};

/** XRSTOR of the components in `mask`, in the standard form; those that the header lacks get their initial state. */
export const xrstor = (cpu: Cpu, linear: bigint, mask: number, wide: boolean): void => {
  const { state, memory } = cpu;
  const header = linear + BigInt(HEADER_AT);
  const present = memory.read(8, header);
  const compacted = memory.read(8, header + 8n);
  const reserved = memory.read(8, header + 16n);
  if (present & ~state.big('xcr0') || compacted !== 0n || reserved !== 0n) cpu.fault(VECTOR.GP, 0);
  const image = fetch(cpu, linear);
  const has = (component: number): boolean => (Number(present) & component) !== 0;
  // MXCSR is loaded with SSE state asked for, whether the header has it or not.
  if (mask & SSE) state.set('mxcsr', checkedMxcsr(cpu, image));
  if (mask & X87) {
    if (has(X87)) readFxsaveImage(state.x87, image.view, 0, wide);
    else clearX87(state);
  }
  if (mask & SSE) takeXmm(state, (at) => (has(SSE) ? image.view.getBigUint64(at, true) : 0n));
};

const clearX87 = ({ x87 }: CpuState): void => {
  initializeX87(x87);
  for (let at = X87_LAYOUT.registers; at < X87_LAYOUT.size; at += 8)
    x87.view.setBigUint64(x87.base + at, 0n, true);
};
