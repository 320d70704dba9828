// `node guest/stubs/images.ts`: builds the programs into the source of the package that ships them. With `--check` they are compared.
import { fileURLToPath } from 'node:url';
import { clangVersion, commitImage, REFERENCE_CLANG } from '../toolchain.ts';
import { buildMixedModeThunk, buildTrapStub } from './build.ts';

const module = fileURLToPath(
  new URL('../../packages/platform-baremetal/src/image/programs.ts', import.meta.url),
);

const constant = (name: string, bytes: Uint8Array): string =>
  `export const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;

/** The TypeScript module that carries the programs as Base64. */
const programsModule = (): Uint8Array =>
  new TextEncoder().encode(
    `// Guest programs as Base64, written by \`node guest/stubs/images.ts\` from the sources in guest/stubs.\n\n${[
      constant('TRAP_STUB_X64', buildTrapStub('x64')),
      constant('TRAP_STUB_IA32', buildTrapStub('ia32')),
      constant('MIXED_MODE_THUNK', buildMixedModeThunk()),
    ].join('\n')}`,
  );

/** Builds the programs; with `check` says whether the committed ones are the same. */
export const refreshPrograms = (check: boolean): boolean =>
  commitImage(module, programsModule(), check);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (clangVersion() !== REFERENCE_CLANG)
    console.error(`clang ${clangVersion()} instead of ${REFERENCE_CLANG}: the bytes may differ`);
  if (!refreshPrograms(process.argv.includes('--check'))) {
    console.error('not what the sources build');
    process.exitCode = 1;
  }
}
