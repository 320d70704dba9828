// v86, with its translator and as an interpreter: the 32-bit image, for v86 has no long mode.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { SEABIOS } from './v86-files.ts';
import { runNodeEngine } from './node-engine.ts';
import type { Availability, Peer } from './peer.ts';

const prepare = (): Availability => {
  let version: string;
  try {
    const manifest = createRequire(import.meta.url).resolve('v86/package.json');
    ({ version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string });
  } catch {
    return { available: false, reason: 'the development dependency v86 is not installed' };
  }
  return existsSync(SEABIOS)
    ? { available: true, version: `v86 ${version}, Node ${process.versions.node}` }
    : { available: false, reason: `needs ${SEABIOS}: apt-get install seabios` };
};

const v86Peer = (name: string, title: string, translate: boolean): Peer => ({
  name,
  title,
  image: 'bench32',
  system: true,
  slow: !translate,
  prepare,
  run: (job) => runNodeEngine('v86-guest.ts', { ...job, translate }),
});

export const v86JitPeer: Peer = v86Peer('v86-jit', 'v86 JIT, 32-bit', true);
export const v86InterpreterPeer: Peer = v86Peer('v86-int', 'v86 interpreter, 32-bit', false);
