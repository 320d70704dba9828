import { efiFail, EfiStatus, physAddr } from '@systab/efi-core';
import type { Efi, EfiResult, MemoryOps, PhysAddr, PlatformTables } from '@systab/efi-core';
import type { EfiCommandLine } from './command-line.ts';
import type { E820Entry } from './e820.ts';
import type { KernelLog } from './kernel-log.ts';
import type { BgrtImage, TpmLogs } from './findings.ts';

/** What the steps of initialisation share. */
export interface InitContext {
  readonly efi: Efi;
  readonly tables: Pick<PlatformTables, 'init' | 'memory' | 'runtime'>;
  readonly commandLine: EfiCommandLine;
  readonly log: KernelLog;
  /** The E820 map as it stands; undefined when nobody gave one. */
  e820: readonly E820Entry[] | undefined;
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

/** A pointer the firmware wrote, as a physical address; undefined for NULL and for what no machine has. */
export const firmwarePointer = (raw: bigint): PhysAddr | undefined =>
  raw === 0n ? undefined : physAddr(raw);
