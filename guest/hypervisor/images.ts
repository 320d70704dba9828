// `node guest/hypervisor/images.ts`: builds the image that is committed. With `--check` it is compared.
import { fileURLToPath } from 'node:url';
import { clangVersion, commitImage, REFERENCE_CLANG } from '../toolchain.ts';
import { buildHypervisor, hypervisorImagePath } from './build.ts';

/** Builds the image; with `check` says whether the committed one is the same. */
export const refreshHypervisorImage = (check: boolean): boolean =>
  commitImage(hypervisorImagePath, buildHypervisor(), check);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (clangVersion() !== REFERENCE_CLANG)
    console.error(`clang ${clangVersion()} instead of ${REFERENCE_CLANG}: the bytes may differ`);
  if (!refreshHypervisorImage(process.argv.includes('--check'))) {
    console.error('hypervisor-x64.efi: not what the sources build');
    process.exitCode = 1;
  }
}
