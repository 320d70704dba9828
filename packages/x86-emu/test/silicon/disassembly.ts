/** Instruction text for reports, through iced-x86 (development only: its build needs Node). */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import type { CpuCase } from './cpu-case.ts';

export const disassemble = (
  code: Uint8Array,
  mode: CpuCase['form']['mode'],
  at: bigint,
): string => {
  const decoder = new Decoder(mode, code, DecoderOptions.None);
  decoder.ip = at;
  const instruction = decoder.decode();
  const formatter = new Formatter(FormatterSyntax.Intel);
  const text = formatter.format(instruction);
  formatter.free();
  instruction.free();
  decoder.free();
  return text;
};
