// `node guest/firmware/images.ts`: builds the images that are committed. With `--check` they are compared.
import { fileURLToPath } from 'node:url';
import { clangVersion, commitImage, REFERENCE_CLANG } from '../toolchain.ts';
import { buildFirmware, firmwareImagePath } from './build.ts';
import type { FirmwareArchitecture } from './pe-program.ts';

/** Architectures with a committed image. */
export const FIRMWARE_ARCHITECTURES: readonly FirmwareArchitecture[] = ['x64', 'ia32'];

/** Builds each image; returns the names of those that differ from what is committed. */
export const refreshImages = (check: boolean): readonly string[] =>
  FIRMWARE_ARCHITECTURES.filter(
    (architecture) =>
      !commitImage(firmwareImagePath(architecture), buildFirmware(architecture), check),
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (clangVersion() !== REFERENCE_CLANG)
    console.error(`clang ${clangVersion()} instead of ${REFERENCE_CLANG}: the bytes may differ`);
  const differing = refreshImages(process.argv.includes('--check'));
  if (differing.length > 0) {
    console.error(`not what the sources build: ${differing.join(', ')}`);
    process.exitCode = 1;
  }
}
