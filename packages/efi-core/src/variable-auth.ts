import { encodeChar16 } from './char16.ts';
import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { EFI_GUID, guidToBytes } from './guid.ts';
import type { Guid } from './guid.ts';
import { joinBytes } from './join-bytes.ts';
import { defineStruct, nested, UINT16, UINT32 } from './struct.ts';
import type { Struct } from './struct.ts';
import { EFI_TIME } from './time.ts';
import type { EfiTime } from './time.ts';
import type { VariableAttributes } from './variable.ts';
import { WellKnownGuid } from './well-known-guids.ts';

/** WIN_CERTIFICATE_UEFI_GUID without its data (UEFI 2.10, section 32.2). */
export interface WinCertificateUefiGuid {
  /** Bytes of the certificate from this field to the end of its data. */
  readonly length: number;
  readonly revision: number;
  readonly certificateType: number;
  readonly certType: Guid;
}

export const WIN_CERTIFICATE_UEFI_GUID: Struct<WinCertificateUefiGuid> =
  defineStruct<WinCertificateUefiGuid>('WIN_CERTIFICATE_UEFI_GUID', 'UEFI 2.10, 32.2', {
    length: UINT32,
    revision: UINT16,
    certificateType: UINT16,
    certType: EFI_GUID,
  });

/** EFI_VARIABLE_AUTHENTICATION_2 without its certificate data (UEFI 2.10, section 8.2). */
export interface EfiVariableAuthentication2 {
  readonly timeStamp: EfiTime;
  readonly authInfo: WinCertificateUefiGuid;
}

export const EFI_VARIABLE_AUTHENTICATION_2: Struct<EfiVariableAuthentication2> =
  defineStruct<EfiVariableAuthentication2>('EFI_VARIABLE_AUTHENTICATION_2', 'UEFI 2.10, 8.2', {
    timeStamp: nested(EFI_TIME),
    authInfo: nested(WIN_CERTIFICATE_UEFI_GUID),
  });

/** wRevision of every UEFI certificate. */
export const WIN_CERT_REVISION_2_0 = 0x0200;
/** wCertificateType of a certificate whose kind a GUID tells. */
export const WIN_CERT_TYPE_EFI_GUID = 0x0ef1;

/** Data of SetVariable for a time-based authenticated variable, taken apart. */
export interface AuthenticatedPayload {
  readonly timeStamp: EfiTime;
  readonly certType: Guid;
  /** For PKCS#7: a DER SignedData. */
  readonly certData: Uint8Array;
  /** The variable's new content. */
  readonly payload: Uint8Array;
}

/** Fields of a time stamp that must be 0 (UEFI 2.10, section 8.2). */
export const authTimeStampFaults = (
  time: EfiTime,
): readonly ('pad1' | 'nanosecond' | 'timeZone' | 'daylight' | 'pad2')[] =>
  (['pad1', 'nanosecond', 'timeZone', 'daylight', 'pad2'] as const).filter(
    (field) => time[field] !== 0,
  );

const CERTIFICATE = WIN_CERTIFICATE_UEFI_GUID.size();
const AUTH_INFO = EFI_VARIABLE_AUTHENTICATION_2.offsetOf('authInfo');

/**
 * Takes the data of an authenticated write apart. Revision and type of the certificate must be the
 * UEFI ones; time stamp rules and the signature itself are the firmware's to judge.
 */
export const decodeAuthenticatedPayload = (bytes: Uint8Array): Decoded<AuthenticatedPayload> => {
  const head = EFI_VARIABLE_AUTHENTICATION_2.decode(bytes);
  if (!head.ok) return head;
  const { timeStamp, authInfo } = head.value;
  const field = (name: keyof WinCertificateUefiGuid): number =>
    AUTH_INFO + WIN_CERTIFICATE_UEFI_GUID.offsetOf(name);
  if (authInfo.length < CERTIFICATE || authInfo.length > bytes.length - AUTH_INFO) {
    return malformed(
      'WIN_CERTIFICATE.dwLength',
      field('length'),
      `${String(CERTIFICATE)} to ${String(bytes.length - AUTH_INFO)}`,
      String(authInfo.length),
    );
  }
  if (authInfo.revision !== WIN_CERT_REVISION_2_0) {
    return malformed(
      'WIN_CERTIFICATE.wRevision',
      field('revision'),
      '0x200',
      `0x${authInfo.revision.toString(16)}`,
    );
  }
  if (authInfo.certificateType !== WIN_CERT_TYPE_EFI_GUID) {
    return malformed(
      'WIN_CERTIFICATE.wCertificateType',
      field('certificateType'),
      '0xef1',
      `0x${authInfo.certificateType.toString(16)}`,
    );
  }
  const end = AUTH_INFO + authInfo.length;
  return decoded({
    timeStamp,
    certType: authInfo.certType,
    certData: bytes.slice(AUTH_INFO + CERTIFICATE, end),
    payload: bytes.slice(end),
  });
};

/** The data of an authenticated write. */
export const encodeAuthenticatedPayload = (
  value: AuthenticatedPayload,
): Uint8Array<ArrayBuffer> => {
  const head = EFI_VARIABLE_AUTHENTICATION_2.encode({
    timeStamp: value.timeStamp,
    authInfo: {
      length: CERTIFICATE + value.certData.length,
      revision: WIN_CERT_REVISION_2_0,
      certificateType: WIN_CERT_TYPE_EFI_GUID,
      certType: value.certType,
    },
  });
  return joinBytes([head, value.certData, value.payload]);
};

/** An authenticated write whose certificate is PKCS#7, the only kind left in UEFI 2.10. */
export const pkcs7Payload = (
  timeStamp: EfiTime,
  certData: Uint8Array,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> =>
  encodeAuthenticatedPayload({
    timeStamp,
    certType: WellKnownGuid.EFI_CERT_TYPE_PKCS7_GUID,
    certData,
    payload,
  });

/** What one signs for a time-based authenticated write. */
export interface AuthenticatedWrite {
  readonly name: string;
  readonly vendorGuid: Guid;
  /** Exactly as passed to SetVariable, APPEND_WRITE included. */
  readonly attributes: VariableAttributes;
  readonly timeStamp: EfiTime;
  readonly payload: Uint8Array;
}

/** The bytes the signature covers: name without terminator, GUID, attributes, time stamp, content (UEFI 2.10, section 8.2). */
export const authenticatedDigestInput = (write: AuthenticatedWrite): Uint8Array<ArrayBuffer> => {
  const attributes = new Uint8Array(4);
  new DataView(attributes.buffer).setUint32(0, write.attributes, true);
  return joinBytes([
    encodeChar16(write.name),
    guidToBytes(write.vendorGuid),
    attributes,
    EFI_TIME.encode(write.timeStamp),
    write.payload,
  ]);
};
