/** One decoded instruction with all its operand values: what the translator specialises for. */
import type { DecodedOperand, Decoder } from '../decode/decoder.ts';
import type { CodeMode } from '../isa/emit.ts';
import { shapeKey, shapeOf } from './shape.ts';
import type { InstructionShape } from './shape.ts';

export interface ConcreteInstruction {
  readonly shape: InstructionShape;
  readonly key: string;
  /** Register numbers by operand (decoder's numbering). */
  readonly registers: readonly number[];
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  readonly segment: number;
  readonly immediate: bigint;
  readonly immediate2: number;
  /** Offset in its page, length in bytes. */
  readonly offset: number;
  readonly length: number;
  /** Its record. */
  readonly record: number;
}

/** Takes the decoder's present instruction. */
export const concreteInstruction = (
  decoded: Decoder,
  mode: CodeMode,
  offset: number,
  record: number,
): ConcreteInstruction => ({
  shape: shapeOf(decoded, mode),
  key: shapeKey(decoded, mode),
  registers: decoded.operands
    .slice(0, decoded.operandCount)
    .map(({ register }: DecodedOperand) => register),
  base: decoded.base,
  index: decoded.index,
  scale: decoded.scale,
  displacement: decoded.displacement,
  segment: decoded.segment,
  immediate: BigInt.asIntN(
    64,
    (BigInt(decoded.immediateHigh) << 32n) | BigInt(decoded.immediateLow >>> 0),
  ),
  immediate2: decoded.immediate2,
  offset,
  length: decoded.length,
  record,
});
