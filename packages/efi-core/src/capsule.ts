import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { EFI_GUID } from './guid.ts';
import type { Guid } from './guid.ts';
import { joinBytes } from './join-bytes.ts';
import { byteArray, defineStruct, UINT16, UINT32, UINT64, UINT8 } from './struct.ts';
import type { Struct } from './struct.ts';

/** EFI_CAPSULE_HEADER (UEFI 2.10, section 8.5.3). */
export interface CapsuleHeader {
  readonly capsuleGuid: Guid;
  /** Bytes up to the body; at least 28. */
  readonly headerSize: number;
  readonly flags: number;
  /** Bytes of header and body. */
  readonly capsuleImageSize: number;
}

export const EFI_CAPSULE_HEADER: Struct<CapsuleHeader> = defineStruct<CapsuleHeader>(
  'EFI_CAPSULE_HEADER',
  'UEFI 2.10, 8.5.3',
  { capsuleGuid: EFI_GUID, headerSize: UINT32, flags: UINT32, capsuleImageSize: UINT32 },
);

/** Capsule flags the specification defines; the low 16 bits belong to the capsule's GUID. */
export const CapsuleFlag: {
  readonly PERSIST_ACROSS_RESET: 0x0001_0000;
  readonly POPULATE_SYSTEM_TABLE: 0x0002_0000;
  readonly INITIATE_RESET: 0x0004_0000;
} = Object.freeze({
  PERSIST_ACROSS_RESET: 0x0001_0000,
  POPULATE_SYSTEM_TABLE: 0x0002_0000,
  INITIATE_RESET: 0x0004_0000,
});

/** Whether POPULATE_SYSTEM_TABLE and INITIATE_RESET come with the PERSIST_ACROSS_RESET they need. */
export const areCapsuleFlagsLegal = (flags: number): boolean =>
  (flags & (CapsuleFlag.POPULATE_SYSTEM_TABLE | CapsuleFlag.INITIATE_RESET)) === 0 ||
  (flags & CapsuleFlag.PERSIST_ACROSS_RESET) !== 0;

/** A capsule taken apart. */
export interface Capsule {
  readonly capsuleGuid: Guid;
  readonly flags: number;
  /** Bytes between the 28 of the header and the body. */
  readonly extraHeader: Uint8Array;
  readonly body: Uint8Array;
}

/** Reads the capsule at `offset`. */
export const decodeCapsule = (bytes: Uint8Array, offset = 0): Decoded<Capsule> => {
  const head = EFI_CAPSULE_HEADER.decode(bytes, offset);
  if (!head.ok) return head;
  const { capsuleGuid, headerSize, flags, capsuleImageSize } = head.value;
  const least = EFI_CAPSULE_HEADER.size();
  const left = bytes.length - offset;
  if (capsuleImageSize > left) {
    return malformed(
      'EFI_CAPSULE_HEADER.capsuleImageSize',
      offset + EFI_CAPSULE_HEADER.offsetOf('capsuleImageSize'),
      `at most ${String(left)}`,
      String(capsuleImageSize),
    );
  }
  if (headerSize < least || headerSize > capsuleImageSize) {
    return malformed(
      'EFI_CAPSULE_HEADER.headerSize',
      offset + EFI_CAPSULE_HEADER.offsetOf('headerSize'),
      `${String(least)} to ${String(capsuleImageSize)}`,
      String(headerSize),
    );
  }
  return decoded({
    capsuleGuid,
    flags,
    extraHeader: bytes.slice(offset + least, offset + headerSize),
    body: bytes.slice(offset + headerSize, offset + capsuleImageSize),
  });
};

/** The bytes of a capsule. */
export const encodeCapsule = (capsule: Capsule): Uint8Array<ArrayBuffer> => {
  const headerSize = EFI_CAPSULE_HEADER.size() + capsule.extraHeader.length;
  const head = EFI_CAPSULE_HEADER.encode({
    capsuleGuid: capsule.capsuleGuid,
    headerSize,
    flags: capsule.flags,
    capsuleImageSize: headerSize + capsule.body.length,
  });
  return joinBytes([head, capsule.extraHeader, capsule.body]);
};

/** EFI_CAPSULE_BLOCK_DESCRIPTOR (UEFI 2.10, section 8.5.3). */
export interface CapsuleBlock {
  /** Bytes of the block; 0 for a continuation or the end. */
  readonly length: bigint;
  /** Physical address of the block, or of the next list, or 0 at the end. */
  readonly address: bigint;
}

export const EFI_CAPSULE_BLOCK_DESCRIPTOR: Struct<CapsuleBlock> = defineStruct<CapsuleBlock>(
  'EFI_CAPSULE_BLOCK_DESCRIPTOR',
  'UEFI 2.10, 8.5.3',
  { length: UINT64, address: UINT64 },
);

/** One stretch of a scatter gather list. */
export interface CapsuleBlockList {
  readonly blocks: readonly CapsuleBlock[];
  /** Physical address of the stretch that follows; undefined at the end. */
  readonly continuation: bigint | undefined;
}

/** Reads descriptors up to the end or the continuation, which must come before the bytes run out. */
export const decodeCapsuleBlocks = (bytes: Uint8Array): Decoded<CapsuleBlockList> => {
  const blocks: CapsuleBlock[] = [];
  for (let at = 0; ; at += EFI_CAPSULE_BLOCK_DESCRIPTOR.size()) {
    const block = EFI_CAPSULE_BLOCK_DESCRIPTOR.decode(bytes, at);
    if (!block.ok) return block;
    if (block.value.length === 0n) {
      const { address } = block.value;
      return decoded({ blocks, continuation: address === 0n ? undefined : address });
    }
    blocks.push(block.value);
  }
};

/** The bytes of one stretch, with its end or continuation. */
export const encodeCapsuleBlocks = (list: CapsuleBlockList): Uint8Array<ArrayBuffer> =>
  joinBytes(
    [...list.blocks, { length: 0n, address: list.continuation ?? 0n }].map((block) =>
      EFI_CAPSULE_BLOCK_DESCRIPTOR.encode(block),
    ),
  );

/** EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER without its offsets (UEFI 2.10, section 23.3). */
export interface FmpCapsuleHeader {
  readonly version: number;
  readonly embeddedDriverCount: number;
  readonly payloadItemCount: number;
}

export const EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER: Struct<FmpCapsuleHeader> =
  defineStruct<FmpCapsuleHeader>('EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER', 'UEFI 2.10, 23.3', {
    version: UINT32,
    embeddedDriverCount: UINT16,
    payloadItemCount: UINT16,
  });

/** EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER, version 3 (UEFI 2.10, section 23.3); versions 1 and 2 end earlier. */
export interface FmpCapsuleImageHeader {
  readonly version: number;
  readonly updateImageTypeId: Guid;
  readonly updateImageIndex: number;
  readonly reserved: Uint8Array;
  readonly updateImageSize: number;
  readonly updateVendorCodeSize: number;
  /** From version 2 on. */
  readonly updateHardwareInstance: bigint;
  /** From version 3 on. */
  readonly imageCapsuleSupport: bigint;
}

export const EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER: Struct<FmpCapsuleImageHeader> =
  defineStruct<FmpCapsuleImageHeader>(
    'EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER',
    'UEFI 2.10, 23.3',
    {
      version: UINT32,
      updateImageTypeId: EFI_GUID,
      updateImageIndex: UINT8,
      reserved: byteArray(3),
      updateImageSize: UINT32,
      updateVendorCodeSize: UINT32,
      updateHardwareInstance: UINT64,
      imageCapsuleSupport: UINT64,
    },
    { packed: true },
  );
