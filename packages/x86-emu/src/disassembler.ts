/**
 * Instruction text for humans, by Capstone (the optional peer dependency `capstone-wasm`): the engine's own decoder executes, it does not print.
 */
import type { Machine } from './machine.ts';

export interface DisassembledInstruction {
  /** Linear address. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Intel syntax. */
  readonly text: string;
}

export interface Disassembler {
  /** Disassembles code of 16, 32 or 64 bits until `count` instructions or the end of the bytes. */
  readonly disassemble: (
    bytes: Uint8Array,
    bits: 16 | 32 | 64,
    address: bigint,
    count?: number,
  ) => readonly DisassembledInstruction[];
  /** The instruction at the machine's RIP; undefined if it cannot be fetched or is none. */
  readonly current: (machine: Machine) => DisassembledInstruction | undefined;
  readonly close: () => void;
}

/** Loads Capstone. Rejects with an Error that names the package if it is not installed. */
export const createDisassembler = async (): Promise<Disassembler> => {
  const capstone = await load();
  const { Capstone, Const } = capstone;
  const modes = { 16: Const.CS_MODE_16, 32: Const.CS_MODE_32, 64: Const.CS_MODE_64 };
  const handles = new Map<number, InstanceType<typeof Capstone>>();
  const handle = (bits: 16 | 32 | 64): InstanceType<typeof Capstone> => {
    let known = handles.get(bits);
    if (!known) {
      known = new Capstone(Const.CS_ARCH_X86, modes[bits]);
      handles.set(bits, known);
    }
    return known;
  };
  const disassemble: Disassembler['disassemble'] = (bytes, bits, address, count = 0) =>
    handle(bits)
      .disasm(bytes, { address, count })
      .map((insn) => ({
        address: BigInt(insn.address),
        bytes: Uint8Array.from(insn.bytes),
        text: `${insn.mnemonic} ${insn.opStr}`.trim(),
      }));
  return {
    disassemble,
    current: (machine) =>
      disassemble(machine.codeBytes(), machine.codeBits, machine.readRegister('rip'), 1)[0],
    close: () => {
      for (const open of handles.values()) open.close();
      handles.clear();
    },
  };
};

const load = async (): Promise<typeof import('capstone-wasm')> => {
  try {
    const capstone = await import('capstone-wasm');
    await capstone.loadCapstone();
    return capstone;
  } catch (cause) {
    throw new Error('the disassembler needs the package capstone-wasm, which could not be loaded', {
      cause,
    });
  }
};
