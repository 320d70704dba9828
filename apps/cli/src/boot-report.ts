/** How a boot is shown: the line while it runs, the summary after it. */
import type { BootPhase, PhaseReport } from './boot-phases.ts';
import type { BootEnd, BootRun } from './boot-run.ts';
import type { BootProfile } from './profile/boot-profile.ts';
import { formatProfile } from './profile/profile-table.ts';
import { styled } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { describePlace, formatTail } from './verdict/place.ts';
import type { VerdictLine } from './verdict/place.ts';
import type { Verdict } from './verdict/verdict.ts';

/** What `--json` prints. */
export interface BootReport {
  readonly end: BootEnd;
  /** What the end means, in words. */
  readonly verdict: string;
  /** What the processor did last, oldest first; for ends that are somebody's fault. */
  readonly last?: readonly VerdictLine[];
  readonly firmware: { readonly code: string; readonly vars: string | null };
  readonly phases: readonly PhaseReport[];
  readonly instructions: number;
  readonly virtualSeconds: number;
  /** Wall time of this process's boot; the phases' are those of the boot that filled the cache, if it came from there. */
  readonly wallSeconds: number;
  /** Millions of instructions per second that this process executed. */
  readonly mips: number;
  readonly traceHash: string;
  readonly cache: CacheUse;
  readonly profile?: BootProfile;
  /** What the guest sent, one character for each byte. */
  readonly serial: string;
}

export type CacheUse = 'off' | 'hit' | 'stored' | 'not stored';

const ERASE_LINE = '\r\u001b[K';
const REDRAW_MS = 100;

const phaseWords: Readonly<Record<BootPhase, string>> = {
  SEC: 'firmware unpacks itself',
  PEI: 'memory is set up',
  DXE: 'drivers start',
  BDS: 'boot manager',
  shell: 'takes commands',
};

/** A line on standard error that says where the boot is; gone when the boot ends or the guest writes to the same terminal. */
export class ProgressLine {
  readonly #terminal: Terminal;
  #drawn = false;
  #next = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(run: BootRun): void {
    const now = performance.now();
    if (this.#terminal.progress === undefined || now < this.#next) return;
    if (this.#terminal.progress === 'until output' && run.serialLength > 0) return;
    this.#next = now + REDRAW_MS;
    this.#drawn = true;
    const { instructions, wall, virtual } = run.moment;
    const phase = run.phases.current;
    this.#terminal.err(
      `${ERASE_LINE}${phase.padEnd(5)} ${phaseWords[phase]}  ${(instructions / 1e6).toFixed(0)} M instructions, ${(virtual / 1e9).toFixed(1)} s virtual, ${(wall / 1e3).toFixed(1)} s`,
    );
  }

  erase(): void {
    if (this.#drawn) this.#terminal.err(ERASE_LINE);
    this.#drawn = false;
  }
}

/** What an end means. */
export const describeEnd = (
  end: BootEnd,
  { place, code }: Pick<Verdict, 'place' | 'code'>,
): string => {
  const at = `at ${describePlace(place)}, code ${code}`;
  switch (end.kind) {
    case 'prompt':
      return 'the shell waits for a command';
    case 'until':
      return 'the text appeared';
    case 'session':
      return 'the session was ended';
    case 'kernel':
      return 'the firmware started the operating system';
    case 'budget':
      return `the budget was used up ${at}`;
    case 'deadLoop':
      return `the guest gave up: a loop without effect, interrupts off, ${at}`;
    case 'halt':
      return `the processor halted for good ${at}`;
    case 'tripleFault':
      return `triple fault ${at}: exception ${end.vector} could not be delivered`;
    case 'shutdown':
      return end.event === 'off'
        ? `power off (${end.source})`
        : `reset (${end.source}), --no-reboot`;
    case 'exception':
      return `exception ${end.vector} ${at}`;
    case 'breakpoint':
      return `breakpoint ${at}`;
    case 'unclaimed':
      return `nothing answers at ${end.space} 0x${end.address.toString(16)}, ${at}`;
  }
};

const cacheWords: Readonly<Record<CacheUse, string>> = {
  off: 'not used',
  hit: 'restored from it',
  stored: 'stored: the next boot starts here',
  'not stored': 'nothing stored',
};

const seconds = (value: number): string => `${value.toFixed(2)} s`;

/** The summary for people: on standard error, for standard output is the guest's. */
export const showSummary = (terminal: Terminal, report: BootReport): void => {
  const rows = report.phases.map(
    ({ phase, instructions, virtualSeconds, wallSeconds }) =>
      `${phase.padEnd(6)}${`${(instructions / 1e6).toFixed(1)} M`.padStart(14)}${seconds(virtualSeconds).padStart(12)}${seconds(wallSeconds).padStart(10)}`,
  );
  const cached = report.cache === 'hit' ? '  (wall: of the boot in the cache)' : '';
  terminal.err(
    [
      '',
      '',
      styled(
        terminal,
        'bold',
        `${'phase'.padEnd(6)}${'instructions'.padStart(14)}${'virtual'.padStart(12)}${'wall'.padStart(10)}`,
      ) + cached,
      ...rows,
      '',
      `end          ${report.verdict}`,
      ...(report.last ? formatTail(report.last).map((line) => `             ${line}`) : []),
      `executed     ${report.instructions} instructions, ${seconds(report.virtualSeconds)} virtual, ${seconds(report.wallSeconds)} wall`,
      ...(report.cache === 'hit'
        ? []
        : [`speed        ${report.mips.toFixed(0)} million instructions per second`]),
      `trace hash   ${report.traceHash}`,
      `cache        ${cacheWords[report.cache]}`,
      '',
      ...(report.profile ? [formatProfile(terminal, report.profile)] : []),
    ].join('\n'),
  );
};
