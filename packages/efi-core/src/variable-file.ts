import { char16Size, decodeChar16Z, encodeChar16Z } from './char16.ts';
import { crc32 } from './crc32.ts';
import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { EFI_GUID, parseGuid } from './guid.ts';
import type { Guid } from './guid.ts';
import { joinBytes } from './join-bytes.ts';
import { defineStruct, UINT32, UINT64, viewOf } from './struct.ts';
import type { Struct } from './struct.ts';
import { variableLabel } from './variable.ts';
import type { EfiVariable, VariableAttributes } from './variable.ts';

/** A variable's name and name space as efivarfs and efivar write them: `BootOrder-8be4df61-…`. */
export interface VariableLabel {
  readonly name: string;
  readonly vendorGuid: Guid;
}

const GUID_TEXT = 36;

/** Takes `Name-guid` apart; the name may hold dashes. */
export const parseVariableLabel = (label: string): Decoded<VariableLabel> => {
  const at = label.length - GUID_TEXT;
  const vendorGuid = parseGuid(label.slice(Math.max(at, 0)));
  if (at < 2 || label.charAt(at - 1) !== '-' || vendorGuid === undefined) {
    return malformed(
      'variable label',
      Math.max(at, 0),
      'a name, "-" and a GUID',
      JSON.stringify(label),
    );
  }
  return decoded({ name: label.slice(0, at - 1), vendorGuid });
};

/** Content of an efivarfs file: 4 bytes of attributes, then the data. */
export interface EfivarfsContent {
  readonly attributes: VariableAttributes;
  readonly data: Uint8Array;
}

/** Reads an efivarfs file. */
export const decodeEfivarfs = (bytes: Uint8Array): Decoded<EfivarfsContent> =>
  bytes.length < 4
    ? malformed('efivarfs file', 0, 'at least 4 bytes', `${String(bytes.length)} bytes`)
    : decoded({ attributes: viewOf(bytes).getUint32(0, true), data: bytes.slice(4) });

const word = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  UINT32.write(viewOf(bytes), 0, value, 64);
  return bytes;
};

/** The bytes of an efivarfs file. */
export const encodeEfivarfs = (content: EfivarfsContent): Uint8Array<ArrayBuffer> =>
  joinBytes([word(content.attributes), content.data]);

/** Name of the efivarfs file of a variable. */
export const efivarfsFileName = ({ name, vendorGuid }: VariableLabel): string =>
  variableLabel(name, vendorGuid);

interface ExportHeader {
  readonly magic: number;
  readonly version: number;
  readonly attributes: bigint;
  readonly vendorGuid: Guid;
  readonly nameSize: number;
  readonly dataSize: number;
}

const EFIVAR_EXPORT: Struct<ExportHeader> = defineStruct<ExportHeader>(
  'efivar export',
  'efivar src/export.c',
  {
    magic: UINT32,
    version: UINT32,
    attributes: UINT64,
    vendorGuid: EFI_GUID,
    nameSize: UINT32,
    dataSize: UINT32,
  },
);

const EFIVAR_MAGIC = 0xf3df_1597;
const EFIVAR_VERSION = 1;

interface Sizes {
  readonly nameSize: number;
  readonly dataSize: number;
}

const sizesFit = (what: string, sizes: Sizes, room: number): Decoded<true> =>
  sizes.nameSize + sizes.dataSize <= room
    ? decoded(true)
    : malformed(
        `${what} sizes`,
        0,
        `at most ${String(room)} bytes`,
        `${String(sizes.nameSize)} and ${String(sizes.dataSize)}`,
      );

const crcFits = (what: string, bytes: Uint8Array, at: number): Decoded<true> => {
  const stored = viewOf(bytes).getUint32(at, true);
  const right = crc32(bytes.subarray(0, at));
  return stored === right
    ? decoded(true)
    : malformed(`${what} CRC`, at, `0x${right.toString(16)}`, `0x${stored.toString(16)}`);
};

const CRC = 4;

/** Reads what `efivar --export` writes (its own format, version 1). */
export const decodeEfivarExport = (bytes: Uint8Array): Decoded<EfiVariable> => {
  const head = EFIVAR_EXPORT.decode(bytes);
  if (!head.ok) return head;
  const { magic, version, attributes, vendorGuid, nameSize, dataSize } = head.value;
  if (magic !== EFIVAR_MAGIC || version !== EFIVAR_VERSION) {
    const found = `0x${magic.toString(16)} and ${String(version)}`;
    return malformed('efivar export magic and version', 0, '0xf3df1597 and 1', found);
  }
  const fits = sizesFit('efivar export', head.value, bytes.length - EFIVAR_EXPORT.size() - CRC);
  if (!fits.ok) return fits;
  const dataAt = EFIVAR_EXPORT.size() + nameSize;
  const crc = crcFits('efivar export', bytes, dataAt + dataSize);
  if (!crc.ok) return crc;
  const name = decodeChar16Z(bytes, EFIVAR_EXPORT.size(), dataAt);
  if (!name.ok) return name;
  return decoded({
    name: name.value.text,
    vendorGuid,
    attributes: Number(attributes & 0xffff_ffffn),
    data: bytes.slice(dataAt, dataAt + dataSize),
  });
};

const sealed = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const body = joinBytes(parts);
  return joinBytes([body, word(crc32(body))]);
};

/** What `efivar --export` writes. The time stamp has no place in it. */
export const encodeEfivarExport = (variable: EfiVariable): Uint8Array<ArrayBuffer> =>
  sealed([
    EFIVAR_EXPORT.encode({
      magic: EFIVAR_MAGIC,
      version: EFIVAR_VERSION,
      attributes: BigInt(variable.attributes),
      vendorGuid: variable.vendorGuid,
      nameSize: char16Size(variable.name),
      dataSize: variable.data.length,
    }),
    encodeChar16Z(variable.name),
    variable.data,
  ]);

interface DmpstoreTail {
  readonly vendorGuid: Guid;
  readonly attributes: number;
}

const DMPSTORE_HEAD: Struct<Sizes> = defineStruct<Sizes>(
  'dmpstore record',
  'UEFI Shell 2.2, dmpstore -s',
  { nameSize: UINT32, dataSize: UINT32 },
);

const DMPSTORE_TAIL: Struct<DmpstoreTail> = defineStruct<DmpstoreTail>(
  'dmpstore record',
  'UEFI Shell 2.2, dmpstore -s',
  { vendorGuid: EFI_GUID, attributes: UINT32 },
);

const decodeDmpstoreRecord = (bytes: Uint8Array): Decoded<readonly [EfiVariable, number]> => {
  const head = DMPSTORE_HEAD.decode(bytes);
  if (!head.ok) return head;
  const { nameSize, dataSize } = head.value;
  const fixed = DMPSTORE_HEAD.size() + DMPSTORE_TAIL.size() + CRC;
  const fits = sizesFit('dmpstore record', head.value, bytes.length - fixed);
  if (!fits.ok) return fits;
  const size = fixed + nameSize + dataSize;
  const crc = crcFits('dmpstore record', bytes, size - CRC);
  if (!crc.ok) return crc;
  const tailAt = DMPSTORE_HEAD.size() + nameSize;
  const name = decodeChar16Z(bytes, DMPSTORE_HEAD.size(), tailAt);
  if (!name.ok) return name;
  const tail = DMPSTORE_TAIL.decode(bytes, tailAt);
  if (!tail.ok) return tail;
  const data = bytes.slice(tailAt + DMPSTORE_TAIL.size(), size - CRC);
  return decoded([{ name: name.value.text, ...tail.value, data }, size]);
};

/** Reads what the UEFI shell's `dmpstore -s` writes: records one after the other, to the last byte. */
export const decodeDmpstore = (bytes: Uint8Array): Decoded<readonly EfiVariable[]> => {
  const variables: EfiVariable[] = [];
  let at = 0;
  while (at < bytes.length) {
    const record = decodeDmpstoreRecord(bytes.subarray(at));
    if (!record.ok) {
      return { ok: false, error: { ...record.error, offset: record.error.offset + at } };
    }
    const [variable, size] = record.value;
    variables.push(variable);
    at += size;
  }
  return decoded(variables);
};

/** What `dmpstore -s` writes. Time stamps have no place in it. */
export const encodeDmpstore = (variables: readonly EfiVariable[]): Uint8Array<ArrayBuffer> =>
  joinBytes(
    variables.map(({ name, vendorGuid, attributes, data }) =>
      sealed([
        DMPSTORE_HEAD.encode({ nameSize: char16Size(name), dataSize: data.length }),
        encodeChar16Z(name),
        DMPSTORE_TAIL.encode({ vendorGuid, attributes }),
        data,
      ]),
    ),
  );
