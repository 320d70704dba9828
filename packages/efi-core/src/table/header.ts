import { crc32 } from '../crc32.ts';
import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { defineStruct, UINT32, UINT64, viewOf } from '../struct.ts';
import type { Struct } from '../struct.ts';

/** EFI_TABLE_HEADER (UEFI 2.10, section 4.2). */
export interface EfiTableHeader {
  readonly signature: bigint;
  readonly revision: number;
  /** Bytes of the whole table, header included. */
  readonly headerSize: number;
  readonly crc32: number;
  readonly reserved: number;
}

export const EFI_TABLE_HEADER: Struct<EfiTableHeader> = defineStruct<EfiTableHeader>(
  'EFI_TABLE_HEADER',
  'UEFI 2.10, 4.2',
  { signature: UINT64, revision: UINT32, headerSize: UINT32, crc32: UINT32, reserved: UINT32 },
);

/** "IBI SYST". */
export const EFI_SYSTEM_TABLE_SIGNATURE = 0x5453_5953_2049_4249n;
/** "BOOTSERV". */
export const EFI_BOOT_SERVICES_SIGNATURE = 0x5652_4553_544f_4f42n;
/** "RUNTSERV". */
export const EFI_RUNTIME_SERVICES_SIGNATURE = 0x5652_4553_544e_5552n;

/** A table revision taken apart: 2.10 is `{ major: 2, minor: 100 }`, 2.3.1 is `{ major: 2, minor: 31 }`. */
export interface EfiRevision {
  readonly major: number;
  /** Ten times the minor version plus the errata number. */
  readonly minor: number;
}

/** The revision word of a version: `efiRevision(2, 100)` is 0x00020064. */
export const efiRevision = (major: number, minor: number): number => ((major << 16) | minor) >>> 0;

/** Major and minor part of a revision word. */
export const splitEfiRevision = (revision: number): EfiRevision => ({
  major: revision >>> 16,
  minor: revision & 0xffff,
});

/** `2.10`, `2.3.1`, `1.10`: minor and errata digits apart, the errata digit only when it is not 0. EFI 1.x counts its minor part in plain decimals. */
export const formatEfiRevision = (revision: number): string => {
  const { major, minor } = splitEfiRevision(revision);
  if (major < 2) return `${String(major)}.${String(minor).padStart(2, '0')}`;
  const errata = minor % 10;
  const short = `${String(major)}.${String(Math.floor(minor / 10))}`;
  return errata === 0 ? short : `${short}.${String(errata)}`;
};

const CRC_OFFSET = EFI_TABLE_HEADER.offsetOf('crc32');

/**
 * CRC-32 of the table at `offset`, over `headerSize` bytes with the CRC field taken as zero.
 * An error value when the header or the size it claims does not fit the bytes.
 */
export const efiTableCrc = (bytes: Uint8Array, offset = 0): Decoded<number> => {
  const header = EFI_TABLE_HEADER.decode(bytes, offset);
  if (!header.ok) return header;
  const { headerSize } = header.value;
  const available = bytes.length - offset;
  if (headerSize < EFI_TABLE_HEADER.size() || headerSize > available) {
    return malformed(
      'EFI_TABLE_HEADER.headerSize',
      offset + EFI_TABLE_HEADER.offsetOf('headerSize'),
      `${String(EFI_TABLE_HEADER.size())} to ${String(available)}`,
      String(headerSize),
    );
  }
  const table = bytes.slice(offset, offset + headerSize);
  table.fill(0, CRC_OFFSET, CRC_OFFSET + 4);
  return decoded(crc32(table));
};

/** Whether the stored CRC of the table at `offset` is the right one; an error value when it cannot be computed. */
export const verifyEfiTableCrc = (bytes: Uint8Array, offset = 0): Decoded<boolean> => {
  const crc = efiTableCrc(bytes, offset);
  if (!crc.ok) return crc;
  return decoded(viewOf(bytes).getUint32(offset + CRC_OFFSET, true) === crc.value);
};

/** A copy of a table image with its CRC field made right; the image must start with the header. */
export const sealEfiTable = (table: Uint8Array): Decoded<Uint8Array<ArrayBuffer>> => {
  const crc = efiTableCrc(table);
  if (!crc.ok) return crc;
  const sealed = Uint8Array.from(table);
  viewOf(sealed).setUint32(CRC_OFFSET, crc.value, true);
  return decoded(sealed);
};
