import { efiFail, EfiStatus, physAddr } from '@systab/efi-core';
import type {
  Bgrt,
  Efi,
  EfiResult,
  MemoryOps,
  PhysAddr,
  PhysRange,
  PlatformTables,
} from '@systab/efi-core';
import type { EfiCommandLine } from './command-line.ts';
import type { E820Entry } from './e820.ts';
import type { KernelLog } from './kernel-log.ts';

/** What was found of measurement logs; undefined where there is none. */
export interface TpmLogs {
  /** Events of the log handed over; undefined when it cannot be read. */
  readonly events: number | undefined;
  /** Events measured after that. */
  readonly finalEvents: number | undefined;
}

/** The logo the firmware left on the screen. */
export interface BgrtImage {
  readonly table: Bgrt;
  /** Bytes of the bitmap. */
  readonly size: number;
}

/** What the steps of initialisation share. */
export interface InitContext {
  readonly efi: Efi;
  readonly tables: Pick<PlatformTables, 'init' | 'memory' | 'runtime'>;
  readonly commandLine: EfiCommandLine;
  readonly log: KernelLog;
  /** The E820 map as it stands; undefined when nobody gave one. */
  e820: readonly E820Entry[] | undefined;
  /** What was kept so far from being handed out. */
  readonly kept: PhysRange[];
  tpm: TpmLogs;
  bgrt: BgrtImage | undefined;
}

/** Reads memory of the firmware before the memory map is known. EFI_INVALID_PARAMETER for an address no machine has. */
export const readFirmware = (
  memory: MemoryOps,
  at: bigint | number,
  length: number,
): EfiResult<Uint8Array> => {
  const start = physAddr(at);
  if (start === undefined) {
    return efiFail(EfiStatus.INVALID_PARAMETER, { why: `0x${at.toString(16)} is no address` });
  }
  const range = { start, length };
  const mapped = memory.earlyMap(range);
  if (!mapped.ok) return mapped;
  const bytes = memory.read(start, length);
  memory.earlyUnmap(range);
  return bytes;
};

/** Keeps a range from being handed out; false where the platform cannot. */
export const keepMemory = (
  { tables, kept }: InitContext,
  range: PhysRange,
  why: string,
): boolean => {
  const reserved = tables.init.reserveMemory(range, why);
  if (reserved.ok) kept.push(range);
  return reserved.ok;
};

/** A pointer the firmware wrote, as a physical address; undefined for NULL and for what no machine has. */
export const firmwarePointer = (raw: bigint): PhysAddr | undefined =>
  raw === 0n ? undefined : physAddr(raw);
