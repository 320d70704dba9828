/** What a variable's data means, in words: for lists and differences. */
import {
  bytesToHex,
  decodeChar16,
  decodeDevicePath,
  decodeLoadOption,
  decodeLoadOrder,
  decodeSignatureLists,
  findGlobalVariable,
  formatDevicePath,
  guidFromBytes,
  LoadOptionAttribute,
  wellKnownGuidName,
} from '@systab/efi-core';
import type { EfiVariable, GlobalVariableShape, LoadOption } from '@systab/efi-core';

const GUID_SIZE = 16;
const SHOWN_BYTES = 24;
const SHORTEST_TEXT = 3;
/** Payloads up to this size are hashes, shown whole; larger ones are certificates. */
const LARGEST_HASH = 64;

/** `0003`. */
export const entryNumber = (number: number): string =>
  number.toString(16).toUpperCase().padStart(4, '0');

/** Bytes with the ones that are no ASCII letters as dots, as efibootmgr shows the data of an entry; a GUID where they are one's size. */
const optionalDataText = (data: Uint8Array): string => {
  const asGuid = data.length === GUID_SIZE ? guidFromBytes(data) : undefined;
  if (asGuid?.ok === true) return asGuid.value;
  return Array.from(data, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('');
};

/** An entry as efibootmgr lists it, behind its name. */
export const loadOptionText = (option: LoadOption): string => {
  const mark = (option.attributes & LoadOptionAttribute.ACTIVE) === 0 ? ' ' : '*';
  const path = option.filePaths[0];
  const pathText = path === undefined ? '' : formatDevicePath(path);
  return `${mark} ${option.description}\t${pathText}${optionalDataText(option.optionalData)}`;
};

/** Bytes in hex, or as text where they can be nothing else. */
const plainText = (data: Uint8Array): string =>
  data.length >= SHORTEST_TEXT && data.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? JSON.stringify(new TextDecoder('latin1').decode(data))
    : hexText(data);

const hexText = (data: Uint8Array): string => {
  const shown = bytesToHex(data.subarray(0, SHOWN_BYTES));
  return data.length > SHOWN_BYTES ? `${shown}…` : shown;
};

const numberText = (data: Uint8Array): string =>
  String(data.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n));

const devicePaths = (data: Uint8Array): readonly string[] | undefined => {
  const paths: string[] = [];
  for (let at = 0; at < data.length;) {
    const path = decodeDevicePath(data, at);
    if (!path.ok) return undefined;
    paths.push(formatDevicePath(path.value.path));
    at += path.value.size;
  }
  return paths;
};

const signatureLines = (data: Uint8Array): readonly string[] | undefined => {
  const lists = decodeSignatureLists(data);
  if (!lists.ok) return undefined;
  return lists.value.flatMap(({ signatureType, signatures }) => {
    const type = (wellKnownGuidName(signatureType) ?? signatureType).replace(
      /^EFI_CERT_(.*)_GUID$/,
      '$1',
    );
    return signatures.map(({ owner, data: payload }) => {
      const what = payload.length <= LARGEST_HASH ? bytesToHex(payload) : `${payload.length} bytes`;
      return `${type} ${what} owner ${owner}`;
    });
  });
};

const char16Text = (data: Uint8Array): readonly string[] => [
  JSON.stringify(decodeChar16(data).replace(/\0$/, '')),
];

const languageText = (data: Uint8Array): readonly string[] => {
  const end = data.indexOf(0);
  return [
    JSON.stringify(new TextDecoder('latin1').decode(data.subarray(0, end < 0 ? undefined : end))),
  ];
};

const sized =
  (size: number) =>
  (data: Uint8Array): readonly string[] | undefined =>
    data.length === size ? [numberText(data)] : undefined;

const READERS: Readonly<
  Partial<Record<GlobalVariableShape, (data: Uint8Array) => readonly string[] | undefined>>
> = {
  UINT8: sized(1),
  UINT16: sized(2),
  UINT32: sized(4),
  UINT64: sized(8),
  'UINT16[]': (data) => {
    const order = decodeLoadOrder(data);
    return order.ok ? [order.value.map(entryNumber).join(',')] : undefined;
  },
  EFI_LOAD_OPTION: (data) => {
    const option = decodeLoadOption(data);
    return option.ok ? [loadOptionText(option.value)] : undefined;
  },
  'EFI_SIGNATURE_LIST[]': signatureLines,
  'device path': devicePaths,
  language: languageText,
  CHAR16: char16Text,
};

/** The meaning of a variable's data, one line for each thing in it; text or its first bytes in hex where nobody knows. */
export const describeData = ({ name, vendorGuid, data }: EfiVariable): readonly string[] => {
  const shape = findGlobalVariable(name, vendorGuid)?.shape;
  const reader = shape === undefined ? undefined : READERS[shape];
  return reader?.(data) ?? [plainText(data)];
};
