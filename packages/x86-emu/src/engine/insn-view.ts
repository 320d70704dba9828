/** The `Instruction` that helpers see: a handler's shape plus the record being executed. One instance serves all helpers. */
import { FIELDS, gprAddress, xmmAddress } from '../cpu/state-layout.ts';
import type { Cpu, Instruction } from '../cpu/helper.ts';
import { RECORD } from './record.ts';
import type { InstructionShape, OperandShape } from './shape.ts';

const ES = 0;
const RSI = 6;
const RDI = 7;
const BYTES = { 8: 1, 16: 2, 32: 4, 64: 8 } as const;

export class InstructionView implements Instruction {
  shape!: InstructionShape;
  record = 0;
  readonly #view: DataView;
  readonly #cpu: () => Cpu;

  constructor(view: DataView, cpu: () => Cpu) {
    this.#view = view;
    this.#cpu = cpu;
  }

  get mnemonic(): string {
    return this.shape.row.mnemonic;
  }

  get long(): boolean {
    return this.shape.mode === 'long';
  }

  get operandSize(): 16 | 32 | 64 {
    return this.shape.operandSize;
  }

  get addressSize(): 16 | 32 | 64 {
    return this.shape.addressSize;
  }

  get rep(): 'none' | 'repe' | 'repne' {
    return this.shape.rep;
  }

  get lock(): boolean {
    return this.shape.lock;
  }

  get operandCount(): number {
    return this.shape.operands.length;
  }

  get opcode(): number {
    return this.shape.opcode;
  }

  get modrm(): number {
    return this.#view.getUint8(this.record + RECORD.modrm);
  }

  get rip(): bigint {
    return this.ripAt(this.#view.getUint16(this.record + RECORD.offset, true));
  }

  get nextRip(): bigint {
    const offset = this.#view.getUint16(this.record + RECORD.offset, true);
    return this.ripAt(offset + this.#view.getUint8(this.record + RECORD.length));
  }

  /** RIP of the byte at `offset` of the code page being executed. */
  ripAt(offset: number): bigint {
    const page = this.#view.getBigUint64(FIELDS.pageLinear.address, true);
    const base = this.#view.getBigUint64(FIELDS.codeBase.address, true);
    const long = this.#view.getUint32(FIELDS.modeKey.address, true) === 0;
    return BigInt.asUintN(long ? 64 : 32, page + BigInt(offset) - base);
  }

  kind(i: number): OperandShape['kind'] {
    return this.#operand(i).kind;
  }

  width(i: number): number {
    return this.#operand(i).width;
  }

  register(i: number): number {
    const field = this.#registerField(i);
    const { file } = this.#operand(i);
    if (file === 'gpr') return (field - gprAddress(0)) >> 3;
    return file === 'xmm' ? (field - xmmAddress(0)) >> 4 : field;
  }

  read(i: number): bigint {
    const { kind, width } = this.#operand(i);
    const bits = BigInt(width);
    if (kind === 'immediate') return BigInt.asUintN(width, this.#immediate(i));
    if (kind === 'memory')
      return this.#cpu().memory.read(this.#bytes(i), this.linear(i, width / 8, 'read'));
    return BigInt.asUintN(Number(bits), this.#view.getBigUint64(this.#registerField(i), true));
  }

  write(i: number, value: bigint): void {
    const { kind, width, file } = this.#operand(i);
    if (kind === 'memory') {
      this.#cpu().memory.write(this.#bytes(i), this.linear(i, width / 8, 'write'), value);
      return;
    }
    const at = this.#registerField(i);
    if (width === 8) this.#view.setUint8(at, Number(value & 0xffn));
    else if (width === 16) this.#view.setUint16(at, Number(value & 0xffffn), true);
    else if (width === 32 && file !== 'gpr')
      this.#view.setUint32(at, Number(value & 0xffff_ffffn), true);
    else this.#view.setBigUint64(at, BigInt.asUintN(width, value), true);
  }

  segment(i: number): number {
    if (this.#operand(i).source === 'destination') return ES;
    return this.#view.getUint8(this.record + RECORD.segment);
  }

  offset(i: number): bigint {
    const { source } = this.#operand(i);
    return BigInt.asUintN(this.addressSize, this.#address(source));
  }

  linear(i: number, bytes: number, access: 'read' | 'write'): bigint {
    return this.#cpu().linear(this.segment(i), this.offset(i), bytes, access);
  }

  #address(source: OperandShape['source']): bigint {
    const view = this.#view;
    const at = this.record;
    if (source === 'source') return view.getBigUint64(gprAddress(RSI), true);
    if (source === 'destination' || source === 'throughRdi')
      return view.getBigUint64(gprAddress(RDI), true);
    if (source === 'offset') return view.getBigUint64(at + RECORD.immediate, true);
    const base = view.getBigUint64(view.getUint16(at + RECORD.base, true), true);
    const index = view.getBigUint64(view.getUint16(at + RECORD.index, true), true);
    const scale = BigInt(view.getUint8(at + RECORD.scale));
    return base + (index << scale) + BigInt(view.getInt32(at + RECORD.displacement, true));
  }

  #immediate(i: number): bigint {
    const before = this.shape.operands.slice(0, i).filter((o) => o.kind === 'immediate').length;
    if (before > 0) return BigInt(this.#view.getUint16(this.record + RECORD.immediate2, true));
    const { source } = this.#operand(i);
    const low = this.#view.getBigInt64(this.record + RECORD.immediate, true);
    // A far pointer: offset below, selector above.
    if (source !== 'pointer') return low;
    const selector = BigInt(this.#view.getUint16(this.record + RECORD.immediate2, true));
    return (selector << BigInt(this.operandSize)) | BigInt.asUintN(this.operandSize, low);
  }

  #bytes(i: number): 1 | 2 | 4 | 8 {
    const { width } = this.#operand(i);
    const bytes = BYTES[width as keyof typeof BYTES];
    if (bytes === undefined) throw new Error(`${this.mnemonic}: operand ${i} has ${width} bits`);
    return bytes;
  }

  #registerField(i: number): number {
    return this.#view.getUint16(this.record + RECORD.registers + i * 2, true);
  }

  #operand(i: number): OperandShape {
    const operand = this.shape.operands[i];
    if (!operand) throw new Error(`${this.mnemonic} has no operand ${i}`);
    return operand;
  }
}
