import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { EFI_GUID, GUID_SIZE } from './guid.ts';
import type { Guid } from './guid.ts';
import { joinBytes } from './join-bytes.ts';
import { defineStruct, UINT32 } from './struct.ts';
import type { Struct } from './struct.ts';
import { WellKnownGuid } from './well-known-guids.ts';

/** EFI_SIGNATURE_LIST without what follows it (UEFI 2.10, section 32.4.1). */
export interface EfiSignatureListHeader {
  readonly signatureType: Guid;
  /** Bytes of header, signature header and all signatures. */
  readonly signatureListSize: number;
  readonly signatureHeaderSize: number;
  /** Bytes of one signature, owner GUID included. */
  readonly signatureSize: number;
}

export const EFI_SIGNATURE_LIST: Struct<EfiSignatureListHeader> =
  defineStruct<EfiSignatureListHeader>('EFI_SIGNATURE_LIST', 'UEFI 2.10, 32.4.1', {
    signatureType: EFI_GUID,
    signatureListSize: UINT32,
    signatureHeaderSize: UINT32,
    signatureSize: UINT32,
  });

/** EFI_SIGNATURE_DATA: who put it there, and the hash or certificate itself. */
export interface EfiSignature {
  readonly owner: Guid;
  readonly data: Uint8Array;
}

/** A signature list: signatures of one type and one size. */
export interface EfiSignatureList {
  readonly signatureType: Guid;
  /** Empty for every type the specification defines. */
  readonly header: Uint8Array;
  readonly signatures: readonly EfiSignature[];
  /** Bytes of one signature with its owner; only needed to keep the size of a list without signatures. */
  readonly signatureSize: number;
}

/** Bytes of the payload, owner excluded, per type; 0 for any size (UEFI 2.10, section 32.4.1). */
const PAYLOAD_SIZES: ReadonlyMap<Guid, number> = new Map([
  [WellKnownGuid.EFI_CERT_SHA1_GUID, 20],
  [WellKnownGuid.EFI_CERT_SHA224_GUID, 28],
  [WellKnownGuid.EFI_CERT_SHA256_GUID, 32],
  [WellKnownGuid.EFI_CERT_SHA384_GUID, 48],
  [WellKnownGuid.EFI_CERT_SHA512_GUID, 64],
  [WellKnownGuid.EFI_CERT_RSA2048_GUID, 256],
  [WellKnownGuid.EFI_CERT_RSA2048_SHA1_GUID, 256],
  [WellKnownGuid.EFI_CERT_RSA2048_SHA256_GUID, 256],
  [WellKnownGuid.EFI_CERT_X509_GUID, 0],
  [WellKnownGuid.EFI_CERT_X509_SHA256_GUID, 48],
  [WellKnownGuid.EFI_CERT_X509_SHA384_GUID, 64],
  [WellKnownGuid.EFI_CERT_X509_SHA512_GUID, 80],
]);

/** Bytes a signature of this type carries after its owner, 0 when any size will do; undefined for an unknown type. */
export const signaturePayloadSize = (signatureType: Guid): number | undefined =>
  PAYLOAD_SIZES.get(signatureType);

const HEADER = EFI_SIGNATURE_LIST.size();

const EFI_SIGNATURE_DATA_OWNER: Struct<{ readonly signatureOwner: Guid }> = defineStruct<{
  readonly signatureOwner: Guid;
}>('EFI_SIGNATURE_DATA', 'UEFI 2.10, 32.4.1', { signatureOwner: EFI_GUID });

const decodeOne = (bytes: Uint8Array, at: number): Decoded<readonly [EfiSignatureList, number]> => {
  const head = EFI_SIGNATURE_LIST.decode(bytes, at);
  if (!head.ok) return head;
  const { signatureType, signatureListSize, signatureHeaderSize, signatureSize } = head.value;
  const left = bytes.length - at;
  if (signatureListSize < HEADER || signatureListSize > left) {
    return malformed(
      'EFI_SIGNATURE_LIST.signatureListSize',
      at + EFI_SIGNATURE_LIST.offsetOf('signatureListSize'),
      `${String(HEADER)} to ${String(left)}`,
      String(signatureListSize),
    );
  }
  const body = signatureListSize - HEADER - signatureHeaderSize;
  if (body < 0) {
    return malformed(
      'EFI_SIGNATURE_LIST.signatureHeaderSize',
      at + EFI_SIGNATURE_LIST.offsetOf('signatureHeaderSize'),
      `at most ${String(signatureListSize - HEADER)}`,
      String(signatureHeaderSize),
    );
  }
  if (signatureSize < GUID_SIZE || body % signatureSize !== 0) {
    return malformed(
      'EFI_SIGNATURE_LIST.signatureSize',
      at + EFI_SIGNATURE_LIST.offsetOf('signatureSize'),
      `at least ${String(GUID_SIZE)} and a divisor of ${String(body)}`,
      String(signatureSize),
    );
  }
  const first = at + HEADER + signatureHeaderSize;
  const signatures: EfiSignature[] = [];
  for (let entry = first; entry < first + body; entry += signatureSize) {
    const owner = EFI_SIGNATURE_DATA_OWNER.decode(bytes, entry);
    if (!owner.ok) return owner;
    signatures.push({
      owner: owner.value.signatureOwner,
      data: bytes.slice(entry + GUID_SIZE, entry + signatureSize),
    });
  }
  const header = bytes.slice(at + HEADER, first);
  return decoded([{ signatureType, header, signatures, signatureSize }, signatureListSize]);
};

/** Reads the lists of a signature database (PK, KEK, db, dbx, an `.esl` file) to the last byte. */
export const decodeSignatureLists = (bytes: Uint8Array): Decoded<readonly EfiSignatureList[]> => {
  const lists: EfiSignatureList[] = [];
  let at = 0;
  while (at < bytes.length) {
    const one = decodeOne(bytes, at);
    if (!one.ok) return one;
    const [list, size] = one.value;
    lists.push(list);
    at += size;
  }
  return decoded(lists);
};

/** The bytes of signature lists. Throws `RangeError` for a signature whose size is not its list's. */
export const encodeSignatureLists = (
  lists: readonly EfiSignatureList[],
): Uint8Array<ArrayBuffer> => {
  const parts = lists.flatMap((list) => {
    const { signatureType, header, signatures, signatureSize } = list;
    const head = EFI_SIGNATURE_LIST.encode({
      signatureType,
      signatureListSize: HEADER + header.length + signatures.length * signatureSize,
      signatureHeaderSize: header.length,
      signatureSize,
    });
    const entries = signatures.flatMap(({ owner, data }) => {
      if (data.length + GUID_SIZE !== signatureSize) {
        throw new RangeError(
          `signature of ${String(data.length)} bytes in a list of ${String(signatureSize - GUID_SIZE)}`,
        );
      }
      return [EFI_SIGNATURE_DATA_OWNER.encode({ signatureOwner: owner }), data];
    });
    return [head, header, ...entries];
  });
  return joinBytes(parts);
};

/** A list of signatures of one type that share one size. Throws `RangeError` when there is none or sizes differ. */
export const signatureList = (
  signatureType: Guid,
  signatures: readonly EfiSignature[],
): EfiSignatureList => {
  const [first] = signatures;
  if (first === undefined) throw new RangeError('a signature list of unknown signature size');
  const signatureSize = GUID_SIZE + first.data.length;
  if (signatures.some(({ data }) => GUID_SIZE + data.length !== signatureSize)) {
    throw new RangeError('signatures of one list must have one size');
  }
  return { signatureType, header: new Uint8Array(), signatures, signatureSize };
};
