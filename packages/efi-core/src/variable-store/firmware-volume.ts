import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { EFI_GUID } from '../guid.ts';
import type { Guid } from '../guid.ts';
import { joinBytes } from '../join-bytes.ts';
import { byteArray, defineStruct, UINT16, UINT32, UINT64, UINT8, viewOf } from '../struct.ts';
import type { Struct } from '../struct.ts';

/** EFI_FIRMWARE_VOLUME_HEADER without its block map (PI 1.7, volume 3, section 3.2.1). */
export interface FirmwareVolumeFields {
  readonly zeroVector: Uint8Array;
  readonly fileSystemGuid: Guid;
  /** Bytes of the whole volume. */
  readonly fvLength: bigint;
  readonly signature: number;
  readonly attributes: number;
  /** Bytes of header and block map. */
  readonly headerLength: number;
  /** Makes the 16-bit words of header and block map add up to 0. */
  readonly checksum: number;
  readonly extHeaderOffset: number;
  readonly reserved: number;
  readonly revision: number;
}

export const EFI_FIRMWARE_VOLUME_HEADER: Struct<FirmwareVolumeFields> =
  defineStruct<FirmwareVolumeFields>('EFI_FIRMWARE_VOLUME_HEADER', 'PI 1.7, vol. 3, 3.2.1', {
    zeroVector: byteArray(16),
    fileSystemGuid: EFI_GUID,
    fvLength: UINT64,
    signature: UINT32,
    attributes: UINT32,
    headerLength: UINT16,
    checksum: UINT16,
    extHeaderOffset: UINT16,
    reserved: UINT8,
    revision: UINT8,
  });

/** One run of equal flash blocks. */
export interface FirmwareVolumeBlocks {
  readonly numBlocks: number;
  /** Bytes of each block. */
  readonly length: number;
}

export const EFI_FV_BLOCK_MAP_ENTRY: Struct<FirmwareVolumeBlocks> =
  defineStruct<FirmwareVolumeBlocks>('EFI_FV_BLOCK_MAP_ENTRY', 'PI 1.7, vol. 3, 3.2.1', {
    numBlocks: UINT32,
    length: UINT32,
  });

/** A volume header with its block map (terminator left out). */
export interface FirmwareVolumeHeader extends FirmwareVolumeFields {
  readonly blockMap: readonly FirmwareVolumeBlocks[];
}

/** "_FVH". */
export const EFI_FVH_SIGNATURE = 0x4856_465f;

const FIXED = EFI_FIRMWARE_VOLUME_HEADER.size();
const ENTRY = EFI_FV_BLOCK_MAP_ENTRY.size();

/** Sum of the 16-bit words of a header, modulo 2^16: 0 when its checksum is right. */
export const firmwareVolumeSum = (header: Uint8Array): number => {
  const view = viewOf(header);
  let sum = 0;
  for (let at = 0; at + 1 < header.length; at += 2) sum = (sum + view.getUint16(at, true)) & 0xffff;
  return sum;
};

/** Reads a header and its block map, which must end exactly at `headerLength`, and checks signature and checksum. */
export const decodeFirmwareVolumeHeader = (
  bytes: Uint8Array,
  offset = 0,
): Decoded<FirmwareVolumeHeader> => {
  const fixed = EFI_FIRMWARE_VOLUME_HEADER.decode(bytes, offset);
  if (!fixed.ok) return fixed;
  const { signature, headerLength } = fixed.value;
  const bad = (
    field: keyof FirmwareVolumeFields,
    expected: string,
    found: string,
  ): ReturnType<typeof malformed> =>
    malformed(
      `EFI_FIRMWARE_VOLUME_HEADER.${field}`,
      offset + EFI_FIRMWARE_VOLUME_HEADER.offsetOf(field),
      expected,
      found,
    );
  if (signature !== EFI_FVH_SIGNATURE) {
    return bad('signature', '"_FVH"', `0x${signature.toString(16)}`);
  }
  const left = bytes.length - offset;
  if (headerLength < FIXED + ENTRY || (headerLength - FIXED) % ENTRY !== 0 || headerLength > left) {
    return bad(
      'headerLength',
      `${String(FIXED)} plus a multiple of ${String(ENTRY)}, at most ${String(left)}`,
      String(headerLength),
    );
  }
  const sum = firmwareVolumeSum(bytes.subarray(offset, offset + headerLength));
  if (sum !== 0) return bad('checksum', 'words that add up to 0', `0x${sum.toString(16)}`);
  const blockMap: FirmwareVolumeBlocks[] = [];
  for (let at = offset + FIXED; at < offset + headerLength; at += ENTRY) {
    const entry = EFI_FV_BLOCK_MAP_ENTRY.decode(bytes, at);
    if (!entry.ok) return entry;
    blockMap.push(entry.value);
  }
  const last = blockMap.pop();
  if (last?.numBlocks !== 0 || last.length !== 0) {
    return bad('headerLength', 'a block map that ends with a zero entry', 'one that does not');
  }
  return decoded({ ...fixed.value, blockMap });
};

/** The bytes of a header and its block map; `headerLength` and `checksum` are worked out anew. */
export const encodeFirmwareVolumeHeader = (
  header: FirmwareVolumeHeader,
): Uint8Array<ArrayBuffer> => {
  const map = [...header.blockMap, { numBlocks: 0, length: 0 }];
  const image = joinBytes([
    EFI_FIRMWARE_VOLUME_HEADER.encode({
      ...header,
      headerLength: FIXED + map.length * ENTRY,
      checksum: 0,
    }),
    ...map.map((entry) => EFI_FV_BLOCK_MAP_ENTRY.encode(entry)),
  ]);
  const checksum = (0x1_0000 - firmwareVolumeSum(image)) & 0xffff;
  viewOf(image).setUint16(EFI_FIRMWARE_VOLUME_HEADER.offsetOf('checksum'), checksum, true);
  return image;
};
