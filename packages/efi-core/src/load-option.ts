import { decodeChar16Z, encodeChar16Z } from './char16.ts';
import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { decodeDevicePath, encodeDevicePath } from './device-path/node.ts';
import type { DevicePath } from './device-path/node.ts';
import { joinBytes } from './join-bytes.ts';
import { defineStruct, UINT16, UINT32, viewOf } from './struct.ts';
import type { Struct } from './struct.ts';

/** EFI_LOAD_OPTION up to its description (UEFI 2.10, section 3.1.3). */
export interface LoadOptionHeader {
  readonly attributes: number;
  /** Bytes of all device paths. */
  readonly filePathListLength: number;
}

export const EFI_LOAD_OPTION: Struct<LoadOptionHeader> = defineStruct<LoadOptionHeader>(
  'EFI_LOAD_OPTION',
  'UEFI 2.10, 3.1.3',
  { attributes: UINT32, filePathListLength: UINT16 },
  { packed: true },
);

/** Attribute bits of a load option. */
export const LoadOptionAttribute: {
  readonly ACTIVE: 0x0000_0001;
  readonly FORCE_RECONNECT: 0x0000_0002;
  readonly HIDDEN: 0x0000_0008;
  /** Five bits: 0 is a boot option, `CATEGORY_APP` an application. */
  readonly CATEGORY: 0x0000_1f00;
  readonly CATEGORY_APP: 0x0000_0100;
} = Object.freeze({
  ACTIVE: 0x0000_0001,
  FORCE_RECONNECT: 0x0000_0002,
  HIDDEN: 0x0000_0008,
  CATEGORY: 0x0000_1f00,
  CATEGORY_APP: 0x0000_0100,
});

/** A load option: what `Boot####` and its kin hold. */
export interface LoadOption {
  readonly attributes: number;
  readonly description: string;
  /** The first path is the one to boot. */
  readonly filePaths: readonly DevicePath[];
  /** Whatever follows: arguments, vendor data, or the garbage some firmware leaves. */
  readonly optionalData: Uint8Array;
}

/** Reads a load option. The device paths must fill exactly the length the header gives. */
export const decodeLoadOption = (bytes: Uint8Array): Decoded<LoadOption> => {
  const head = EFI_LOAD_OPTION.decode(bytes);
  if (!head.ok) return head;
  const { attributes, filePathListLength } = head.value;
  const description = decodeChar16Z(bytes, EFI_LOAD_OPTION.size());
  if (!description.ok) return description;
  const start = EFI_LOAD_OPTION.size() + description.value.size;
  const end = start + filePathListLength;
  if (end > bytes.length) {
    return malformed(
      'EFI_LOAD_OPTION.filePathListLength',
      EFI_LOAD_OPTION.offsetOf('filePathListLength'),
      `at most ${String(bytes.length - start)}`,
      String(filePathListLength),
    );
  }
  const filePaths: DevicePath[] = [];
  let at = start;
  while (at < end) {
    const path = decodeDevicePath(bytes, at, end);
    if (!path.ok) return path;
    filePaths.push(path.value.path);
    at += path.value.size;
  }
  return decoded({
    attributes,
    description: description.value.text,
    filePaths,
    optionalData: bytes.slice(end),
  });
};

/** The bytes of a load option. Throws `RangeError` when its device paths pass 64 KiB. */
export const encodeLoadOption = (option: LoadOption): Uint8Array<ArrayBuffer> => {
  const filePaths = joinBytes(option.filePaths.map(encodeDevicePath));
  return joinBytes([
    EFI_LOAD_OPTION.encode({
      attributes: option.attributes,
      filePathListLength: filePaths.length,
    }),
    encodeChar16Z(option.description),
    filePaths,
    option.optionalData,
  ]);
};

/** The numbers of a `BootOrder`-like variable; an odd number of bytes is an error. */
export const decodeLoadOrder = (bytes: Uint8Array): Decoded<readonly number[]> => {
  if (bytes.length % 2 !== 0) {
    return malformed('UINT16[]', 0, 'an even number of bytes', String(bytes.length));
  }
  const view = viewOf(bytes);
  return decoded(
    Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(index * 2, true)),
  );
};

/** The bytes of a `BootOrder`-like variable. */
export const encodeLoadOrder = (order: readonly number[]): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(order.length * 2);
  const view = viewOf(bytes);
  order.forEach((number, index) => {
    UINT16.write(view, index * 2, number, 64);
  });
  return bytes;
};
