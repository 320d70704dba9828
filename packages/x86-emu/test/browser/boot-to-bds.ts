// A boot of OVMF up to the boot manager, the same in a page and in Node.js.
import { PcMachine } from '@systab/x86-emu';

export interface BootOutcome {
  readonly serial: string;
  readonly instructions: number;
  readonly traceHash: string;
}

const BOOT_MANAGER = 'BdsDxe: starting';
const BUDGET = 2e9;
/** Instructions between two rests, in which the page's other work is done. */
const SLICE = 5e6;

/** Throws an Error if the boot ends before the boot manager starts something. */
export const bootToBds = async (code: Uint8Array, vars: Uint8Array): Promise<BootOutcome> => {
  let serial = '';
  const pc: PcMachine = new PcMachine({
    flash: [
      { image: code, readOnly: true },
      { image: vars, readOnly: false },
    ],
    onSerial: (byte) => {
      serial += String.fromCharCode(byte);
      if (serial.endsWith(BOOT_MANAGER)) pc.machine.stop({ kind: 'trap', reason: BOOT_MANAGER });
    },
  });
  const { machine } = pc;
  while (machine.retired < BUDGET) {
    const exit = pc.run({ budget: SLICE });
    if (exit.kind === 'trap')
      return { serial, instructions: machine.retired, traceHash: machine.traceHash };
    if (exit.kind !== 'budget') throw new Error(`the boot ended with ${exit.kind}: ${serial}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error(`no boot manager after ${BUDGET} instructions: ${serial}`);
};
