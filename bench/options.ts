// The command line of `pnpm bench`.
import { parseArgs } from 'node:util';

import { GUEST_WORK } from './kernels.ts';
import type { WorkName } from './kernels.ts';
import { PEERS } from './peers/all.ts';
import type { Peer } from './peers/peer.ts';

export interface BenchOptions {
  readonly json: boolean;
  readonly quick: boolean;
  readonly rounds: number;
  readonly peers: readonly Peer[];
  readonly work: readonly WorkName[];
  /** Boot OVMF as well. */
  readonly boot: boolean;
  /** Make runtime service calls through Linux and through our layer; only when asked for, since Linux takes its time. */
  readonly services: boolean;
  /** Boot Xen, make hypercalls, and compare the routes of a runtime service; only when asked for. */
  readonly xen: boolean;
}

const BOOT = 'boot';
const SERVICES = 'services';
const XEN = 'xen';
/** What is neither an engine nor a kernel. */
const OTHERS: readonly string[] = [BOOT, SERVICES, XEN];

export const USAGE: string = `pnpm bench [--quick] [--rounds N] [--only name,…] [--json]

The same work on ${PEERS.length} engines in one run, interleaved; prints MIPS, times of system events, and ratios. Then OVMF from reset to
the prompt of its shell, in QEMU and by \`systab boot\`.

  --quick     a hundredth of the work, one round
  --rounds N  rounds to take medians of (default 3)
  --only      engines (${PEERS.map(({ name }) => name).join(', ')})
              and kernels or events (${GUEST_WORK.join(', ')}), in any mixture;
              ${BOOT} for the boots of OVMF;
              ${SERVICES} for EFI runtime services beside Linux in QEMU (only so: needs apt, gcc, make and minutes);
              ${XEN} for OVMF, Xen and dom0, hypercalls, and GetVariable on every route (only so)
  --json      the figures as JSON
`;

const DEFAULT_ROUNDS = 3;

/** Throws an Error that says what was expected. */
export const parseOptions = (args: readonly string[]): BenchOptions | 'help' => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  if (values.help) return 'help';
  const rounds = Number(values.rounds ?? (values.quick ? 1 : DEFAULT_ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 99)
    throw new Error(`--rounds is '${values.rounds}', expected a whole number from 1 to 99`);
  const names = values.only.flatMap((list) => list.split(',')).filter((name) => name !== '');
  const peers = PEERS.filter(({ name }) => names.includes(name));
  const work = GUEST_WORK.filter((name) => names.includes(name));
  const unknown = names.find(
    (name) =>
      !OTHERS.includes(name) &&
      !peers.some((peer) => peer.name === name) &&
      !work.some((known) => known === name),
  );
  if (unknown !== undefined)
    throw new Error(
      `--only: '${unknown}' is neither an engine (${PEERS.map(({ name }) => name).join(', ')}) nor work (${GUEST_WORK.join(', ')}, ${OTHERS.join(', ')})`,
    );
  const noEngine = names.length > 0 && names.every((name) => OTHERS.includes(name));
  return {
    json: values.json,
    quick: values.quick,
    rounds,
    peers: peers.length > 0 ? peers : noEngine ? [] : PEERS,
    work: work.length > 0 ? work : noEngine ? [] : GUEST_WORK,
    boot: names.length === 0 || names.includes(BOOT),
    services: names.includes(SERVICES),
    xen: names.includes(XEN),
  };
};
