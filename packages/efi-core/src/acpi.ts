import { byteSum } from './byte-sum.ts';
import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import {
  asciiArray,
  byteArray,
  defineStruct,
  nested,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from './struct.ts';
import type { Struct } from './struct.ts';

/** The root pointer as revision 0 has it (ACPI 6.5, section 5.2.5.3). */
export interface AcpiRsdp1 {
  readonly signature: string;
  /** Makes the first 20 bytes add up to 0. */
  readonly checksum: number;
  readonly oemId: string;
  /** 0 for ACPI 1.0, 2 from ACPI 2.0 on. */
  readonly revision: number;
  readonly rsdtAddress: number;
}

/** The root pointer from revision 2 on. */
export interface AcpiRsdp2 {
  readonly first: AcpiRsdp1;
  readonly length: number;
  readonly xsdtAddress: bigint;
  /** Makes `length` bytes add up to 0. */
  readonly extendedChecksum: number;
  readonly reserved: Uint8Array;
}

const RSDP_CLAUSE = 'ACPI 6.5, 5.2.5.3';

export const ACPI_RSDP_1: Struct<AcpiRsdp1> = defineStruct<AcpiRsdp1>(
  'RSDP (ACPI 1.0)',
  RSDP_CLAUSE,
  {
    signature: asciiArray(8),
    checksum: UINT8,
    oemId: asciiArray(6),
    revision: UINT8,
    rsdtAddress: UINT32,
  },
  { packed: true },
);

export const ACPI_RSDP_2: Struct<AcpiRsdp2> = defineStruct<AcpiRsdp2>(
  'RSDP',
  RSDP_CLAUSE,
  {
    first: nested(ACPI_RSDP_1),
    length: UINT32,
    xsdtAddress: UINT64,
    extendedChecksum: UINT8,
    reserved: byteArray(3),
  },
  { packed: true },
);

/** Signature of the root pointer, the space at its end included. */
export const ACPI_RSDP_SIGNATURE = 'RSD PTR ';

/** What a root pointer leads to. */
export interface AcpiRoot {
  readonly revision: number;
  readonly oemId: string;
  readonly rsdtAddress: number;
  /** Undefined in revision 0. */
  readonly xsdtAddress: bigint | undefined;
}

const badSum = (structure: string, offset: number, sum: number): ReturnType<typeof malformed> =>
  malformed(structure, offset, 'bytes that add up to 0', `a sum of 0x${sum.toString(16)}`);

/** Reads a root pointer of either revision and checks signature and checksums. */
export const decodeAcpiRsdp = (bytes: Uint8Array, offset = 0): Decoded<AcpiRoot> => {
  const first = ACPI_RSDP_1.decode(bytes, offset);
  if (!first.ok) return first;
  const { signature, revision, oemId, rsdtAddress } = first.value;
  if (signature !== ACPI_RSDP_SIGNATURE) {
    return malformed('RSDP.signature', offset, '"RSD PTR "', JSON.stringify(signature));
  }
  const sum = byteSum(bytes.subarray(offset, offset + ACPI_RSDP_1.size()));
  if (sum !== 0) return badSum('RSDP.checksum', offset, sum);
  if (revision < 2) return decoded({ revision, oemId, rsdtAddress, xsdtAddress: undefined });
  const whole = ACPI_RSDP_2.decode(bytes, offset);
  if (!whole.ok) return whole;
  const { length, xsdtAddress } = whole.value;
  const left = bytes.length - offset;
  if (length < ACPI_RSDP_2.size() || length > left) {
    return malformed(
      'RSDP.length',
      offset + ACPI_RSDP_2.offsetOf('length'),
      `${String(ACPI_RSDP_2.size())} to ${String(left)}`,
      String(length),
    );
  }
  const extended = byteSum(bytes.subarray(offset, offset + length));
  if (extended !== 0) return badSum('RSDP.extendedChecksum', offset, extended);
  return decoded({ revision, oemId, rsdtAddress, xsdtAddress });
};

/** System description table header (ACPI 6.5, section 5.2.6). */
export interface AcpiTableHeader {
  readonly signature: string;
  /** Bytes of the whole table. */
  readonly length: number;
  readonly revision: number;
  readonly checksum: number;
  readonly oemId: string;
  readonly oemTableId: string;
  readonly oemRevision: number;
  readonly creatorId: string;
  readonly creatorRevision: number;
}

export const ACPI_TABLE_HEADER: Struct<AcpiTableHeader> = defineStruct<AcpiTableHeader>(
  'DESCRIPTION_HEADER',
  'ACPI 6.5, 5.2.6',
  {
    signature: asciiArray(4),
    length: UINT32,
    revision: UINT8,
    checksum: UINT8,
    oemId: asciiArray(6),
    oemTableId: asciiArray(8),
    oemRevision: UINT32,
    creatorId: asciiArray(4),
    creatorRevision: UINT32,
  },
  { packed: true },
);

/** Reads a table header and checks its length; whether the checksum is right is told, not judged. */
export const decodeAcpiTable = (
  bytes: Uint8Array,
  offset = 0,
): Decoded<{ readonly header: AcpiTableHeader; readonly checksumOk: boolean }> => {
  const header = ACPI_TABLE_HEADER.decode(bytes, offset);
  if (!header.ok) return header;
  const { length } = header.value;
  const left = bytes.length - offset;
  if (length < ACPI_TABLE_HEADER.size() || length > left) {
    return malformed(
      'DESCRIPTION_HEADER.length',
      offset + ACPI_TABLE_HEADER.offsetOf('length'),
      `${String(ACPI_TABLE_HEADER.size())} to ${String(left)}`,
      String(length),
    );
  }
  const checksumOk = byteSum(bytes.subarray(offset, offset + length)) === 0;
  return decoded({ header: header.value, checksumOk });
};

/** Boot graphics resource table: where the logo is (ACPI 6.5, section 5.2.23). */
export interface Bgrt {
  readonly header: AcpiTableHeader;
  readonly version: number;
  /** Bit 0: displayed; bits 1 and 2: orientation in quarter turns. */
  readonly status: number;
  /** 0: a bitmap. */
  readonly imageType: number;
  readonly imageAddress: bigint;
  readonly imageOffsetX: number;
  readonly imageOffsetY: number;
}

export const ACPI_BGRT: Struct<Bgrt> = defineStruct<Bgrt>(
  'BGRT',
  'ACPI 6.5, 5.2.23',
  {
    header: nested(ACPI_TABLE_HEADER),
    version: UINT16,
    status: UINT8,
    imageType: UINT8,
    imageAddress: UINT64,
    imageOffsetX: UINT32,
    imageOffsetY: UINT32,
  },
  { packed: true },
);

/** What keeps an OS from using a logo. */
export type BgrtFault = 'length' | 'version' | 'reserved status bits' | 'image type' | 'null image';

/** Every rule of ACPI 6.5, section 5.2.23 a boot graphics table breaks. */
export const bgrtFaults = (table: Bgrt): readonly BgrtFault[] => {
  const faults: BgrtFault[] = [];
  if (table.header.length < ACPI_BGRT.size()) faults.push('length');
  if (table.version !== 1) faults.push('version');
  if ((table.status & ~0x7) !== 0) faults.push('reserved status bits');
  if (table.imageType !== 0) faults.push('image type');
  if (table.imageAddress === 0n) faults.push('null image');
  return faults;
};
