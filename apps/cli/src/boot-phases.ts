/**
 * The phases of a UEFI boot (PI 1.7, volume 1, figure "PI architecture firmware phases"), told from what can be seen outside: where the
 * processor executes, in which mode, and what the serial line says.
 */

export const BOOT_PHASES = ['SEC', 'PEI', 'DXE', 'BDS', 'shell'] as const;
export type BootPhase = (typeof BOOT_PHASES)[number];

/** A point of a run. */
export interface Moment {
  /** Instructions retired, virtual nanoseconds and wall milliseconds since reset. */
  readonly instructions: number;
  readonly virtual: number;
  readonly wall: number;
}

/** The moment a phase was first seen. */
export interface PhaseMark extends Moment {
  readonly phase: BootPhase;
}

/** A phase with what it took, for people and for JSON. */
export interface PhaseReport {
  readonly phase: BootPhase;
  readonly instructions: number;
  readonly virtualSeconds: number;
  readonly wallSeconds: number;
}

/** What the processor shows between two instructions. */
export interface Sight {
  readonly rip: bigint;
  readonly longMode: boolean;
}

/** EFER.LMA (SDM Vol. 3A, 2.2.1). */
export const EFER_LMA: bigint = 1n << 10n;

export class BootPhases {
  readonly #flashBase: bigint;
  #marks: PhaseMark[];

  /** @param flashBase lowest address of the flash, below 4 GiB. */
  constructor(flashBase: number, marks?: readonly PhaseMark[]) {
    this.#flashBase = BigInt(flashBase);
    this.#marks = marks ? [...marks] : [];
    if (!marks) this.restart({ instructions: 0, virtual: 0, wall: 0 });
  }

  /** In order; the last one is the present phase. */
  get marks(): readonly PhaseMark[] {
    return this.#marks;
  }

  get current(): BootPhase {
    return this.#marks.at(-1)?.phase ?? 'SEC';
  }

  /** A reset: the firmware starts anew. */
  restart(moment: Moment): void {
    this.#marks = [{ phase: 'SEC', ...moment }];
  }

  /** SEC executes from flash, PEI from RAM before long mode, DXE in long mode. */
  see({ rip, longMode }: Sight, moment: Moment): void {
    if (longMode) this.enter('DXE', moment);
    else if (rip < this.#flashBase) this.enter('PEI', moment);
  }

  /** Phases only go forward; one that was passed already stays passed. */
  enter(phase: BootPhase, moment: Moment): void {
    if (BOOT_PHASES.indexOf(phase) > BOOT_PHASES.indexOf(this.current))
      this.#marks.push({ phase, ...moment });
  }

  /** What each phase took, up to `end`. */
  report(end: Moment): readonly PhaseReport[] {
    return this.#marks.map((mark, i) => {
      const next = this.#marks[i + 1] ?? end;
      return {
        phase: mark.phase,
        instructions: next.instructions - mark.instructions,
        virtualSeconds: (next.virtual - mark.virtual) / 1e9,
        wallSeconds: (next.wall - mark.wall) / 1e3,
      };
    });
  }
}
