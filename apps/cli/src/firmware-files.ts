/** Finding, reading and checking firmware images before a machine sees them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  decodeFirmwareVolumeHeader,
  decodeVariableVolume,
  formatDecodeError,
} from '@systab/efi-core';
import type { Width } from '@systab/efi-core';
import { referenceFirmware } from '@systab/platform-baremetal';
import { CliError } from './cli-error.ts';
import { readInput } from './input-file.ts';

/** What the command line says about firmware. */
export interface FirmwareRequest {
  /** `reference`, `reference32`, `ovmf`, or the path of one combined image. */
  readonly firmware: string;
  /** Code and variables as separate images. */
  readonly code?: string;
  readonly vars?: string;
  /** Take the images as they are. */
  readonly unchecked: boolean;
}

export interface FirmwareImage {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The flash chips of a machine. Without `vars`, `code` is a combined image. */
export interface FirmwareFiles {
  readonly code: FirmwareImage;
  readonly vars: FirmwareImage | undefined;
  /** The variables are a template that belongs to the system, not a file that the user named. */
  readonly template: boolean;
  /** Pointer width of the firmware. */
  readonly width: Width;
}

interface Installation {
  readonly code: string;
  readonly vars: string;
}

const pair = (folder: string, code: string, vars: string): Installation => ({
  code: `${folder}/${code}`,
  vars: `${folder}/${vars}`,
});

/** Where distributions put OVMF, in the order they are tried: the 4 MiB builds first. */
const OVMF_LOCATIONS: readonly Installation[] = [
  // Debian, Ubuntu.
  pair('/usr/share/OVMF', 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'),
  pair('/usr/share/OVMF', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // Arch.
  pair('/usr/share/edk2/x64', 'OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'),
  pair('/usr/share/edk2-ovmf/x64', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // Fedora, Gentoo.
  pair('/usr/share/edk2/ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  pair('/usr/share/edk2-ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  // openSUSE.
  pair('/usr/share/qemu', 'ovmf-x86_64-4m-code.bin', 'ovmf-x86_64-4m-vars.bin'),
  pair('/usr/share/qemu', 'ovmf-x86_64-code.bin', 'ovmf-x86_64-vars.bin'),
  // Homebrew on ARM and Intel, QEMU built from source. The variable image is the one of both x86 builds.
  ...['/opt/homebrew/share/qemu', '/usr/local/share/qemu', '/usr/share/qemu'].map((folder) =>
    pair(folder, 'edk2-x86_64-code.fd', 'edk2-i386-vars.fd'),
  ),
];

const KIB = 1024;
const PAGE = 4 * KIB;
const SMALLEST = 64 * KIB;
/** Flash lies below 4 GiB and above the APICs' registers at 0xfee00000. */
const LARGEST = 16 * KIB * KIB;
/** Bytes from the reset vector to the end of the image. */
const RESET_VECTOR = 16;
const QCOW2 = [0x51, 0x46, 0x49, 0xfb];
const FVH_SIGNATURE_OFFSET = 40;

const checkSize = ({ path, bytes }: FirmwareImage): void => {
  if (QCOW2.every((byte, at) => bytes[at] === byte))
    throw new CliError(
      path,
      'this is a qcow2 image; make a plain one: qemu-img convert -O raw <this> <that>',
    );
  if (bytes.length < SMALLEST || bytes.length > LARGEST || bytes.length % PAGE !== 0)
    throw new CliError(
      path,
      `a flash image has 64 KiB to 16 MiB and a multiple of 4096 bytes, this one ${bytes.length}`,
    );
};

/** The processor starts 16 bytes before the end of the code image. */
const checkResetVector = ({ path, bytes }: FirmwareImage): void => {
  const at = bytes.length - RESET_VECTOR;
  const vector = bytes.subarray(at);
  for (const empty of [0x00, 0xff])
    if (vector.every((byte) => byte === empty))
      throw new CliError(
        path,
        `no code at the reset vector: offset 0x${at.toString(16)} holds 16 bytes 0x${empty.toString(16).padStart(2, '0')}`,
      );
};

/** Walks the firmware volumes from `start` on, as far as they follow each other. */
const checkVolumes = ({ path, bytes }: FirmwareImage, start: number): void => {
  for (let at = start; at < bytes.length;) {
    const signature = bytes.subarray(at + FVH_SIGNATURE_OFFSET, at + FVH_SIGNATURE_OFFSET + 4);
    if (new TextDecoder('latin1').decode(signature) !== '_FVH') return;
    const header = decodeFirmwareVolumeHeader(bytes, at);
    if (!header.ok) throw new CliError(path, formatDecodeError(header.error));
    const length = Number(header.value.fvLength);
    if (length < header.value.headerLength || at + length > bytes.length)
      throw new CliError(
        path,
        `EFI_FIRMWARE_VOLUME_HEADER.fvLength at 0x${(at + 32).toString(16)}: expected at most ${bytes.length - at}, the bytes left in the file, found ${length}`,
      );
    at += length;
  }
};

/** Bytes of the variable volume at the start of an image. */
const checkVariables = ({ path, bytes }: FirmwareImage): number => {
  const volume = decodeVariableVolume(bytes);
  if (!volume.ok) throw new CliError(path, formatDecodeError(volume.error));
  return Number(volume.value.header.fvLength);
};

/** The name of an image that is no file. */
const ERASED = 'erased flash';

const REFERENCE: Readonly<Record<string, Width>> = { reference: 64, reference32: 32 };

/** Whether a `--firmware` names the firmware that comes with the program. */
export const isReference = (firmware: string): boolean => Object.hasOwn(REFERENCE, firmware);

const isErased = ({ bytes }: FirmwareImage): boolean => bytes.every((byte) => byte === 0xff);

const checkPair = (code: FirmwareImage, vars: FirmwareImage): void => {
  checkResetVector(code);
  checkVolumes(code, 0);
  const length = checkVariables(vars);
  if (length !== vars.bytes.length)
    throw new CliError(
      vars.path,
      `the file has ${vars.bytes.length} bytes, its variable volume ${length} (EFI_FIRMWARE_VOLUME_HEADER.fvLength at 0x20)`,
    );
  const total = code.bytes.length + vars.bytes.length;
  if ((total & (total - 1)) !== 0)
    throw new CliError(
      vars.path,
      `these ${vars.bytes.length} bytes do not belong to the ${code.bytes.length} of ${code.path}: a build's code and variables make 1, 2, 4 or 8 MiB together`,
    );
};

const checkCombined = (image: FirmwareImage): void => {
  checkResetVector(image);
  const header = decodeFirmwareVolumeHeader(image.bytes);
  const hasVolume = header.ok || header.error.structure.endsWith('.checksum');
  // A ROM that does not start with a firmware volume is somebody's own: nothing is known about it.
  if (hasVolume) checkVolumes(image, checkVariablesFirst(image));
};

/** A combined image starts with its variables, but for builds that keep none. */
const checkVariablesFirst = (image: FirmwareImage): number => {
  const header = decodeFirmwareVolumeHeader(image.bytes);
  if (!header.ok) throw new CliError(image.path, formatDecodeError(header.error));
  const volume = decodeVariableVolume(image.bytes);
  if (!volume.ok) {
    if (volume.error.structure === 'EFI_FIRMWARE_VOLUME_HEADER.fileSystemGuid') return 0;
    throw new CliError(image.path, formatDecodeError(volume.error));
  }
  return Number(volume.value.header.fvLength);
};

const findOvmf = (): Installation => {
  const found = OVMF_LOCATIONS.find(({ code, vars }) => existsSync(code) && existsSync(vars));
  if (found) return found;
  const places = OVMF_LOCATIONS.map(({ code }) => `  ${code}`).join('\n');
  throw new CliError(
    '--firmware ovmf',
    `no OVMF on this machine (Debian: apt install ovmf; Fedora: dnf install edk2-ovmf; Arch: pacman -S edk2-ovmf; macOS: brew install qemu), looked for\n${places}\nor name the images: --code <file> --vars <file>`,
  );
};

const image = (path: string): FirmwareImage => ({ path, bytes: readInput(path) });

const chooseFiles = ({ firmware, code, vars }: FirmwareRequest): FirmwareFiles => {
  if (code !== undefined) {
    if (vars === undefined)
      throw new CliError('--code', 'needs --vars <file>; one image with both: --firmware <file>');
    return { code: image(code), vars: image(vars), template: false, width: 64 };
  }
  const width = REFERENCE[firmware];
  if (width !== undefined) {
    const { code: file, variables } = referenceFirmware[width];
    return {
      code: image(fileURLToPath(file)),
      vars: vars === undefined ? { path: ERASED, bytes: variables() } : image(vars),
      template: vars === undefined,
      width,
    };
  }
  if (firmware === 'ovmf') {
    const found = findOvmf();
    return {
      code: image(found.code),
      vars: image(vars ?? found.vars),
      template: vars === undefined,
      width: 64,
    };
  }
  if (vars !== undefined)
    throw new CliError('--vars', `needs --code <file>; ${firmware} brings its own variables`);
  return { code: image(firmware), vars: undefined, template: false, width: 64 };
};

/** The images that a request names. Throws a CliError with file, offset and expectation for those that cannot be what they should. */
export const loadFirmware = (request: FirmwareRequest): FirmwareFiles => {
  const files = chooseFiles(request);
  checkSize(files.code);
  if (files.vars) checkSize(files.vars);
  if (request.unchecked) return files;
  // Our firmware formats flash that was never written.
  if (isReference(request.firmware) && files.vars && isErased(files.vars)) return files;
  if (files.vars) checkPair(files.code, files.vars);
  else checkCombined(files.code);
  return files;
};
