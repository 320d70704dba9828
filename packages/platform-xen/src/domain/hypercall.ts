/** What comes of a hypercall: a value, an error number of Xen, or no return at all. Never an EFI status. */
import { efiFail, EfiStatus } from '@systab/efi-core';
import type { EfiFailure, MachineOutcome } from '@systab/efi-core';
import type { Breach, CallingConvention } from '@systab/x86-emu';
import type { HypercallName, XenErrno } from '../abi/hypercall.ts';

/** How a hypercall ended. */
export type HypercallOutcome =
  /** With a value of 0 or more. */
  | { readonly kind: 'returned'; readonly value: bigint }
  /** With a negative value: transport or validation, nothing was copied back. */
  | { readonly kind: 'failed'; readonly errno: XenErrno }
  /** It did not come back: the machine is gone. */
  | { readonly kind: 'left'; readonly how: Exclude<MachineOutcome, 'returned'> }
  /** It did not come back within its budget, or control turned up elsewhere. */
  | { readonly kind: 'hung'; readonly why: string };

/** What a hypercall that did not return a value leaves. */
export type HypercallFailure = Exclude<HypercallOutcome, { readonly kind: 'returned' }>;

/** A value that hypercalls were asked for, or why there is none. */
export type XenResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: HypercallFailure };

/** One hypercall as it went through. */
export interface HypercallRecord {
  readonly name: HypercallName;
  readonly args: readonly bigint[];
  readonly outcome: HypercallOutcome;
  /** Guest instructions, those of the hypervisor and the firmware included. */
  readonly instructions: number;
  /** Rules of the calling convention that were broken. */
  readonly breaches: readonly Breach[];
}

/** Success. */
export const xenOk = <T>(value: T): XenResult<T> => ({ ok: true, value });

/** The result of a hypercall whose value does not matter. */
export const xenDone = (outcome: HypercallOutcome): XenResult<bigint> =>
  outcome.kind === 'returned' ? xenOk(outcome.value) : { ok: false, failure: outcome };

/** `result` with its value passed through `change`. */
export const mapXen = <T, U>(result: XenResult<T>, change: (value: T) => U): XenResult<U> =>
  result.ok ? xenOk(change(result.value)) : result;

/** A failure in words: `-EFAULT from XENPF_firmware_info`. */
export const formatHypercallFailure = (failure: HypercallFailure, what: string): string => {
  switch (failure.kind) {
    case 'failed':
      return `-${failure.errno} from ${what}`;
    case 'left':
      return `the machine was ${failure.how} in ${what}`;
    case 'hung':
      return `${what}: ${failure.why}`;
  }
};

/**
 * A failure for code that knows only EFI: EFI_UNSUPPORTED for every error number, as Linux has it (drivers/xen/efi.c), EFI_ABORTED when
 * control did not come back. The error number is in the reason and nowhere else.
 */
export const hypercallEfiFailure = (failure: HypercallFailure, what: string): EfiFailure =>
  efiFail(failure.kind === 'failed' ? EfiStatus.UNSUPPORTED : EfiStatus.ABORTED, {
    why: formatHypercallFailure(failure, what),
  });

/** Calls of the hypercall page's stubs: arguments as for SYSCALL, RCX and R11 kept by the stub (Xen 4.17, arch-x86/xen-x86_64.h). */
export const HYPERCALL_CONVENTION: CallingConvention = Object.freeze({
  name: 'xen-hypercall',
  slot: 8,
  argumentRegisters: Object.freeze(['rdi', 'rsi', 'rdx', 'r10', 'r8'] as const),
  shadowSpace: 0,
  stackAlignment: 16,
  returnRegister: 'rax',
  calleeSaved: Object.freeze(['rbx', 'rbp', 'rcx', 'r11', 'r12', 'r13', 'r14', 'r15'] as const),
});
