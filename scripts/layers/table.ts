/** What one workspace package may know of the others. */
export interface Layer {
  /** Folder below the repository root. */
  readonly folder: string;
  /** Packages that its `src` may import and its manifest may depend on. */
  readonly imports: readonly string[];
  /** Packages that only its tests may use besides, as devDependencies. */
  readonly testImports: readonly string[];
  /** `browser`: no Node.js module in `src`. */
  readonly runsIn: 'browser' | 'node';
  /** A generic package: `src` may not even name a platform. */
  readonly generic: boolean;
}

const core = '@systab/efi-core';
const init = '@systab/efi-init';
const runtime = '@systab/efi-runtime';
const engine = '@systab/x86-emu';
const conformance = '@systab/efi-conformance';
const tools = '@systab/host-tools';
const volumes = '@systab/fat-volume';

/** Every edge that is allowed. The check fails on any other; ARCHITECTURE.md shows this table. */
export const layers: Readonly<Record<string, Layer>> = {
  [core]: {
    folder: 'packages/efi-core',
    imports: [],
    testImports: [tools],
    runsIn: 'browser',
    generic: true,
  },
  [init]: {
    folder: 'packages/efi-init',
    imports: [core],
    testImports: [tools],
    runsIn: 'browser',
    generic: true,
  },
  [runtime]: {
    folder: 'packages/efi-runtime',
    imports: [core],
    testImports: [tools],
    runsIn: 'browser',
    generic: true,
  },
  [conformance]: {
    folder: 'packages/efi-conformance',
    imports: [core, init, runtime],
    testImports: [tools],
    runsIn: 'node',
    generic: true,
  },
  '@systab/platform-baremetal': {
    folder: 'packages/platform-baremetal',
    imports: [core, engine],
    testImports: [conformance, tools],
    runsIn: 'browser',
    generic: false,
  },
  '@systab/platform-xen': {
    folder: 'packages/platform-xen',
    imports: [core, engine],
    testImports: [conformance, volumes, tools],
    runsIn: 'browser',
    generic: false,
  },
  [engine]: {
    folder: 'packages/x86-emu',
    imports: [],
    testImports: [volumes, tools],
    runsIn: 'browser',
    generic: false,
  },
  '@systab/cli': {
    folder: 'apps/cli',
    imports: [core, init, runtime, '@systab/platform-baremetal', '@systab/platform-xen', engine],
    testImports: [conformance, tools],
    runsIn: 'node',
    generic: false,
  },
  '@systab/linux-oracle': {
    folder: 'tools/linux-oracle',
    imports: [],
    testImports: [tools],
    runsIn: 'node',
    generic: false,
  },
  [volumes]: {
    folder: 'tools/fat-volume',
    imports: [],
    testImports: [tools],
    runsIn: 'browser',
    generic: false,
  },
  [tools]: {
    folder: 'tools/host-tools',
    imports: [],
    testImports: [],
    runsIn: 'node',
    generic: false,
  },
};

/** What the source of a generic package may not contain, in any case. */
export const platformWords = /xen|bare[-_ ]?metal|hypercall/i;
