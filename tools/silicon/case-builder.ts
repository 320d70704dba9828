/** Makes one case from an encoding: picks operands and prefixes, lays out the bytes, sets the state. */
import type {
  CaseForm,
  CodeMode,
  CpuCase,
  CpuState,
  MemoryRange,
} from '../../packages/x86-emu/test/silicon/cpu-case.ts';
import { edge64 } from '../../packages/x86-emu/test/silicon/edge-values.ts';
import { CODE_OFFSET, DATA_BASE, DATA_SIZE } from '../../packages/x86-emu/test/silicon/layout.ts';
import type { Prng } from '../../packages/x86-emu/test/silicon/prng.ts';
import { createPrng } from '../../packages/x86-emu/test/silicon/prng.ts';
import {
  codeAddress,
  seededOperand,
  seededState,
} from '../../packages/x86-emu/test/silicon/seeded-state.ts';
import type { MemoryOperand, Placement } from './address.ts';
import { chooseAbsolute, chooseMemory, littleEndian } from './address.ts';
import type { Encoding, Operand } from './encoding.ts';
import { memoryBytes } from './encoding.ts';

export interface CaseRequest {
  readonly encoding: Encoding;
  readonly form: CaseForm;
  readonly seed: number;
  /** undefined: the ModRM operand is a register, or there is none. */
  readonly placement: Placement | undefined;
  readonly lock: boolean;
  /** Prefixes that should change nothing, or should raise #UD. */
  readonly extraPrefixes: readonly number[];
}

/** What a tweak (tweaks.ts) may look at and change before the bytes are laid out. */
export interface Draft {
  readonly r: Prng;
  readonly encoding: Encoding;
  readonly mode: CodeMode;
  readonly size: number;
  readonly seed: number;
  readonly state: CpuState;
  readonly memory: MemoryRange[];
  readonly prefixes: number[];
  readonly operand: MemoryOperand | undefined;
  /** ModRM.reg or the register in the opcode, with its REX bit; ModRM.rm when a register; VEX.vvvv. */
  reg: number;
  rm: number;
  vvvv: number;
  immediate: number[];
  step: CpuCase['step'];
}

export type Tweak = (draft: Draft) => void;

const RESERVED: readonly (readonly [string, readonly number[]])[] = [
  ['count', [1]],
  ['divide', [0, 2]],
  ['cmpxchg', [0]],
  ['cmpxchg8', [0, 1, 2, 3]],
  ['cmpxchg16', [0, 1, 2, 3]],
  ['strings', [0, 2]],
  ['d64', [4]],
];

const immediateBytes = (r: Prng, o: Operand, mode: CodeMode, size: number): number[] => {
  const length = ((): number => {
    if (o.letter === 'J') return o.width === 'b' ? 1 : mode === 64 ? 4 : size / 8;
    if (o.letter === 'A') return size / 8 + 2;
    switch (o.width) {
      case 'b':
      case 'bs':
        return 1;
      case 'w':
        return 2;
      case 'v':
        return size / 8;
      default:
        return Math.min(size, 32) / 8;
    }
  })();
  if (o.letter === 'J') {
    if (length === 1) return [r.below(256)];
    return littleEndian(
      BigInt.asUintN(32, BigInt(r.oneIn(8) ? r.u32() : r.below(0x1400) - 0x400)),
      length,
    );
  }
  return littleEndian(edge64(r), length);
};

const operandRegister = (r: Prng, e: Encoding, letter: string, mode: CodeMode): number => {
  if (letter === 'S') return r.oneIn(12) ? r.below(8) : r.pick([0, 1, 2, 3, 4, 5]);
  if (letter === 'P' || letter === 'N' || letter === 'Q') return r.below(8);
  const n = r.below(mode === 64 ? 16 : 8);
  return n === 4 && !'VWU'.includes(letter) && e.attributes.has('d64') ? 5 : n;
};

const layOut = (d: Draft, req: CaseRequest): Uint8Array => {
  const { encoding: e, mode, size, r } = d;
  const byteRegister = e.operands.some((o) => ['Eb', 'Gb', 'Zb'].includes(o.text));
  const legacy = [...d.prefixes];
  const wide =
    e.rexW ||
    (size === 64 &&
      !e.attributes.has('f64') &&
      !e.attributes.has('d64') &&
      e.operands.some((o) => ['v', 'y', 'z', 'p'].includes(o.width) || o.text === 'rAX')) ||
    (size === 64 && e.attributes.has('os') && !e.attributes.has('d64') && !e.attributes.has('f64'));
  const sized =
    e.operands.some(
      (o) => ['v', 'z', 'p', 'a'].includes(o.width) || o.text === 'rAX' || o.text === 'eAX',
    ) || e.attributes.has('os');
  if (sized && (mode === 16 ? size === 32 : size === 16)) legacy.push(0x66);
  if (req.lock) legacy.push(0xf0);
  for (let i = legacy.length - 1; i > 0; i--) {
    const j = r.below(i + 1);
    [legacy[i], legacy[j]] = [legacy[j] ?? 0, legacy[i] ?? 0];
  }
  const bytes = [...legacy];
  const regIsOperand = e.modrm === 'r' || e.plusRegister;
  const reg = typeof e.modrm === 'number' ? e.modrm : d.reg;
  const m = d.operand;
  const hasRex = e.modrm === undefined && !e.plusRegister ? 0 : 1;
  const bitR = e.modrm === 'r' && reg > 7 ? 1 : 0;
  const bitX = m?.rexX === true ? 1 : 0;
  const bitB = (e.plusRegister ? d.reg > 7 : m === undefined ? d.rm > 7 : m.rexB) ? 1 : 0;
  if (e.vex === undefined) {
    if (e.mandatory !== undefined && e.mandatory !== 0) bytes.push(e.mandatory);
    const low = hasRex * (bitR * 4 + bitX * 2 + bitB);
    const wanted = wide || low !== 0 || (mode === 64 && (byteRegister ? r.oneIn(2) : r.oneIn(12)));
    if (wanted && mode === 64) bytes.push(0x40 | (wide ? 8 : 0) | low);
    bytes.push(...e.bytes);
    if (e.plusRegister)
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + (regIsOperand ? reg & 7 : 0);
  } else {
    const w = e.vex.w ?? (size === 64 || (mode !== 64 && r.oneIn(4)) ? 1 : 0);
    const usesV = e.operands.some((o) => o.letter === 'B');
    const v = usesV ? d.vvvv : r.oneIn(16) ? 1 : 0;
    bytes.push(0xc4, ((~bitR & 1) << 7) | ((~bitX & 1) << 6) | ((~bitB & 1) << 5) | e.vex.map);
    bytes.push((w << 7) | ((~v & 15) << 3) | (r.oneIn(24) ? 4 : 0) | e.vex.pp, ...e.bytes);
  }
  if (e.modrm !== undefined) {
    if (m === undefined) bytes.push(0xc0 | ((reg & 7) << 3) | (d.rm & 7));
    else {
      bytes.push((m.mod << 6) | ((reg & 7) << 3) | m.rm);
      if (m.sib !== undefined) bytes.push(m.sib);
      if (m.ripTarget === undefined) bytes.push(...m.displacement);
      else {
        const next = codeAddress(mode, CODE_OFFSET) + BigInt(bytes.length + 4 + d.immediate.length);
        bytes.push(...littleEndian(BigInt.asUintN(32, m.ripTarget - next), 4));
      }
    }
  }
  bytes.push(...d.immediate);
  return Uint8Array.from(bytes);
};

export const buildCase = (req: CaseRequest, tweaks: readonly Tweak[]): CpuCase => {
  const { encoding: e, form, seed } = req;
  const { mode, size } = form;
  const r = createPrng(seed ^ 0x6a09_e667);
  const state = seededState(mode, form.kind, seed);
  const memory: MemoryRange[] = [];
  const prefixes = [...req.extraPrefixes];
  const placeOperand = e.operands.find((o) => ['E', 'M', 'Q', 'W'].includes(o.letter));
  const absolute = e.operands.find((o) => o.letter === 'O');
  const regOperand = e.operands.find((o) => ['G', 'S', 'C', 'D', 'P', 'V', 'Z'].includes(o.letter));
  const rmOperand = placeOperand ?? e.operands.find((o) => ['R', 'N', 'U'].includes(o.letter));
  const reg = operandRegister(r, e, regOperand?.letter ?? 'G', mode);
  let operand: MemoryOperand | undefined;
  if (req.placement !== undefined && placeOperand !== undefined) {
    const bytes = memoryBytes(placeOperand, size);
    const reserved = new Set(
      RESERVED.flatMap(([name, list]) => (e.attributes.has(name) ? list : [])),
    );
    if (e.attributes.has('bitOffset')) reserved.add(reg);
    const align = (e.attributes.has('aligned') && !r.oneIn(6)) || (bytes === 16 && !r.oneIn(4));
    operand = chooseMemory(
      r,
      mode,
      state,
      req.placement,
      bytes,
      align && req.placement !== 'misaligned',
      reserved,
    );
    prefixes.push(...operand.prefixes);
    const offset = Number(BigInt.asIntN(64, operand.linear)) - DATA_BASE;
    const fits = operand.linear < 0x2000_0000n && offset >= 0 && offset + bytes <= DATA_SIZE;
    if (bytes > 0 && fits && (e.attributes.has('image') || !r.oneIn(4)))
      memory.push({ offset, bytes: seededOperand(form.kind, seed, bytes) });
    if (req.placement === 'alignment-check') state.rflags |= 0x40000;
  }
  let absoluteBytes: number[] = [];
  if (absolute !== undefined) {
    const chosen = chooseAbsolute(
      r,
      mode,
      state,
      req.placement ?? 'plain',
      memoryBytes(absolute, size),
    );
    prefixes.push(...chosen.prefixes);
    absoluteBytes = chosen.immediate;
    if (req.placement === 'alignment-check') state.rflags |= 0x40000;
  }
  const immediate = absoluteBytes.concat(
    e.operands.flatMap((o) =>
      ['I', 'J', 'A'].includes(o.letter) ? immediateBytes(r, o, mode, size) : [],
    ),
  );
  const draft: Draft = {
    r,
    encoding: e,
    mode,
    size,
    seed,
    state,
    memory,
    prefixes,
    operand,
    reg,
    rm: operandRegister(r, e, rmOperand?.letter ?? 'E', mode),
    vvvv: r.below(mode === 64 ? 16 : 8),
    immediate,
    step: 'trap',
  };
  for (const tweak of tweaks) tweak(draft);
  const code = layOut(draft, req);
  return { form, seed, code, codeOffset: CODE_OFFSET, step: draft.step, initial: state, memory };
};
