/** Instruction bytes to a decoded instruction: prefixes, opcode, ModRM, SIB, displacement, immediates (SDM Vol. 2A, chapter 2). */
import type { CodeMode } from '../isa/emit.ts';
import { cellIndex } from './decode-table.ts';
import type { DecodeCell, DecodeEntry } from './decode-table.ts';
import { operandWidth } from './operand-plan.ts';
import type { OperandPlan } from './operand-plan.ts';

/** How code is decoded: by CS attributes, CR0.PE, EFER and segment flatness. */
export interface DecodeMode {
  readonly code: CodeMode;
  readonly defaultSize: 16 | 32 | 64;
  /** VEX and protected-mode-only encodings exist (not in real and virtual-8086 mode). */
  readonly protected: boolean;
}

export type DecodeStatus =
  | 'ok'
  /** No row, a bad LOCK, or a row of another mode: #UD. */
  | 'undefined'
  /** More bytes are needed than were given. */
  | 'truncated'
  /** Longer than 15 bytes: #GP(0). */
  | 'tooLong';

export interface DecodedOperand {
  plan: OperandPlan;
  kind: 'register' | 'memory' | 'immediate';
  width: number;
  /** Register number in the plan's file; general byte registers 16-19 are AH CH DH BH. */
  register: number;
}

const MAX_LENGTH = 15;
const SEG = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5 } as const;

/** A register number that stands for "none" in addresses. */
export const NO_REGISTER = 16;
/** A base that stands for the next instruction's RIP. */
export const RIP_REGISTER = 17;

class Truncated extends Error {}
const TRUNCATED = new Truncated();

/**
 * Decodes into itself; one instance is reused for every instruction. Fields are valid after `decode` gave `ok`.
 */
export class Decoder {
  entry!: DecodeEntry;
  length = 0;
  operandSize: 16 | 32 | 64 = 32;
  addressSize: 16 | 32 | 64 = 32;
  rep: 'none' | 'repe' | 'repne' = 'none';
  lock = false;
  opcode = 0;
  modrm = 0;
  readonly operands: DecodedOperand[] = [];
  operandCount = 0;

  /** Memory operand: general register numbers, NO_REGISTER or RIP_REGISTER. */
  base: number = NO_REGISTER;
  index: number = NO_REGISTER;
  /** Index shift, 0-3. */
  scale = 0;
  displacement = 0;
  segment = 0;
  /** The segment came from a prefix. */
  segmentOverride = false;
  /** First immediate or absolute offset, as two 32-bit halves (sign-extended), and second one. */
  immediateLow = 0;
  immediateHigh = 0;
  immediate2 = 0;

  readonly #table: readonly (DecodeCell | undefined)[];
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #at = 0;
  #end = 0;
  #mode!: DecodeMode;

  #rex = 0;
  #prefix66 = false;
  #prefixF2 = false;
  #prefixF3 = false;
  #vvvv = 0;

  constructor(table: readonly (DecodeCell | undefined)[]) {
    this.#table = table;
  }

  /** Decodes the instruction at `bytes[at]`; bytes from `end` on do not exist. */
  decode(bytes: Uint8Array, at: number, end: number, mode: DecodeMode): DecodeStatus {
    this.#bytes = bytes;
    this.#start = at;
    this.#at = at;
    this.#end = Math.min(end, at + MAX_LENGTH);
    this.#mode = mode;
    try {
      return this.#instruction();
    } catch (error) {
      if (error !== TRUNCATED) throw error;
      return end - at >= MAX_LENGTH ? 'tooLong' : 'truncated';
    }
  }

  #u8(): number {
    if (this.#at >= this.#end) throw TRUNCATED;
    return this.#bytes[this.#at++] as number;
  }

  #s8(): number {
    return (this.#u8() << 24) >> 24;
  }

  #u16(): number {
    const low = this.#u8();
    return low | (this.#u8() << 8);
  }

  #s32(): number {
    const low = this.#u16();
    return low | (this.#u16() << 16);
  }

  #instruction(): DecodeStatus {
    const mode = this.#mode;
    const long = mode.code === 'long';
    let segment = -1;
    this.lock = false;
    this.#prefix66 = this.#prefixF2 = this.#prefixF3 = false;
    this.#rex = 0;
    let prefix67 = false;
    let byte: number;
    for (;;) {
      byte = this.#u8();
      if (long && (byte & 0xf0) === 0x40) {
        // Only a REX right before the opcode counts.
        const rex = byte;
        byte = this.#u8();
        if (!isPrefix(byte) && (byte & 0xf0) !== 0x40) {
          this.#rex = rex;
          break;
        }
        this.#at--;
        continue;
      }
      if (byte === 0x66) this.#prefix66 = true;
      else if (byte === 0x67) prefix67 = true;
      else if (byte === 0xf2) {
        this.#prefixF2 = true;
        this.#prefixF3 = false;
      } else if (byte === 0xf3) {
        this.#prefixF3 = true;
        this.#prefixF2 = false;
      } else if (byte === 0xf0) this.lock = true;
      else if (byte === 0x26) segment = long ? segment : SEG.ES;
      else if (byte === 0x2e) segment = long ? segment : SEG.CS;
      else if (byte === 0x36) segment = long ? segment : SEG.SS;
      else if (byte === 0x3e) segment = long ? segment : SEG.DS;
      else if (byte === 0x64) segment = SEG.FS;
      else if (byte === 0x65) segment = SEG.GS;
      else break;
    }
    this.base = this.index = NO_REGISTER;
    this.scale = this.displacement = 0;
    this.segment = segment;
    this.segmentOverride = segment >= 0;

    let map = 0;
    let vex = false;
    if (byte === 0x0f) {
      map = 1;
      byte = this.#u8();
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? 2 : 3;
        byte = this.#u8();
      }
    } else if ((byte === 0xc4 || byte === 0xc5) && mode.protected && this.#isVex(long)) {
      if (this.lock || this.#prefix66 || this.#prefixF2 || this.#prefixF3 || this.#rex)
        return 'undefined';
      vex = true;
      map = this.#vexPrefix(byte === 0xc4);
      if (map < 0) return 'undefined';
      byte = this.#u8();
    }

    if (long) this.addressSize = prefix67 ? 32 : 64;
    else this.addressSize = (mode.defaultSize === 32) === prefix67 ? 16 : 32;
    this.opcode = byte;
    this.modrm = 0;
    const cell = this.#table[cellIndex(vex, map, byte)];
    if (!cell) return 'undefined';
    if (cell.hasModrm) this.modrm = this.#u8();
    if (cell.modIgnored) this.modrm |= 0xc0;
    const entry = this.#choose(cell);
    if (!entry) return 'undefined';
    this.entry = entry;
    const { row, pattern } = entry;

    // A mandatory 66 is no operand size; a mandatory F2 or F3 leaves 66 its meaning.
    const narrow = this.#prefix66 && pattern.prefix !== '66';
    if (!long) this.operandSize = (mode.defaultSize === 32) === narrow ? 16 : 32;
    else if (row.size === 'f64' || (this.#rex & 8) !== 0) this.operandSize = 64;
    else if (row.size === 'd64') this.operandSize = narrow ? 16 : 64;
    else this.operandSize = narrow ? 16 : 32;

    this.rep =
      row.repeats === undefined
        ? 'none'
        : this.#prefixF3
          ? 'repe'
          : this.#prefixF2
            ? row.repeats === 'rep'
              ? 'repe'
              : 'repne'
            : 'none';

    const memory = pattern.hasModrm && pattern.modrm < 0 && this.modrm < 0xc0;
    if (memory) this.#address(long);
    this.#readOperands(entry);
    this.length = this.#at - this.#start;
    // After the whole instruction is there: a fetch beyond the page faults first.
    if (this.lock && !(row.lock === true && memory && this.#lockable(entry))) return 'undefined';
    // VEX.vvvv must be all ones where it names no operand; it is kept inverted.
    if (vex && this.#vvvv !== 0 && !entry.plans.some(({ source }) => source === 'vvvv'))
      return 'undefined';
    return 'ok';
  }

  /** LOCK demands that the destination, the first operand, is the memory one. */
  #lockable(entry: DecodeEntry): boolean {
    const first = entry.plans[0];
    return first === undefined || first.source === 'rm';
  }

  /** In 16- and 32-bit code C4 and C5 are LES and LDS unless their ModRM would name a register. */
  #isVex(long: boolean): boolean {
    if (long) return true;
    if (this.#at >= this.#end) throw TRUNCATED;
    return (this.#bytes[this.#at] as number) >= 0xc0;
  }

  /** Reads the rest of a VEX prefix; gives the opcode map, or -1 for #UD. */
  #vexPrefix(three: boolean): number {
    const first = this.#u8();
    let map = 1;
    let last = first;
    this.#rex = first & 0x80 ? 0 : 4;
    if (three) {
      this.#rex = (~first >> 5) & 7;
      map = first & 0x1f;
      last = this.#u8();
      if (last & 0x80) this.#rex |= 8;
    }
    if (this.#mode.code !== 'long') this.#rex &= 8;
    this.#vvvv = (~last >> 3) & (this.#mode.code === 'long' ? 15 : 7);
    if (last & 4) return -1;
    this.#prefix66 = (last & 3) === 1;
    this.#prefixF3 = (last & 3) === 2;
    this.#prefixF2 = (last & 3) === 3;
    return map >= 1 && map <= 3 ? map : -1;
  }

  #choose(cell: DecodeCell): DecodeEntry | undefined {
    const long = this.#mode.code === 'long';
    const digit = (this.modrm >> 3) & 7;
    const register = this.modrm >= 0xc0;
    for (const entry of cell.entries) {
      const { pattern, row, form } = entry;
      if (pattern.modrm >= 0 && pattern.modrm !== this.modrm) continue;
      if (pattern.digit >= 0 && pattern.digit !== digit) continue;
      if (form !== 'both' && (form === 'register') !== register) continue;
      if (pattern.w !== undefined && pattern.w !== ((this.#rex & 8) !== 0)) continue;
      if (row.mode !== undefined && (row.mode === 'long') !== long) continue;
      if (cell.mixed && !pattern.plusRegister && (this.#rex & 1) !== 0) continue;
      switch (pattern.prefix) {
        case 'none':
          if (this.#prefix66 || this.#prefixF2 || this.#prefixF3) continue;
          break;
        case 'noRepeat':
          if (this.#prefixF2 || this.#prefixF3) continue;
          break;
        case '66':
          if (!this.#prefix66 || this.#prefixF2 || this.#prefixF3) continue;
          break;
        case 'F3':
          if (!this.#prefixF3) continue;
          break;
        case 'F2':
          if (!this.#prefixF2) continue;
          break;
        case undefined:
          break;
      }
      return entry;
    }
    return undefined;
  }

  /** ModRM and SIB address forms (SDM Vol. 2A, tables 2-1 to 2-3). */
  #address(long: boolean): void {
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    let stack = false;
    if (this.addressSize === 16) {
      const base = [3, 3, 5, 5, 6, 7, 5, 3][rm] as number;
      if (mod === 0 && rm === 6) this.displacement = this.#u16();
      else {
        this.base = base;
        if (rm < 4) this.index = rm & 1 ? 7 : 6;
        stack = base === 5;
        if (mod === 1) this.displacement = this.#s8();
        else if (mod === 2) this.displacement = (this.#u16() << 16) >> 16;
      }
    } else {
      const rexB = (this.#rex & 1) << 3;
      let wide = mod === 2;
      if (rm === 4) {
        const sib = this.#u8();
        const index = ((sib >> 3) & 7) | ((this.#rex & 2) << 2);
        if (index !== 4) {
          this.index = index;
          this.scale = sib >> 6;
        }
        if ((sib & 7) === 5 && mod === 0) wide = true;
        else this.base = (sib & 7) | rexB;
      } else if (rm === 5 && mod === 0) {
        wide = true;
        if (long) this.base = RIP_REGISTER;
      } else this.base = rm | rexB;
      stack = this.base === 4 || this.base === 5;
      if (mod === 1) this.displacement = this.#s8();
      else if (wide) this.displacement = this.#s32();
    }
    if (this.segment < 0) this.segment = stack ? SEG.SS : SEG.DS;
  }

  #readOperands(entry: DecodeEntry): void {
    this.operandCount = entry.plans.length;
    this.immediateLow = this.immediateHigh = this.immediate2 = 0;
    let immediates = 0;
    for (let i = 0; i < entry.plans.length; i++) {
      const plan = entry.plans[i] as OperandPlan;
      const operand = (this.operands[i] ??= { plan, kind: 'register', width: 0, register: 0 });
      operand.plan = plan;
      operand.width = operandWidth(plan, this.operandSize);
      operand.kind = 'register';
      switch (plan.source) {
        case 'reg':
          operand.register = this.#register((this.modrm >> 3) & 7, (this.#rex & 4) << 1, operand);
          break;
        case 'rm':
          if (this.modrm < 0xc0) operand.kind = 'memory';
          else operand.register = this.#register(this.modrm & 7, (this.#rex & 1) << 3, operand);
          break;
        case 'opcode':
          operand.register = this.#register(this.opcode & 7, (this.#rex & 1) << 3, operand);
          break;
        case 'vvvv':
          operand.register = this.#vvvv;
          break;
        case 'fixed':
          if (plan.form === 'both') {
            operand.kind = 'immediate';
            this.immediateLow = plan.fixed;
          } else operand.register = plan.fixed;
          break;
        case 'immediate':
          operand.kind = 'immediate';
          this.#immediate(operand, immediates++);
          break;
        case 'pointer':
          operand.kind = 'immediate';
          this.immediateLow = this.operandSize === 16 ? this.#u16() : this.#s32();
          this.immediate2 = this.#u16();
          break;
        case 'offset':
          operand.kind = 'memory';
          this.immediateLow = this.addressSize === 16 ? this.#u16() : this.#s32();
          if (this.addressSize === 64) this.immediateHigh = this.#s32();
          if (this.segment < 0) this.segment = SEG.DS;
          break;
        case 'source':
        case 'destination':
        case 'throughRdi':
          operand.kind = 'memory';
          if (this.segment < 0) this.segment = SEG.DS;
          break;
      }
    }
  }

  #register(low: number, high: number, operand: DecodedOperand): number {
    switch (operand.plan.file) {
      case 'mmx':
      case 'segment':
        return low;
      case 'gpr':
        // Without REX, byte registers 4-7 are AH CH DH BH.
        return operand.width === 8 && this.#rex === 0 && low >= 4 ? low + 12 : low | high;
      default:
        return low | high;
    }
  }

  #immediate(operand: DecodedOperand, order: number): void {
    const { plan } = operand;
    if (order === 1) {
      this.immediate2 = plan.short || operand.width === 8 ? this.#u8() : this.#u16();
      return;
    }
    if (plan.short || operand.width === 8) this.immediateLow = this.#s8();
    else if (operand.width === 16) this.immediateLow = (this.#u16() << 16) >> 16;
    else this.immediateLow = this.#s32();
    if (plan.width === 'v' && operand.width === 64) this.immediateHigh = this.#s32();
    else this.immediateHigh = this.immediateLow >> 31;
    // Branch displacements are kept sign-extended to 64 bits.
    if (plan.spec[0] === 'J') operand.width = 64;
    else if (plan.short && plan.spec[0] === 'I') operand.width = this.#shortWidth(operand);
  }

  /** An 8-bit immediate takes the width of the first operand, to which it is sign-extended. */
  #shortWidth(operand: DecodedOperand): number {
    const first = this.operands[0] as DecodedOperand;
    if (first === operand) return this.entry.row.size === 'd64' ? this.operandSize : 8;
    return first.plan.file !== 'gpr' || first.kind === 'immediate' ? 8 : first.width;
  }
}

const isPrefix = (byte: number): boolean =>
  byte === 0x66 ||
  byte === 0x67 ||
  byte === 0xf2 ||
  byte === 0xf3 ||
  byte === 0xf0 ||
  byte === 0x26 ||
  byte === 0x2e ||
  byte === 0x36 ||
  byte === 0x3e ||
  byte === 0x64 ||
  byte === 0x65;
