// The tables about Xen.
import { formatNumber, formatTable } from '../table.ts';
import { HYPERCALLS } from './guest.ts';
import { PAIR_TITLES, PAIRS } from './pairs.ts';
import type { XenResults } from './xen.ts';

const bootTable = ({ boots: { boots, reference } }: XenResults): string => {
  const base = boots.find(({ title }) => title === reference);
  return formatTable([
    [
      'hypervisor and dom0, s from the start of the process',
      'hypervisor speaks',
      'dom0 speaks',
      'CPU time to dom0',
      'CPU / reference',
      ...HYPERCALLS.map((work) => `${work}, per CPU s`),
    ],
    ...boots.map(({ title, hypervisor, dom0, cpu, perCpuSecond }) => [
      title === reference ? `${title} (reference)` : title,
      ...[hypervisor, dom0, cpu, base && cpu / base.cpu].map(formatNumber),
      ...HYPERCALLS.map((work) => formatNumber(perCpuSecond[work])),
    ]),
  ]);
};

const callTable = ({ calls }: XenResults): string => {
  const rows = PAIRS.flatMap((pair) => {
    const own = calls.filter((one) => one.pair === pair);
    const direct = own.find(({ call }) => call === 'direct');
    return own.map(({ call, wallMicroseconds, cpuMicroseconds, instructions }) => [
      `${call === 'hypercall xen_version' ? call : `GetVariable, ${call}`}: ${PAIR_TITLES[pair]}`,
      ...[wallMicroseconds, cpuMicroseconds, instructions].map(formatNumber),
      formatNumber(direct && cpuMicroseconds / direct.cpuMicroseconds),
    ]);
  });
  return formatTable([
    ['one call from TypeScript', 'us, wall', 'us, CPU', 'guest instructions', 'CPU / direct'],
    ...rows,
  ]);
};

export const xenTables = (results: XenResults): string =>
  `${bootTable(results)}\n\n${callTable(results)}`;
