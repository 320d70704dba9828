// Ours, with its translator and as an interpreter: the 64-bit image, started in the state a multiboot loader leaves.
import { readFileSync } from 'node:fs';

import { runNodeEngine } from './node-engine.ts';
import type { Availability, Peer } from './peer.ts';

const manifest = new URL('../../packages/x86-emu/package.json', import.meta.url);

const prepare = (): Availability => {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { available: true, version: `systab ${version}, Node ${process.versions.node}` };
};

const systabPeer = (name: string, title: string, translate: boolean): Peer => ({
  name,
  title,
  image: 'bench64',
  system: true,
  slow: !translate,
  prepare,
  run: (job) => runNodeEngine('systab-guest.ts', { ...job, translate }),
});

export const systabTranslatorPeer: Peer = systabPeer(
  'systab',
  'systab translator, long mode',
  true,
);
export const systabInterpreterPeer: Peer = systabPeer(
  'systab-int',
  'systab interpreter, long mode',
  false,
);
