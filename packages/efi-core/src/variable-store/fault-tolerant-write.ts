import { crc32 } from '../crc32.ts';
import { decoded, malformed } from '../decoded.ts';
import type { Decoded } from '../decoded.ts';
import { EFI_GUID, guidFromBytes } from '../guid.ts';
import type { Guid } from '../guid.ts';
import { byteArray, defineStruct, UINT32, UINT64, UINT8 } from '../struct.ts';
import type { Struct } from '../struct.ts';
import { WellKnownGuid } from '../well-known-guids.ts';

/** EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER (edk2 MdeModulePkg/Include/Guid/SystemNvDataGuid.h). */
export interface WorkingBlockHeader {
  readonly signature: Guid;
  readonly crc: number;
  /** Bit 0 clear: valid. Bit 1 clear: invalid. */
  readonly state: number;
  readonly reserved: Uint8Array;
  /** Bytes of the write queue after this header. */
  readonly writeQueueSize: bigint;
}

export const EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER: Struct<WorkingBlockHeader> =
  defineStruct<WorkingBlockHeader>(
    'EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER',
    'edk2 MdeModulePkg/Include/Guid/SystemNvDataGuid.h',
    {
      signature: EFI_GUID,
      crc: UINT32,
      state: UINT8,
      reserved: byteArray(3),
      writeQueueSize: UINT64,
    },
  );

/** EFI_FAULT_TOLERANT_WRITE_HEADER (same file); state bits are active low. */
export interface FaultTolerantWriteHeader {
  /** Bit 0: header allocated, bit 1: writes allocated, bit 2: complete. */
  readonly state: number;
  readonly callerId: Guid;
  readonly numberOfWrites: bigint;
  readonly privateDataSize: bigint;
}

export const EFI_FAULT_TOLERANT_WRITE_HEADER: Struct<FaultTolerantWriteHeader> =
  defineStruct<FaultTolerantWriteHeader>(
    'EFI_FAULT_TOLERANT_WRITE_HEADER',
    'edk2 MdeModulePkg/Include/Guid/SystemNvDataGuid.h',
    { state: UINT8, callerId: EFI_GUID, numberOfWrites: UINT64, privateDataSize: UINT64 },
  );

/** EFI_FAULT_TOLERANT_WRITE_RECORD (same file); state bits are active low. */
export interface FaultTolerantWriteRecord {
  /** Bit 0: boot block update, bit 1: spare complete, bit 2: destination complete. */
  readonly state: number;
  readonly lba: bigint;
  /** Bytes into the block. */
  readonly offset: bigint;
  readonly length: bigint;
  /** Distance of the destination from the spare area in bytes, in two's complement. */
  readonly relativeOffset: bigint;
}

export const EFI_FAULT_TOLERANT_WRITE_RECORD: Struct<FaultTolerantWriteRecord> =
  defineStruct<FaultTolerantWriteRecord>(
    'EFI_FAULT_TOLERANT_WRITE_RECORD',
    'edk2 MdeModulePkg/Include/Guid/SystemNvDataGuid.h',
    { state: UINT8, lba: UINT64, offset: UINT64, length: UINT64, relativeOffset: UINT64 },
  );

const ALLOCATED = 0x1;
const COMPLETE = 0x4;
const SPARE_COMPLETE = 0x2;
const DESTINATION_COMPLETE = 0x4;
const isSet = (state: number, bit: number): boolean => (state & bit) === 0;

/** One transaction of the write queue. */
export interface FaultTolerantWrite {
  readonly callerId: Guid;
  readonly complete: boolean;
  readonly records: readonly FaultTolerantWriteRecord[];
}

/** A working block, as it stands in a volume. */
export interface WorkingBlock {
  /** Offset in the bytes searched. */
  readonly offset: number;
  readonly writeQueueSize: number;
  /** Whether CRC and state say the block may be used. */
  readonly valid: boolean;
  readonly writes: readonly FaultTolerantWrite[];
  /** Whether firmware will copy its spare area over the store at the next boot, undoing what stands there. */
  readonly pending: boolean;
}

const HEADER = EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.size();
const CRC_AT = EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.offsetOf('crc');
const STATE_AT = EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.offsetOf('state');
const SCAN_STEP = 0x1000;

/** CRC of a working block header: CRC and state bytes count as erased. */
const workingBlockCrc = (header: Uint8Array): number => {
  const image = Uint8Array.from(header);
  image.fill(0xff, CRC_AT, CRC_AT + 4);
  image[STATE_AT] = 0xff;
  return crc32(image);
};

/** A valid working block header in front of a queue of `writeQueueSize` bytes. */
export const encodeWorkingBlockHeader = (writeQueueSize: bigint): Uint8Array<ArrayBuffer> => {
  const fields: WorkingBlockHeader = {
    signature: WellKnownGuid.EDKII_WORKING_BLOCK_SIGNATURE_GUID,
    crc: 0,
    state: 0xfe,
    reserved: new Uint8Array(3).fill(0xff),
    writeQueueSize,
  };
  const crc = workingBlockCrc(EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.encode(fields));
  return EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.encode({ ...fields, crc });
};

const decodeWrites = (
  bytes: Uint8Array,
  start: number,
  end: number,
): Decoded<readonly FaultTolerantWrite[]> => {
  const writes: FaultTolerantWrite[] = [];
  const recordSize = BigInt(EFI_FAULT_TOLERANT_WRITE_RECORD.size());
  let at = start;
  while (at + EFI_FAULT_TOLERANT_WRITE_HEADER.size() <= end) {
    const head = EFI_FAULT_TOLERANT_WRITE_HEADER.decode(bytes, at);
    if (!head.ok) return head;
    const { state, callerId, numberOfWrites, privateDataSize } = head.value;
    if (!isSet(state, ALLOCATED)) break;
    const first = at + EFI_FAULT_TOLERANT_WRITE_HEADER.size();
    const step = recordSize + privateDataSize;
    if (numberOfWrites * step > BigInt(end - first)) {
      return malformed(
        'EFI_FAULT_TOLERANT_WRITE_HEADER.numberOfWrites',
        at,
        `records within ${String(end - first)} bytes`,
        `${String(numberOfWrites)} of ${String(step)} bytes`,
      );
    }
    const records: FaultTolerantWriteRecord[] = [];
    for (let index = 0; index < Number(numberOfWrites); index += 1) {
      const record = EFI_FAULT_TOLERANT_WRITE_RECORD.decode(bytes, first + index * Number(step));
      if (!record.ok) return record;
      records.push(record.value);
    }
    writes.push({ callerId, complete: isSet(state, COMPLETE), records });
    at = first + Number(numberOfWrites * step);
  }
  return decoded(writes);
};

const willReplay = (write: FaultTolerantWrite): boolean =>
  !write.complete &&
  write.records.some(
    ({ state }) => isSet(state, SPARE_COMPLETE) && !isSet(state, DESTINATION_COMPLETE),
  );

/** Finds the working block at a 4 KiB boundary of `bytes` (a whole volume); undefined when there is none. */
export const decodeWorkingBlock = (bytes: Uint8Array): Decoded<WorkingBlock | undefined> => {
  for (let at = 0; at + HEADER <= bytes.length; at += SCAN_STEP) {
    const signature = guidFromBytes(bytes, at);
    if (!signature.ok) return signature;
    if (signature.value === WellKnownGuid.EDKII_WORKING_BLOCK_SIGNATURE_GUID) {
      return decodeBlockAt(bytes, at);
    }
  }
  return decoded(undefined);
};

const decodeBlockAt = (bytes: Uint8Array, at: number): Decoded<WorkingBlock> => {
  const head = EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.decode(bytes, at);
  if (!head.ok) return head;
  const { crc, state, writeQueueSize } = head.value;
  const valid =
    crc === workingBlockCrc(bytes.subarray(at, at + HEADER)) && isSet(state, 1) && !isSet(state, 2);
  const end = BigInt(at + HEADER) + writeQueueSize;
  if (end > BigInt(bytes.length)) {
    return malformed(
      'EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER.writeQueueSize',
      at,
      `at most ${String(bytes.length - at - HEADER)}`,
      String(writeQueueSize),
    );
  }
  const writes = decodeWrites(bytes, at + HEADER, Number(end));
  if (!writes.ok) return writes;
  return decoded({
    offset: at,
    writeQueueSize: Number(writeQueueSize),
    valid,
    writes: writes.value,
    pending: valid && writes.value.some(willReplay),
  });
};
