/** One boot: runs the machine in slices, types what is to be typed, notices phases, and says how it ended. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { PcMachine, VmExit } from '@systab/x86-emu';
import { BootPhases, EFER_LMA } from './boot-phases.ts';
import type { Moment } from './boot-phases.ts';
import { DeadLoop } from './dead-loop.ts';
import { SerialWatch } from './serial-watch.ts';
import { InstructionTail, TAIL_LENGTH } from './verdict/instruction-tail.ts';
import type { TailStep } from './verdict/instruction-tail.ts';
import type { PastRun, SerialInput } from './verdict/replay.ts';

/** Why a boot ended: the machine's reasons, and those of the command. */
export type BootEnd =
  | { readonly kind: 'until' | 'prompt' | 'session' | 'kernel' }
  /** A loop without any effect, interrupts off: how firmware says that it cannot go on. */
  | { readonly kind: 'deadLoop'; readonly rip: bigint }
  | Exclude<VmExit, { readonly kind: 'until' | 'trap' }>;

/** What a boot is to do. */
export interface BootScript {
  /** Ends the boot when the serial output contains it. */
  readonly until: string | undefined;
  /** Typed line by line, each at the next prompt of the shell. */
  readonly lines: readonly string[];
  /** Somebody types: no prompt ends the boot. */
  readonly interactive: boolean;
  /** Most instructions, counted from the first reset. */
  readonly budget: number;
  /** Resets are carried out; otherwise they end the boot. */
  readonly reboot: boolean;
}

/** What a boot tells while it runs. */
export interface BootObserver {
  readonly onSerial: (bytes: Uint8Array) => void;
  readonly onProgress: (run: BootRun) => void;
  /** Before the firmware first asks for a kernel: up to here, which kernel it is makes no difference. */
  readonly onKernel?: (run: BootRun) => void;
  /** At the first prompt, or where `until` ended the boot before one: the state that a later boot can start from. */
  readonly onSettled: (run: BootRun) => void;
}

/** State of a boot that a later one continues. */
export interface BootStart {
  readonly phases: BootPhases;
  readonly serial: Uint8Array;
  /** Wall milliseconds that it took to get there. */
  readonly wall: number;
  /** It was the state that `onSettled` speaks of. */
  readonly settled: boolean;
}

/** Instructions between two looks at the phases: a few milliseconds of wall time. */
const SLICE = 1_000_000;
/** The same while somebody types: few enough that an idle guest sleeps no longer than a few ticks of its timer in each. */
const INTERACTIVE_SLICE = 50_000;
const STOP = 'something to be done';
/** The selector port of fw_cfg, and the items about a kernel (QEMU, docs/specs/fw_cfg). */
const FW_CFG_SELECTOR = 0x510;
const KERNEL_ITEMS = new Set([
  0x07, 0x08, 0x0a, 0x0b, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
]);
/** A machine that waits gives the host's processor back, in steps short enough for typing. */
const LONGEST_WAIT_MS = 100;

export class BootRun {
  readonly phases: BootPhases;
  readonly #pc: PcMachine;
  readonly #script: BootScript;
  readonly #observer: BootObserver;
  readonly #watch: SerialWatch;
  readonly #serial: number[] = [];
  readonly #lines: string[];
  /** `performance.now()` of the reset, as if the earlier boot had just been. */
  readonly reset: number;
  readonly #deadLoop = new DeadLoop();
  /** Instructions that were retired before this run. */
  readonly #first: number;
  readonly #inputs: SerialInput[] = [];
  #tail: readonly TailStep[] | undefined;
  #shown = 0;
  #sawText = false;
  #sawPrompt = false;
  #sawKernel = false;
  #settled: boolean;
  #session = true;
  /** Somebody typed: the run is no longer what its options make of it. */
  #touched = false;

  /** @param start the machine stands where an earlier boot settled. */
  constructor(
    pc: PcMachine,
    flashBase: number,
    script: BootScript,
    observer: BootObserver,
    start?: BootStart,
  ) {
    this.#pc = pc;
    this.#script = script;
    this.#observer = observer;
    this.#watch = new SerialWatch(script.until);
    this.#lines = [...script.lines];
    this.reset = performance.now() - (start?.wall ?? 0);
    this.phases = start?.phases ?? new BootPhases(flashBase);
    this.#settled = start?.settled ?? false;
    this.#first = pc.machine.retired;
    if (observer.onKernel) this.#watchKernel();
    for (const byte of start?.serial ?? []) this.#take(byte);
  }

  get serialLength(): number {
    return this.#serial.length;
  }

  /** Everything that the guest sent so far. */
  get serial(): Uint8Array {
    return Uint8Array.from(this.#serial);
  }

  /** Instructions that this run executed itself. */
  get executed(): number {
    return this.#pc.machine.retired - this.#first;
  }

  /** Linear address of the next instruction. */
  get address(): bigint {
    const { machine } = this.#pc;
    return BigInt.asUintN(64, machine.segment('cs').base + machine.rip);
  }

  get moment(): Moment {
    return {
      instructions: this.#pc.machine.retired,
      virtual: this.#pc.machine.clock.now(),
      wall: performance.now() - this.reset,
    };
  }

  /** A byte from the guest's serial line: the machine stops where something is to be done. */
  receive(byte: number): void {
    const { text, line } = this.#take(byte);
    if (line === 'boot-manager') this.phases.enter('BDS', this.moment);
    if (line === 'prompt') this.phases.enter('shell', this.moment);
    if (text || line === 'prompt') this.#pc.machine.stop({ kind: 'trap', reason: STOP });
  }

  /** What the machine did last, where the run saw its end coming. */
  get tail(): readonly TailStep[] | undefined {
    return this.#tail;
  }

  /** This run, for somebody who repeats it. */
  get past(): PastRun {
    const { retired, traceHash } = this.#pc.machine;
    return { end: retired, traceHash, inputs: this.#inputs, reboot: this.#script.reboot };
  }

  /** Bytes from somebody's keyboard. */
  type(bytes: Uint8Array): void {
    this.#touched = true;
    this.#send(bytes);
  }

  /** Whoever types has had enough. */
  leave(): void {
    this.#session = false;
  }

  async run(): Promise<BootEnd> {
    const { machine } = this.#pc;
    const slice = this.#script.interactive ? INTERACTIVE_SLICE : SLICE;
    let end = this.#pending();
    while (!end) {
      const skipped = machine.clock.skipped;
      const left = this.#script.budget - machine.retired;
      const exit =
        left > TAIL_LENGTH
          ? this.#pc.run({ budget: Math.min(slice, left - TAIL_LENGTH) })
          : this.#watched(Math.max(0, left));
      this.phases.see(
        {
          rip: this.address,
          cr3: machine.readRegister('cr3'),
          longMode: (machine.readRegister('efer') & EFER_LMA) !== 0n,
        },
        this.moment,
      );
      this.#flush();
      end = this.#endOf(exit) ?? this.#pending();
      if (!end) {
        this.#observer.onProgress(this);
        await this.#pause(machine.clock.skipped - skipped);
      }
    }
    this.#flush();
    return end;
  }

  /** What an exit means for the boot; nothing when it goes on. */
  #endOf(exit: VmExit): BootEnd | undefined {
    switch (exit.kind) {
      case 'budget':
        if (this.#pc.machine.retired >= this.#script.budget) return exit;
        if (!this.#deadLoop.isIn(this.#pc.machine)) return undefined;
        this.#watched(TAIL_LENGTH);
        return { kind: 'deadLoop', rip: this.address };
      case 'trap':
        return undefined;
      case 'until':
        throw new Error('the machine stopped at an address that nobody asked for');
      case 'shutdown':
        if (exit.event === 'off' || !this.#script.reboot) return exit;
        this.#pc.reset();
        this.phases.restart(this.moment);
        return undefined;
      default:
        return exit;
    }
  }

  /** Deals with what the serial output completed. */
  #pending(): BootEnd | undefined {
    if (this.#sawKernel) {
      this.#sawKernel = false;
      this.#observer.onKernel?.(this);
    }
    const text = this.#sawText;
    const prompt = this.#sawPrompt;
    this.#sawText = false;
    this.#sawPrompt = false;
    if ((text || prompt) && !this.#settled) {
      this.#settled = true;
      if (!this.#touched) this.#observer.onSettled(this);
    }
    if (text) return { kind: 'until' };
    if (!this.#session) return { kind: 'session' };
    if (!prompt) return undefined;
    const line = this.#lines.shift();
    if (line !== undefined) this.#send(new TextEncoder().encode(`${line}\r`));
    else if (!this.#script.interactive && this.#script.until === undefined)
      return { kind: 'prompt' };
    return undefined;
  }

  /** Runs the last instructions, one by one. */
  #watched(budget: number): VmExit {
    const tail = new InstructionTail(this.#pc.machine);
    const exit = this.#pc.run({ budget });
    this.#tail = tail.end();
    return exit;
  }

  #send(bytes: Uint8Array): void {
    this.#inputs.push({ at: this.#pc.machine.retired, bytes });
    this.#pc.sendSerial(bytes);
  }

  #watchKernel(): void {
    const { machine } = this.#pc;
    machine.hooks.port = (port, _bytes, value, write) => {
      if (!write || port !== FW_CFG_SELECTOR || !KERNEL_ITEMS.has(value)) return;
      machine.hooks.port = undefined;
      this.#sawKernel = !this.#touched;
      machine.stop({ kind: 'trap', reason: STOP });
    };
  }

  #take(byte: number): ReturnType<SerialWatch['take']> {
    this.#serial.push(byte);
    const events = this.#watch.take(byte);
    this.#sawText ||= events.text;
    this.#sawPrompt = events.line === 'prompt';
    return events;
  }

  #flush(): void {
    if (this.#shown === this.#serial.length) return;
    this.#observer.onSerial(Uint8Array.from(this.#serial.slice(this.#shown)));
    this.#shown = this.#serial.length;
  }

  /** Lets the host's events in; when somebody types, the time that the machine was halted passes for them too. */
  async #pause(halted: number): Promise<void> {
    const wait = Math.min(halted / 1e6, LONGEST_WAIT_MS);
    if (this.#script.interactive && wait >= 1) await setTimeout(wait);
    else await setImmediate();
  }
}
