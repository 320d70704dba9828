import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import { asciiArray, defineStruct, UINT32, UINT64, UINT8 } from './struct.ts';
import type { Struct } from './struct.ts';

// Configuration tables that a boot stub or loader installs for the kernel that follows it.
const CLAUSE = 'Linux include/linux/efi.h';

/** LINUX_EFI_RANDOM_SEED_TABLE_GUID: entropy, in front of `size` bytes of it. */
export interface RandomSeedHeader {
  readonly size: number;
}

export const LINUX_EFI_RANDOM_SEED: Struct<RandomSeedHeader> = defineStruct<RandomSeedHeader>(
  'linux_efi_random_seed',
  CLAUSE,
  { size: UINT32 },
);

/** Reads the seed itself. */
export const decodeRandomSeed = (bytes: Uint8Array, offset = 0): Decoded<Uint8Array> => {
  const head = LINUX_EFI_RANDOM_SEED.decode(bytes, offset);
  if (!head.ok) return head;
  const start = offset + LINUX_EFI_RANDOM_SEED.size();
  const { size } = head.value;
  return size <= bytes.length - start
    ? decoded(bytes.slice(start, start + size))
    : malformed(
        'linux_efi_random_seed.size',
        offset,
        `at most ${String(bytes.length - start)}`,
        String(size),
      );
};

/** LINUX_EFI_INITRD_MEDIA_GUID on a 64-bit kernel: where the initial RAM disk is. */
export interface InitrdTable {
  readonly base: bigint;
  readonly size: bigint;
}

export const LINUX_EFI_INITRD: Struct<InitrdTable> = defineStruct<InitrdTable>(
  'linux_efi_initrd',
  CLAUSE,
  { base: UINT64, size: UINT64 },
);

/** LINUX_EFI_TPM_EVENT_LOG_GUID: a copy of the measurement log, in front of `size` bytes of it. */
export interface TpmEventLogHeader {
  readonly size: number;
  /** Bytes of final events that the log has too. */
  readonly finalEventsPrebootSize: number;
  /** 1: SHA-1 log, 2: crypto agile log. */
  readonly version: number;
}

export const LINUX_EFI_TPM_EVENTLOG: Struct<TpmEventLogHeader> = defineStruct<TpmEventLogHeader>(
  'linux_efi_tpm_eventlog',
  CLAUSE,
  { size: UINT32, finalEventsPrebootSize: UINT32, version: UINT8 },
  { packed: true },
);

/** LINUX_EFI_MEMRESERVE_TABLE_GUID: one page of ranges to keep, linked to the next. */
export interface MemReserveHeader {
  /** Entries there is room for. */
  readonly size: number;
  /** Entries in use. */
  readonly count: number;
  /** Physical address of the next page, 0 at the end. */
  readonly next: bigint;
}

export const LINUX_EFI_MEMRESERVE: Struct<MemReserveHeader> = defineStruct<MemReserveHeader>(
  'linux_efi_memreserve',
  CLAUSE,
  { size: UINT32, count: UINT32, next: UINT64 },
);

/** One range of a reservation page. */
export interface MemReserveEntry {
  readonly base: bigint;
  readonly size: bigint;
}

export const LINUX_EFI_MEMRESERVE_ENTRY: Struct<MemReserveEntry> = defineStruct<MemReserveEntry>(
  'linux_efi_memreserve.entry',
  CLAUSE,
  { base: UINT64, size: UINT64 },
);

/** One page of reservations. */
export interface MemReservePage {
  readonly next: bigint;
  readonly entries: readonly MemReserveEntry[];
}

/** Reads one page; a count beyond its room is an error. */
export const decodeMemReserve = (bytes: Uint8Array, offset = 0): Decoded<MemReservePage> => {
  const head = LINUX_EFI_MEMRESERVE.decode(bytes, offset);
  if (!head.ok) return head;
  const { size, count, next } = head.value;
  if (count > size) {
    return malformed(
      'linux_efi_memreserve.count',
      offset + LINUX_EFI_MEMRESERVE.offsetOf('count'),
      `at most ${String(size)}`,
      String(count),
    );
  }
  const entries: MemReserveEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = offset + LINUX_EFI_MEMRESERVE.size() + index * LINUX_EFI_MEMRESERVE_ENTRY.size();
    const entry = LINUX_EFI_MEMRESERVE_ENTRY.decode(bytes, at);
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  return decoded({ next, entries });
};

/** LINUX_EFI_UNACCEPTED_MEM_TABLE_GUID: which memory the guest has not accepted yet, in front of the bitmap. */
export interface UnacceptedMemoryHeader {
  readonly version: number;
  /** Bytes that one bit stands for. */
  readonly unitSize: number;
  readonly physBase: bigint;
  /** Bytes of the bitmap. */
  readonly size: bigint;
}

export const LINUX_EFI_UNACCEPTED_MEMORY: Struct<UnacceptedMemoryHeader> =
  defineStruct<UnacceptedMemoryHeader>('efi_unaccepted_memory', CLAUSE, {
    version: UINT32,
    unitSize: UINT32,
    physBase: UINT64,
    size: UINT64,
  });

/** Header of one entry of LINUX_EFI_MOK_VARIABLE_TABLE_GUID, in front of `dataSize` bytes. */
export interface MokVariableHeader {
  /** NUL-padded. */
  readonly name: string;
  readonly dataSize: bigint;
}

export const LINUX_EFI_MOKVAR_ENTRY: Struct<MokVariableHeader> = defineStruct<MokVariableHeader>(
  'efi_mokvar_table_entry',
  CLAUSE,
  { name: asciiArray(256), dataSize: UINT64 },
);

/** A variable that the shim loader mirrors in memory, where a full or lying store cannot lose it. */
export interface MokVariable {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Reads the entries up to the one without a name and data that ends the table. */
export const decodeMokVariables = (bytes: Uint8Array): Decoded<readonly MokVariable[]> => {
  const variables: MokVariable[] = [];
  let at = 0;
  for (;;) {
    const entry = LINUX_EFI_MOKVAR_ENTRY.decode(bytes, at);
    if (!entry.ok) return entry;
    const { dataSize } = entry.value;
    const name = entry.value.name.replace(/\0.*$/s, '');
    if (name === '' && dataSize === 0n) return decoded(variables);
    const start = at + LINUX_EFI_MOKVAR_ENTRY.size();
    if (dataSize > BigInt(bytes.length - start)) {
      return malformed(
        'efi_mokvar_table_entry.dataSize',
        at + LINUX_EFI_MOKVAR_ENTRY.offsetOf('dataSize'),
        `at most ${String(bytes.length - start)}`,
        String(dataSize),
      );
    }
    at = start + Number(dataSize);
    variables.push({ name, data: bytes.slice(start, at) });
  }
};
