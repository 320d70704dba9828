/** From power-on to the initial domain's entry point. */
import type { Outcome } from '@systab/efi-core';
import type { PcMachine, VmExit } from '@systab/x86-emu';
import { XENVER } from '../abi/hypercall.ts';
import { start_info, XEN_PV_MAGIC } from '../abi/start-info.ts';
import { DOM0_LAYOUT } from '../boot/dom0-kernel.ts';
import { Dom0 } from './dom0.ts';
import type { Dom0Options } from './dom0.ts';

export interface BootDom0Options extends Dom0Options {
  /** Most instructions up to the entry point; default 10 thousand million, fifteen times what OVMF and Xen take. */
  readonly bootBudget?: number;
}

/** Why there is no domain. */
export type BootDom0Failure =
  /** The run ended before the kernel's entry point: no image to start, a hypervisor that gave up, a budget too small. */
  | { readonly kind: 'not reached'; readonly exit: VmExit; readonly why: string }
  /** Something started the kernel, but not as Xen does. */
  | { readonly kind: 'no Xen'; readonly why: string }
  /** A Xen that speaks another ABI than the one known here. */
  | { readonly kind: 'unsupported Xen'; readonly version: string; readonly why: string };

const BOOT_BUDGET = 10e9;
/** The first version with all that is used here: BOOT_SNAPSHOT and PCI_ROM came with 4.3. */
const OLDEST = { major: 4, minor: 3 };

const describeExit = (exit: VmExit): string => {
  switch (exit.kind) {
    case 'budget':
      return 'the budget of instructions is used up';
    case 'halt':
      return 'the processor halted';
    case 'shutdown':
      return exit.event === 'off' ? 'the machine was switched off' : 'the machine was reset';
    case 'tripleFault':
      return `triple fault at 0x${exit.rip.toString(16)}`;
    default:
      return `the run ended with ${exit.kind}`;
  }
};

/** The version as a number pair: 4.17 is 0x40011. */
const checkVersion = (dom0: Dom0): BootDom0Failure | undefined => {
  const answer = dom0.hypercall('xen_version', [BigInt(XENVER.version), 0n]);
  if (answer.kind !== 'returned')
    return { kind: 'no Xen', why: 'the hypercall xen_version does not answer with a version' };
  const major = Number(answer.value >> 16n);
  const minor = Number(answer.value & 0xffffn);
  if (major === OLDEST.major && minor >= OLDEST.minor) return undefined;
  return {
    kind: 'unsupported Xen',
    version: `${String(major)}.${String(minor)}`,
    why: `expected ${String(OLDEST.major)}.${String(OLDEST.minor)} or a later 4.x`,
  };
};

/**
 * Runs a PC whose firmware starts a unified image of `dom0Kernel` until the hypervisor enters the kernel, and takes the domain over
 * there. What the machine printed on the way says more about a failure than the value given here.
 */
export const bootDom0 = (
  pc: PcMachine,
  { bootBudget = BOOT_BUDGET, ...options }: BootDom0Options = {},
): Outcome<Dom0, BootDom0Failure> => {
  const exit = pc.run({ budget: bootBudget, until: DOM0_LAYOUT.entry });
  if (exit.kind !== 'until') {
    const why = `${describeExit(exit)} before the entry point of dom0`;
    return { ok: false, error: { kind: 'not reached', exit, why } };
  }
  return enterDom0(pc.machine, options);
};

/** Takes the domain over on a machine that stands at the kernel's entry point. */
export const enterDom0 = (
  machine: PcMachine['machine'],
  options: Dom0Options = {},
): Outcome<Dom0, BootDom0Failure> => {
  const bytes = machine.readLinear(machine.readRegister('rsi'), start_info.size());
  const info = bytes === undefined ? undefined : start_info.decode(bytes);
  if (info?.ok !== true || !info.value.magic.startsWith(XEN_PV_MAGIC))
    return {
      ok: false,
      error: { kind: 'no Xen', why: `RSI does not point to start_info with ${XEN_PV_MAGIC}` },
    };
  const dom0 = new Dom0(machine, info.value, options);
  const trouble = checkVersion(dom0);
  return trouble === undefined ? { ok: true, value: dom0 } : { ok: false, error: trouble };
};
