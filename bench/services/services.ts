// Runtime services per second, and the time until the facts about EFI are known: Linux in QEMU and our layer in our machine, on the
// same firmware.
import type { ConfigurationName } from '../../tools/linux-oracle/src/index.ts';
import { median } from '../statistics.ts';
import { runLinuxServices } from './linux.ts';
import type { ServiceRun } from './run.ts';
import { runOurServices } from './systab.ts';
import { CALL_KINDS } from './work.ts';
import type { CallKind } from './work.ts';

/** Figures of one layer on one firmware, medians of the rounds. */
export interface ServiceResult {
  readonly firmware: ConfigurationName;
  readonly title: string;
  /** Seconds from the start of the process until log and variables are known. */
  readonly facts: number;
  /** Calls per second of CPU time, and by the clock of who makes them. */
  readonly perCpuSecond: Readonly<Record<CallKind, number>>;
  readonly perSecond: Readonly<Record<CallKind, number>>;
}

interface Layer {
  readonly title: string;
  readonly run: (firmware: ConfigurationName, quick: boolean) => Promise<ServiceRun>;
}

const FIRMWARE: readonly ConfigurationName[] = ['ovmf', 'reference-x64'];
export const LINUX = 'Linux 6.1 in QEMU TCG';
export const OURS = 'systab';
const LAYERS: readonly Layer[] = [
  { title: LINUX, run: runLinuxServices },
  { title: OURS, run: runOurServices },
];

const rates = (
  runs: readonly ServiceRun[],
  by: 'cpu' | 'seconds',
): Readonly<Record<CallKind, number>> =>
  Object.fromEntries(
    CALL_KINDS.map((kind) => [
      kind,
      median(
        runs.map(({ calls }) => {
          const timed = calls[kind];
          return timed === undefined ? Number.NaN : timed.rounds / timed[by];
        }),
      ),
    ]),
  ) as Record<CallKind, number>;

/** Runs both layers on both firmwares in turn, `rounds` times; a reason instead where that is not possible. */
export const measureServices = async (
  rounds: number,
  quick: boolean,
  progress: (text: string) => void,
): Promise<readonly ServiceResult[] | string> => {
  if (process.platform !== 'linux') return 'its CPU time is read from /proc';
  const runs = FIRMWARE.flatMap((firmware) =>
    LAYERS.map((layer) => ({ firmware, layer, results: [] as ServiceRun[] })),
  );
  try {
    for (let round = 1; round <= rounds; round++)
      for (const { firmware, layer, results } of runs) {
        progress(`services, round ${round} of ${rounds}: ${layer.title}, ${firmware}`);
        results.push(await layer.run(firmware, quick));
      }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    progress('');
  }
  return runs.map(({ firmware, layer, results }) => ({
    firmware,
    title: layer.title,
    facts: median(results.map(({ facts }) => facts)),
    perCpuSecond: rates(results, 'cpu'),
    perSecond: rates(results, 'seconds'),
  }));
};
