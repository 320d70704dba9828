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

const bytesOf = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

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
  const frame = Uint8Array.from([
    ...bytesOf(returnAddress, slot),
    ...new Uint8Array(shadowSpace),
    ...onStack.flatMap((value) => [...bytesOf(value, slot)]),
  ]);
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
    breaches: returned ? compare(before, observe(machine, rules), pointer, aligned, machine) : [],
    instructions: machine.retired - start,
    stack,
  };
  if (returned) {
    machine.writeRegister('rip', rip);
    machine.writeRegister('rsp', outerStack);
  }
  return result;
};

/** What the callee must give back. */
const observe = (machine: Machine, rules: CallingConvention): ReadonlyMap<string, bigint> => {
  const x87 = { view: machine.state.x87.view, base: FPU };
  return new Map<string, bigint>([
    ...rules.calleeSaved.map((name): [string, bigint] => [name, machine.readRegister(name)]),
    ['direction flag', machine.readRegister('rflags') & BigInt(FLAG.DF)],
    ['MXCSR', machine.readRegister('mxcsr') & MXCSR_CONTROL],
    ['x87 control word', BigInt(readFcw(x87))],
    ['x87 tags', BigInt(readTags(x87))],
  ]);
};

const compare = (
  before: ReadonlyMap<string, bigint>,
  after: ReadonlyMap<string, bigint>,
  pointer: RegisterName,
  expectedStack: bigint,
  machine: Machine,
): readonly Breach[] => {
  const breaches: Breach[] = [];
  const check = (what: string, expected: bigint, actual: bigint): void => {
    if (expected !== actual) breaches.push({ what, expected: hex(expected), actual: hex(actual) });
  };
  check('stack pointer', expectedStack, machine.readRegister(pointer));
  for (const [what, expected] of before) check(what, expected, after.get(what) ?? 0n);
  return breaches;
};
