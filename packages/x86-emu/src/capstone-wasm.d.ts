// The package's own declarations cannot be found through its `exports`; this is the part that `disassembler.ts` uses.
declare module 'capstone-wasm' {
  interface Insn {
    readonly address: number | bigint;
    readonly bytes: Uint8Array;
    readonly mnemonic: string;
    readonly opStr: string;
  }
  class Capstone {
    constructor(arch: number, mode: number);
    disasm(
      data: Uint8Array,
      options?: { address?: number | bigint; count?: number },
    ): readonly Insn[];
    close(): void;
  }
  const Const: {
    readonly CS_ARCH_X86: number;
    readonly CS_MODE_16: number;
    readonly CS_MODE_32: number;
    readonly CS_MODE_64: number;
  };
  const loadCapstone: () => Promise<void>;
}
