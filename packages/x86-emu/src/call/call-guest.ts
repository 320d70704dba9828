/** Calls into guest code from outside, and checks that it kept the calling convention. */
import { FLAG } from '../cpu/control-bits.ts';
import { FPU } from '../cpu/state-layout.ts';
import { readFcw, readTags } from '../fpu/x87-state.ts';
import type { Machine } from '../machine.ts';
import type { RegisterName } from '../machine/registers.ts';
import type { VmExit } from '../machine/vm-exit.ts';
import { CALLING_CONVENTIONS } from './convention.ts';
import type { CallingConvention, CallingConventionName } from './convention.ts';

export interface CallOptions {
  /** Stack pointer to call with; default: the present one. It is aligned down as the convention demands. */
  readonly stack?: bigint;
  /** Most instructions; default 100 million. */
  readonly budget?: number;
  /**
   * Return address, a linear address where the guest has no code. Default: near the top of the address space
   * (0xffff_ffff_7fff_f000; 0xffff_f000 for 32-bit code).
   */
  readonly returnAddress?: bigint;
}

/** A rule of the convention that the callee broke. */
export interface Breach {
  /** What: a register, `stack pointer`, `direction flag`, `MXCSR`, `x87 control word` or `x87 tags`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

export interface CallResult {
  /** How the run ended; `until` if the callee returned. */
  readonly exit: VmExit;
  readonly returned: boolean;
  /** Contents of the return register, unsigned. */
  readonly value: bigint;
  /** Rules broken; empty if the callee did not return. */
  readonly breaches: readonly Breach[];
  /** Instructions executed. */
  readonly instructions: number;
  /** Stack pointer at the entry, where the return address was. */
  readonly stack: bigint;
}

const DEFAULT_BUDGET = 100_000_000;
const RETURN_ADDRESS = { 4: 0xffff_f000n, 8: 0xffff_ffff_7fff_f000n } as const;
/** MXCSR bits that belong to the callee only until it returns: the exception flags. */
const MXCSR_CONTROL = 0xffc0n;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Return address, shadow space and stack arguments as they lie in memory. */
const stackFrame = (
  { slot, shadowSpace }: CallingConvention,
  returnAddress: bigint,
  onStack: readonly bigint[],
): Uint8Array => {
  const frame = new Uint8Array(slot + shadowSpace + onStack.length * slot);
  const view = new DataView(frame.buffer);
  const put = (at: number, value: bigint): void => {
    if (slot === 8) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
  };
  put(0, returnAddress);
  onStack.forEach((value, i) => put(slot + shadowSpace + i * slot, value));
  return frame;
};

/**
 * Calls the guest function at `entry` (an offset in the present CS) with integer arguments and runs it until it returns.
 * RIP and the stack pointer are put back afterwards; other registers are as the callee left them.
 * Throws a RangeError if the stack is not mapped to memory.
 */
export const callGuest = (
  machine: Machine,
  convention: CallingConventionName | CallingConvention,
  entry: bigint,
  args: readonly bigint[] = [],
  options: CallOptions = {},
): CallResult => {
  const rules = typeof convention === 'string' ? CALLING_CONVENTIONS[convention] : convention;
  const { slot, argumentRegisters, shadowSpace } = rules;
  const pointer: RegisterName = slot === 8 ? 'rsp' : 'esp';
  const rip = machine.readRegister('rip');
  const outerStack = machine.readRegister('rsp');
  const returnAddress = options.returnAddress ?? RETURN_ADDRESS[slot];

  const onStack = args.slice(argumentRegisters.length);
  const size = BigInt(shadowSpace + onStack.length * slot);
  const top = (options.stack ?? machine.readRegister(pointer)) - size;
  const aligned = top & ~BigInt(rules.stackAlignment - 1);
  const frame = stackFrame(rules, returnAddress, onStack);
  const stack = aligned - BigInt(slot);
  if (!machine.writeLinear(stack, frame))
    throw new RangeError(`stack at ${hex(stack)}: ${frame.length} bytes are not mapped to memory`);

  argumentRegisters.forEach((name, i) => {
    const value = args[i];
    if (value !== undefined) machine.writeRegister(name, value);
  });
  machine.writeRegister(pointer, stack);
  machine.writeRegister('rflags', machine.readRegister('rflags') & ~BigInt(FLAG.DF));
  machine.writeRegister('rip', entry);
  const before = observe(machine, rules);
  const start = machine.retired;
  const exit = machine.runToReturn(returnAddress, options.budget ?? DEFAULT_BUDGET);
  const returned = exit.kind === 'until';
  const result: CallResult = {
    exit,
    returned,
    value: machine.readRegister(rules.returnRegister),
    breaches: returned
      ? compare(rules, before, observe(machine, rules), aligned, machine.readRegister(pointer))
      : [],
    instructions: machine.retired - start,
    stack,
  };
  if (returned) {
    machine.writeRegister('rip', rip);
    machine.writeRegister('rsp', outerStack);
  }
  return result;
};

const CHECKED_STATE = ['direction flag', 'MXCSR', 'x87 control word', 'x87 tags'] as const;

/** What the callee must give back: its preserved registers, then `CHECKED_STATE`. */
const observe = (machine: Machine, { calleeSaved }: CallingConvention): readonly bigint[] => {
  const x87 = { view: machine.state.x87.view, base: FPU };
  const values = calleeSaved.map((name) => machine.readRegister(name));
  values.push(
    machine.readRegister('rflags') & BigInt(FLAG.DF),
    machine.readRegister('mxcsr') & MXCSR_CONTROL,
    BigInt(readFcw(x87)),
    BigInt(readTags(x87)),
  );
  return values;
};

const compare = (
  { calleeSaved }: CallingConvention,
  before: readonly bigint[],
  after: readonly bigint[],
  expectedStack: bigint,
  actualStack: bigint,
): readonly Breach[] => {
  const breaches: Breach[] = [];
  const check = (what: string, expected: bigint, actual: bigint): void => {
    if (expected !== actual) breaches.push({ what, expected: hex(expected), actual: hex(actual) });
  };
  check('stack pointer', expectedStack, actualStack);
  [...calleeSaved, ...CHECKED_STATE].forEach((what, i) =>
    check(what, before[i] ?? 0n, after[i] ?? 0n),
  );
  return breaches;
};
