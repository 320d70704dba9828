import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { joinBytes } from '../join-bytes.ts';
import { defineStruct, UINT16, UINT8 } from '../struct.ts';
import type { Struct } from '../struct.ts';

/** EFI_DEVICE_PATH_PROTOCOL: the header of every node (UEFI 2.10, section 10.2). */
export interface DevicePathHeader {
  readonly type: number;
  readonly subType: number;
  /** Bytes of the node, this header included. */
  readonly length: number;
}

export const EFI_DEVICE_PATH_PROTOCOL: Struct<DevicePathHeader> = defineStruct<DevicePathHeader>(
  'EFI_DEVICE_PATH_PROTOCOL',
  'UEFI 2.10, 10.2',
  { type: UINT8, subType: UINT8, length: UINT16 },
);

/** One node of a device path. */
export interface DevicePathNode {
  readonly type: number;
  readonly subType: number;
  /** What follows the header. */
  readonly data: Uint8Array;
}

/** One way to a device, from the root to the file. */
export type DevicePathInstance = readonly DevicePathNode[];

/** A device path: usually one instance; console variables hold several. The end nodes are not listed. */
export type DevicePath = readonly DevicePathInstance[];

/** Type of both end nodes. */
export const DEVICE_PATH_END_TYPE = 0x7f;
/** Ends the whole path. */
export const DEVICE_PATH_END_ENTIRE = 0xff;
/** Ends one instance; another follows. */
export const DEVICE_PATH_END_INSTANCE = 0x01;

const HEADER = EFI_DEVICE_PATH_PROTOCOL.size();

/** A device path found in memory. */
export interface LocatedDevicePath {
  readonly path: DevicePath;
  /** Bytes taken, end node included. */
  readonly size: number;
}

/** Reads one device path at `offset`, up to its end node, which must come before `end` (default: the end of `bytes`). */
export const decodeDevicePath = (
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
): Decoded<LocatedDevicePath> => {
  const within = bytes.subarray(0, end);
  const instances: DevicePathNode[][] = [[]];
  let at = offset;
  for (;;) {
    const head = EFI_DEVICE_PATH_PROTOCOL.decode(within, at);
    if (!head.ok) return head;
    const { type, subType, length } = head.value;
    if (length < HEADER || at + length > within.length) {
      return malformed(
        'EFI_DEVICE_PATH_PROTOCOL.length',
        at + EFI_DEVICE_PATH_PROTOCOL.offsetOf('length'),
        `${String(HEADER)} to ${String(within.length - at)}`,
        String(length),
      );
    }
    const data = within.slice(at + HEADER, at + length);
    at += length;
    if (type !== DEVICE_PATH_END_TYPE) {
      instances.at(-1)?.push({ type, subType, data });
    } else if (data.length > 0) {
      return malformed('end node', at - length, '4 bytes', `${String(length)} bytes`);
    } else if (subType === DEVICE_PATH_END_ENTIRE) {
      return decoded({ path: instances, size: at - offset });
    } else if (subType === DEVICE_PATH_END_INSTANCE) {
      instances.push([]);
    } else {
      return malformed('end node', at - length, 'subtype 0x1 or 0xff', `0x${subType.toString(16)}`);
    }
  }
};

const encodeNode = ({ type, subType, data }: DevicePathNode): Uint8Array =>
  joinBytes([
    EFI_DEVICE_PATH_PROTOCOL.encode({ type, subType, length: HEADER + data.length }),
    data,
  ]);

const end = (subType: number): Uint8Array =>
  encodeNode({ type: DEVICE_PATH_END_TYPE, subType, data: new Uint8Array() });

/** The bytes of a device path with its end nodes. Throws `RangeError` for a node beyond 64 KiB. */
export const encodeDevicePath = (path: DevicePath): Uint8Array<ArrayBuffer> =>
  joinBytes(
    path
      .flatMap((instance, index) => [
        ...(index === 0 ? [] : [end(DEVICE_PATH_END_INSTANCE)]),
        ...instance.map(encodeNode),
      ])
      .concat(end(DEVICE_PATH_END_ENTIRE)),
  );
