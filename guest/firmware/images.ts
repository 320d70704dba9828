// `node guest/firmware/images.ts`: builds the images that are committed. With `--check` they are compared.
import { fileURLToPath } from 'node:url';
import { clangVersion, commitImage, REFERENCE_CLANG } from '../toolchain.ts';
import {
  buildFirmware,
  buildTestApplication,
  firmwareImagePath,
  TEST_APPLICATION_NAMES,
  testApplicationPath,
} from './build.ts';
import type { FirmwareArchitecture } from './pe-program.ts';

/** Architectures with committed images. */
export const FIRMWARE_ARCHITECTURES: readonly FirmwareArchitecture[] = ['x64', 'ia32'];

/** Builds the images of an architecture; with `check` says whether the committed ones are the same. */
export const refreshImages = (architecture: FirmwareArchitecture, check: boolean): boolean => {
  const firmware = commitImage(firmwareImagePath(architecture), buildFirmware(architecture), check);
  const applications = TEST_APPLICATION_NAMES.map((name) =>
    commitImage(
      testApplicationPath(name, architecture),
      buildTestApplication(name, architecture),
      check,
    ),
  );
  return firmware && applications.every(Boolean);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (clangVersion() !== REFERENCE_CLANG)
    console.error(`clang ${clangVersion()} instead of ${REFERENCE_CLANG}: the bytes may differ`);
  for (const architecture of FIRMWARE_ARCHITECTURES)
    if (!refreshImages(architecture, process.argv.includes('--check'))) {
      console.error(`${architecture}: not what the sources build`);
      process.exitCode = 1;
    }
}
