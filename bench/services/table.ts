// The table of the services.
import { formatNumber, formatTable } from '../table.ts';
import { LINUX, OURS } from './services.ts';
import type { ServiceResult } from './services.ts';
import { CALL_KINDS } from './work.ts';

const row = (title: string, cells: readonly (number | undefined)[]): readonly string[] => [
  title,
  ...cells.map(formatNumber),
];

const cellsOf = ({ facts, perCpuSecond }: ServiceResult): readonly number[] => [
  ...CALL_KINDS.map((kind) => perCpuSecond[kind]),
  facts,
];

/** Calls per second of CPU time; the last column is seconds. The ratio says how many times faster ours is. */
export const serviceTable = (results: readonly ServiceResult[]): string => {
  const firmware = [...new Set(results.map((one) => one.firmware))];
  const rows = firmware.flatMap((name) => {
    const own = results.filter((one) => one.firmware === name);
    const [linux, ours] = [LINUX, OURS].map((title) => own.find((one) => one.title === title));
    const figures = own.map((one) => row(`${one.title}, ${name}`, cellsOf(one)));
    if (linux === undefined || ours === undefined) return figures;
    const ratios = [
      ...CALL_KINDS.map((kind) => ours.perCpuSecond[kind] / linux.perCpuSecond[kind]),
      linux.facts / ours.facts,
    ];
    return [...figures, row('  ratio', ratios)];
  });
  return formatTable([['calls per CPU second', ...CALL_KINDS, 's to the facts'], ...rows]);
};
