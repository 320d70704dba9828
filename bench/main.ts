// `pnpm bench`: the same work on every engine that is to be had here.
import { cpus } from 'node:os';

import { measureBoots } from './boot/boots.ts';
import { divisorFor } from './divisors.ts';
import { isEvent } from './kernels.ts';
import type { Measurement } from './measurement.ts';
import { USAGE, parseOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import type { Peer } from './peers/peer.ts';
import { formatReport } from './report.ts';
import type { Report } from './report.ts';
import { checksumConflicts, evaluate } from './results.ts';
import type { PeerRuns } from './results.ts';
import { measureServices } from './services/services.ts';
import { measureStartUp } from './start-up.ts';
import { measureXen } from './xen/xen.ts';

interface Contestant {
  readonly peer: Peer;
  readonly version: string;
  readonly runs: (readonly Measurement[])[];
  /** Why it took no part in further rounds. */
  failure?: string;
}

/** The engine whose failure is ours. */
const OURS = 'systab';

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

const runRounds = async (
  contestants: readonly Contestant[],
  { rounds, work, quick }: BenchOptions,
): Promise<void> => {
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of contestants) {
      const { peer, runs, failure } = contestant;
      const own = peer.system ? work : work.filter((name) => !isEvent(name));
      if (own.length === 0 || failure !== undefined) continue;
      progress(`round ${round} of ${rounds}: ${peer.title}`);
      try {
        runs.push(await peer.run({ work: own, divisor: divisorFor(peer.slow, quick) }));
      } catch (error) {
        contestant.failure = error instanceof Error ? error.message : String(error);
        if (peer.name === OURS) throw error;
      }
    }
  }
  progress('');
};

const bench = async (options: BenchOptions): Promise<Report> => {
  const contestants: Contestant[] = [];
  const skipped: { title: string; reason: string }[] = [];
  for (const peer of options.peers) {
    const state = peer.prepare();
    if (state.available) contestants.push({ peer, version: state.version, runs: [] });
    else skipped.push({ title: peer.title, reason: state.reason });
  }
  await runRounds(contestants, options);
  const all: readonly PeerRuns[] = contestants.filter(({ failure }) => failure === undefined);
  for (const { peer, failure } of contestants)
    if (failure !== undefined) skipped.push({ title: peer.title, reason: failure });
  const conflicts = checksumConflicts(all, options.quick);
  if (conflicts.length > 0) throw new Error(`engines disagree:\n${conflicts.join('\n')}`);
  const ours = contestants.some(({ peer }) => peer.name === OURS);
  progress(ours ? 'start-up' : '');
  const startUp = ours ? await measureStartUp() : undefined;
  progress('');
  const boots = options.boot ? await measureBoots(options.rounds, progress) : undefined;
  if (typeof boots === 'string') skipped.push({ title: 'boots of OVMF', reason: boots });
  const services = options.services
    ? await measureServices(options.rounds, options.quick, progress)
    : undefined;
  if (typeof services === 'string')
    skipped.push({ title: 'runtime services beside Linux', reason: services });
  const xen = options.xen ? await measureXen(options.rounds, options.quick, progress) : undefined;
  if (typeof xen === 'string') skipped.push({ title: 'Xen', reason: xen });
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: processors[0]?.model.trim() ?? 'unknown CPU',
    cpus: processors.length,
    rounds: options.rounds,
    quick: options.quick,
    results: all.map((runs) => evaluate(runs, options.quick)),
    skipped,
    startUp,
    boots: typeof boots === 'string' ? undefined : boots,
    services: typeof services === 'string' ? undefined : services,
    xen: typeof xen === 'string' ? undefined : xen,
  };
};

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
  } else {
    const report = await bench(options);
    process.stdout.write(
      options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report),
    );
  }
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
