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
  /** Linear address. */
  readonly rip: bigint;
  readonly longMode: boolean;
  /** Where the page tables are. */
  readonly cr3: bigint;
}

/** EFER.LMA (SDM Vol. 3A, 2.2.1). */
export const EFER_LMA: bigint = 1n << 10n;

const FOUR_GIB = 1n << 32n;

export class BootPhases {
  readonly #flashBase: bigint;
  #marks: PhaseMark[];
  /** Page tables of a SEC phase that runs in long mode, in builds that are 64-bit throughout. PEI keeps them, DXE brings its own. */
  #earlyTables: bigint | undefined;

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
    this.#earlyTables = undefined;
  }

  /** SEC executes from flash, PEI from RAM, DXE from RAM in long mode with its own page tables. */
  see({ rip, longMode, cr3 }: Sight, moment: Moment): void {
    const inFlash = rip >= this.#flashBase && rip < FOUR_GIB;
    if (inFlash) {
      if (longMode && this.current === 'SEC') this.#earlyTables = cr3;
    } else {
      this.enter(longMode && cr3 !== this.#earlyTables ? 'DXE' : 'PEI', moment);
    }
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
