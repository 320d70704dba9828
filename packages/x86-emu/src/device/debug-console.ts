// Debug console at port 0x402: every byte written goes to the host. Reads 0xe9, by which software finds it.
// Source: QEMU isa-debugcon, as OVMF's debug builds use it.

import type { PortRange } from './ops.ts';

const DEBUG_CONSOLE_PORT = 0x402;
const PRESENT = 0xe9;

export const createDebugConsole = (
  transmit: (byte: number) => void,
): { readonly portRanges: readonly PortRange[] } => ({
  portRanges: [
    {
      name: 'debug console',
      first: DEBUG_CONSOLE_PORT,
      count: 1,
      maxSize: 1,
      handler: { read: () => PRESENT, write: (_offset, _size, value) => transmit(value) },
    },
  ],
});
