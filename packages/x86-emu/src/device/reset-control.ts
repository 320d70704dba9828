// Reset control register 0xcf9 and system control port A (0x92).
// Datasheet: Intel 82371SB (PIIX3), 290550, 2.5.4.3 (RC) ; IBM PS/2 hardware interface (port 92). A20 is always open.

import type { CpuSignals, StateObject, PortRange } from './ops.ts';

export type ResetControlState = StateObject & { readonly rc: number; readonly port92: number };

export interface ResetControl {
  readonly portRanges: readonly PortRange[];
  readonly reset: () => void;
  readonly save: () => ResetControlState;
  readonly load: (state: ResetControlState) => void;
}

const RC_RESET_CPU = 0x04;
const RC_KEPT = 0x02;
const FAST_INIT = 0x01;

export const createResetControl = (ops: {
  readonly signals: Pick<CpuSignals, 'power'>;
}): ResetControl => {
  let rc = 0;
  let port92 = 0;
  return {
    portRanges: [
      {
        name: 'reset control',
        first: 0xcf9,
        count: 1,
        maxSize: 1,
        handler: {
          read: () => rc,
          write: (_offset, _size, value) => {
            if ((value & RC_RESET_CPU) !== 0)
              ops.signals.power({ kind: 'reset', source: 'port 0xcf9' });
            else rc = value & RC_KEPT;
          },
        },
      },
      {
        name: 'system control port A',
        first: 0x92,
        count: 1,
        maxSize: 1,
        handler: {
          read: () => port92,
          write: (_offset, _size, value) => {
            const rose = (value & ~port92 & FAST_INIT) !== 0;
            port92 = value;
            if (rose) ops.signals.power({ kind: 'reset', source: 'port 0x92' });
          },
        },
      },
    ],
    reset: () => {
      rc = port92 = 0;
    },
    save: () => ({ rc, port92 }),
    load: (state) => {
      ({ rc, port92 } = state);
    },
  };
};
