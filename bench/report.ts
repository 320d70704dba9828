// The tables of a benchmark run.
import type { BootResults } from './boot/boots.ts';
import { EVENT_TITLES, GUEST_WORK, SYSTEM_EVENTS, isEvent } from './kernels.ts';
import type { PeerResult } from './results.ts';
import type { ServiceResult } from './services/services.ts';
import { serviceTable } from './services/table.ts';
import type { StartUp } from './start-up.ts';
import { formatNumber, formatTable } from './table.ts';
import { xenTables } from './xen/table.ts';
import type { XenResults } from './xen/xen.ts';

/** Everything that one run of the benchmark found out. */
export interface Report {
  readonly date: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly results: readonly PeerResult[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  readonly startUp: StartUp | undefined;
  readonly boots: BootResults | undefined;
  readonly services: readonly ServiceResult[] | undefined;
  readonly xen: XenResults | undefined;
}

/** The engine whose score the others are compared with: ours if it ran. */
const OURS = 'systab';

const kernelTable = (results: readonly PeerResult[]): string => {
  const kernels = GUEST_WORK.filter(
    (name) => !isEvent(name) && results.some(({ mips }) => mips[name] !== undefined),
  );
  const ours = results.find(({ name }) => name === OURS)?.score;
  const header = ['MIPS', ...kernels, 'geomean of 8', 'ours / it'];
  const rows = results.map(({ title, mips, score }) => [
    title,
    ...kernels.map((kernel) => formatNumber(mips[kernel])),
    formatNumber(score),
    formatNumber(ours !== undefined && score !== undefined ? ours / score : undefined),
  ]);
  return formatTable([header, ...rows]);
};

const eventTable = (results: readonly PeerResult[]): string => {
  const rows = results
    .filter(({ eventNanoseconds }) => Object.keys(eventNanoseconds).length > 0)
    .map(({ title, eventNanoseconds }) => [
      title,
      ...SYSTEM_EVENTS.map((event) => formatNumber(eventNanoseconds[event])),
    ]);
  if (rows.length === 0) return '';
  return formatTable([
    ['ns per event', ...SYSTEM_EVENTS.map((event) => EVENT_TITLES[event] ?? event)],
    ...rows,
  ]);
};

const startUpTable = (times: StartUp): string =>
  formatTable([
    [
      'start of our machine, ms',
      'import',
      'create',
      'first instruction',
      'create + first',
      'its CPU time',
    ],
    [
      '',
      formatNumber(times.moduleMs),
      formatNumber(times.machineMs),
      formatNumber(times.firstInstructionMs),
      formatNumber(times.totalMs),
      formatNumber(times.totalCpuMs),
    ],
  ]);

const bootTable = ({ boots, reference }: BootResults): string => {
  const base = boots.find(({ title }) => title === reference);
  return formatTable([
    [
      'OVMF, s from the start of the process',
      'boot manager',
      'countdown',
      'prompt',
      'process ended',
      'CPU time to prompt',
      'prompt / reference',
    ],
    ...boots.map(({ title, bds, countdown, prompt, end, cpu }) => [
      title === reference ? `${title} (reference)` : title,
      ...[bds, countdown, prompt, end, cpu, base && prompt / base.prompt].map(formatNumber),
    ]),
  ]);
};

export const formatReport = (report: Report): string => {
  const { date, cpu, cpus, rounds, quick, results, skipped, startUp, boots, services, xen } =
    report;
  const parts = [
    `${date}  ${cpu}, ${cpus} CPUs  ${rounds} interleaved rounds, medians of CPU time (boots: of wall time)${quick ? ', quick' : ''}`,
    results.length > 0 ? kernelTable(results) : '',
    eventTable(results),
    startUp ? startUpTable(startUp) : '',
    boots ? bootTable(boots) : '',
    services ? serviceTable(services) : '',
    xen ? xenTables(xen) : '',
    results.map(({ title, version }) => `${title}: ${version}`).join('\n'),
    skipped.map(({ title, reason }) => `skipped: ${title} (${reason})`).join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
};
