/** The image that firmware is to start, checked before a machine sees it. */
import { CliError } from './cli-error.ts';
import { isReference } from './firmware-files.ts';
import type { FirmwareFiles, FirmwareRequest } from './firmware-files.ts';
import { readInput } from './input-file.ts';

/** Machine types of the PE format (Microsoft PE and COFF Specification 8.3, 3.3.1). */
const MACHINES: Readonly<Record<number, string>> = {
  0x014c: 'IA32',
  0x8664: 'X64',
  0x01c2: 'ARM',
  0xaa64: 'AARCH64',
  0x5064: 'RISCV64',
  0x6264: 'LOONGARCH64',
  0x0ebc: 'EBC',
};
const MACHINE_OF = { 32: 0x014c, 64: 0x8664 } as const;
/** Bytecode is run by a driver of the firmware. */
const BYTECODE = 0x0ebc;
const DOS_HEADER = 64;
const SIGNATURE = 'PE\0\0';

/** What the firmware starts, where that is known: nobody looks into an image that the user brings. */
const machineOf = (
  { firmware, code }: Pick<FirmwareRequest, 'firmware' | 'code'>,
  { width }: Pick<FirmwareFiles, 'width'>,
): number | undefined =>
  code === undefined && (firmware === 'ovmf' || isReference(firmware))
    ? MACHINE_OF[width]
    : undefined;

/** Machine type of a PE image and the offset where it stands; undefined for what is none. */
const machineType = (bytes: Uint8Array): { machine: number; offset: number } | undefined => {
  if (bytes.length < DOS_HEADER || bytes[0] !== 0x4d || bytes[1] !== 0x5a) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = view.getUint32(60, true);
  const offset = header + SIGNATURE.length;
  if (offset + 2 > bytes.length) return undefined;
  if (String.fromCharCode(...bytes.subarray(header, offset)) !== SIGNATURE) return undefined;
  return { machine: view.getUint16(offset, true), offset };
};

const nameOf = (machine: number): string =>
  `${MACHINES[machine] ?? 'another processor'} (0x${machine.toString(16)})`;

/** Reads a kernel; throws a CliError that says where and why for an image of another processor or width than the firmware's. */
export const readKernel = (
  path: string,
  request: Pick<FirmwareRequest, 'firmware' | 'code' | 'unchecked'>,
  files: Pick<FirmwareFiles, 'width'>,
): Uint8Array => {
  const bytes = readInput(path);
  const image = request.unchecked ? undefined : machineType(bytes);
  if (!image || image.machine === BYTECODE) return bytes;
  const expected = machineOf(request, files);
  const allowed = expected === undefined ? Object.values(MACHINE_OF) : [expected];
  if (!allowed.some((machine) => machine === image.machine))
    throw new CliError(
      path,
      `this image is for ${nameOf(image.machine)}, at 0x${image.offset.toString(16)}; the firmware starts ${allowed.map(nameOf).join(' or ')}`,
    );
  return bytes;
};
