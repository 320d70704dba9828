/** The op record: one predecoded instruction, 32 bytes in linear memory. Declared once for the writer (here) and for staged readers. */
import { FIELDS, ZERO_REGISTER, gprAddress, mmxAddress, xmmAddress } from '../cpu/state-layout.ts';
import { NO_REGISTER, RIP_REGISTER } from '../decode/decoder.ts';
import type { DecodedOperand, Decoder } from '../decode/decoder.ts';

export const RECORD_SIZE = 32;

/** Field offsets. Registers are addresses in the CPU state. */
export const RECORD = {
  /** u16: what executes the record. */
  handler: 0,
  /** u16: offset of the instruction in its page (up to 4096 in records that go on to the next page). */
  offset: 2,
  length: 4,
  segment: 5,
  scale: 6,
  modrm: 7,
  /** u16 each: register operands 0 to 2. */
  registers: 8,
  base: 14,
  index: 16,
  /** u8, and for far pointers u16: second immediate. */
  immediate2: 18,
  /** i32: displacement. */
  displacement: 20,
  /** u32, direct branches: record of the target, or 0. Shares the displacement's place. */
  link: 20,
  /** i64: first immediate, absolute offset, or branch displacement. */
  immediate: 24,
} as const;

/** Address of a register operand in the CPU state; control, debug and segment registers are kept as numbers. */
const registerAddress = ({ plan, register }: DecodedOperand): number => {
  switch (plan.file) {
    case 'gpr':
      return register >= 16 ? gprAddress(register - 16) + 1 : gprAddress(register);
    case 'xmm':
      return xmmAddress(register);
    case 'mmx':
      return mmxAddress(register);
    default:
      return register;
  }
};

const addressRegister = (register: number): number =>
  register === NO_REGISTER
    ? ZERO_REGISTER
    : register === RIP_REGISTER
      ? FIELDS.pageLinear.address
      : gprAddress(register);

/** Register operands beyond the third are fixed registers, which semantics know by name. */
const RECORD_REGISTERS = 3;

/** Writes the decoded instruction as the record at `at`; `offset` is its place in its page. */
export const writeRecord = (
  view: DataView,
  at: number,
  handler: number,
  offset: number,
  decoded: Decoder,
): void => {
  view.setUint16(at + RECORD.handler, handler, true);
  view.setUint16(at + RECORD.offset, offset, true);
  view.setUint8(at + RECORD.length, decoded.length);
  view.setUint8(at + RECORD.modrm, decoded.modrm);
  const { base, index, segment } = decoded;
  let { displacement } = decoded;
  for (let i = 0; i < Math.min(decoded.operandCount, RECORD_REGISTERS); i++) {
    const operand = decoded.operands[i] as DecodedOperand;
    if (operand.kind === 'register')
      view.setUint16(at + RECORD.registers + i * 2, registerAddress(operand), true);
  }
  // Code at a page's linear address: the base register holds the page, the displacement the rest.
  if (base === RIP_REGISTER) displacement = (displacement + offset + decoded.length) | 0;
  view.setUint8(at + RECORD.segment, segment < 0 ? 0xff : segment);
  view.setUint8(at + RECORD.scale, decoded.scale);
  view.setUint16(at + RECORD.base, addressRegister(base), true);
  view.setUint16(at + RECORD.index, addressRegister(index), true);
  view.setUint16(at + RECORD.immediate2, decoded.immediate2, true);
  view.setInt32(at + RECORD.displacement, displacement, true);
  view.setInt32(at + RECORD.immediate, decoded.immediateLow, true);
  view.setInt32(at + RECORD.immediate + 4, decoded.immediateHigh, true);
};
