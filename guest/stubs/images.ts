// `node guest/stubs/images.ts`: builds the programs into the source of the package that ships them. With `--check` they are compared.
import { fileURLToPath } from 'node:url';
import { clangVersion, commitImage, REFERENCE_CLANG } from '../toolchain.ts';
import { buildMixedModeThunk, buildTrapStub, buildXenRuntime } from './build.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const constant = (name: string, bytes: Uint8Array): string =>
  `export const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;

/** A TypeScript module that carries programs as Base64. */
const programsModule = (programs: Readonly<Record<string, Uint8Array>>): Uint8Array =>
  new TextEncoder().encode(
    `// Guest programs as Base64, written by \`node guest/stubs/images.ts\` from the sources in guest/stubs.\n\n${Object.entries(
      programs,
    )
      .map(([name, bytes]) => constant(name, bytes))
      .join('\n')}`,
  );

/** The modules by path: one for each package that ships programs. */
const modules = (): Readonly<Record<string, Uint8Array>> => ({
  [here('../../packages/platform-baremetal/src/image/programs.ts')]: programsModule({
    TRAP_STUB_X64: buildTrapStub('x64'),
    TRAP_STUB_IA32: buildTrapStub('ia32'),
    MIXED_MODE_THUNK: buildMixedModeThunk(),
  }),
  [here('../../packages/platform-xen/src/image/programs.ts')]: programsModule({
    XEN_RUNTIME: buildXenRuntime(),
  }),
});

/** Builds the programs; with `check` says whether the committed ones are the same. */
export const refreshPrograms = (check: boolean): boolean =>
  Object.entries(modules()).every(([module, contents]) => commitImage(module, contents, check));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (clangVersion() !== REFERENCE_CLANG)
    console.error(`clang ${clangVersion()} instead of ${REFERENCE_CLANG}: the bytes may differ`);
  if (!refreshPrograms(process.argv.includes('--check'))) {
    console.error('not what the sources build');
    process.exitCode = 1;
  }
}
