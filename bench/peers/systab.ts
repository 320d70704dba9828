// Ours: the 64-bit image, started in the state a multiboot loader leaves.
import { readFileSync } from 'node:fs';

import { runNodeEngine } from './node-engine.ts';
import type { Peer } from './peer.ts';

const manifest = new URL('../../packages/x86-emu/package.json', import.meta.url);

export const systabPeer: Peer = {
  name: 'systab',
  title: 'systab interpreter, long mode',
  image: 'bench64',
  system: true,
  slow: true,
  prepare: () => {
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return { available: true, version: `systab ${version}, Node ${process.versions.node}` };
  },
  run: (job) => runNodeEngine('systab-guest.ts', job),
};
