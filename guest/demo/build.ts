import { fileURLToPath } from 'node:url';
import { buildGuest } from '../toolchain.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Where the built image stands, in the package that ships it. */
export const demoImagePath: string = here('../../apps/cli/images/demo.bin');

/** Builds the demo guest from its sources: 4 KiB, to be mapped so that they end at 4 GiB. */
export const buildDemo = (): Uint8Array =>
  buildGuest({
    mode: 'long64',
    sources: [here('demo.S')],
    includes: [],
    defines: [],
    linkerScript: here('demo.ld'),
    linkerValues: {},
  }).flat;
