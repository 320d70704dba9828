// Child process of systab.ts: our layer on a firmware, from the reset vector. Arguments: the configuration, and `quick` or `full`.
import { performance } from 'node:perf_hooks';

import { EFI_DONE, efiOk, guid } from '../../packages/efi-core/src/index.ts';
import type { EfiResult } from '../../packages/efi-core/src/index.ts';
import { bootLayer } from '../../scripts/test/linux/firmware-system.ts';
import { findConfiguration, readLinuxFacts } from '../../tools/linux-oracle/src/index.ts';
import { ATTRIBUTES, CALL_KINDS, NAME, roundsOf, SIZE, VENDOR } from './work.ts';
import type { CallKind } from './work.ts';

const [configuration = '', amount = ''] = process.argv.slice(2);
const { runtime } = bootLayer(readLinuxFacts(findConfiguration(configuration).name));
const { services, variables } = runtime;
for (const { name, vendorGuid } of variables.list().labels) variables.read(name, vendorGuid);
process.stdout.write('FACTS\n');

const vendor = guid(VENDOR);
const zeros = new Uint8Array(SIZE);
const other = (round: number): Uint8Array => zeros.with(SIZE - 1, (round & 1) === 0 ? 0xaa : 0x55);

const callOf = (kind: CallKind): ((round: number) => EfiResult<unknown>) => {
  switch (kind) {
    case 'read':
      return () => variables.read(NAME, vendor);
    case 'write same':
      return () => variables.write(NAME, vendor, ATTRIBUTES, zeros);
    case 'write other':
      return (round) => variables.write(NAME, vendor, ATTRIBUTES, other(round));
    case 'GetVariable':
      return () => services.getVariable(NAME, vendor, 64);
    case 'SetVariable same':
      return () => services.setVariable(NAME, vendor, ATTRIBUTES, SIZE, zeros);
    case 'GetTime':
      return () => services.getTime();
  }
};

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const created = variables.write(NAME, vendor, ATTRIBUTES, zeros);
let failed: EfiResult<unknown> = created.ok ? EFI_DONE : created;
for (const kind of CALL_KINDS) {
  const rounds = roundsOf(kind, amount === 'quick');
  const call = callOf(kind);
  const [start, cpu] = [performance.now(), cpuSeconds()];
  for (let round = 0; round < rounds && failed.ok; round++) {
    const answer = call(round);
    failed = answer.ok ? efiOk(undefined) : answer;
  }
  if (!failed.ok) throw new Error(`${kind}: ${failed.status.toString(16)} ${failed.why ?? ''}`);
  const timed = { rounds, cpu: cpuSeconds() - cpu, seconds: (performance.now() - start) / 1e3 };
  process.stdout.write(`${JSON.stringify({ kind, timed })}\n`);
}
process.stdout.write('DONE\n');
