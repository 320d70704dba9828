import {
  asciiArray,
  decoded,
  defineStruct,
  efiFail,
  efiOk,
  EfiStatus,
  malformed,
  physAddr,
  UINT32,
  UINT64,
  viewOf,
} from '@systab/efi-core';
import type {
  Decoded,
  EfiInitOps,
  EfiResult,
  MemoryMapLocation,
  SecureBootMode,
  Struct,
  SystemTableLocation,
} from '@systab/efi-core';
import type { E820Entry } from './e820.ts';

const CLAUSE = 'Linux arch/x86/include/uapi/asm/bootparam.h';

/** `boot_params.efi_info`: what a loader says about the firmware it ran on. */
export interface EfiInfo {
  /** `EL64` or `EL32`; anything else: not booted by EFI firmware. */
  readonly loaderSignature: string;
  readonly systab: number;
  readonly memdescSize: number;
  readonly memdescVersion: number;
  readonly memmap: number;
  /** Bytes. */
  readonly memmapSize: number;
  readonly systabHi: number;
  readonly memmapHi: number;
}

export const EFI_INFO: Struct<EfiInfo> = defineStruct<EfiInfo>('boot_params.efi_info', CLAUSE, {
  loaderSignature: asciiArray(4),
  systab: UINT32,
  memdescSize: UINT32,
  memdescVersion: UINT32,
  memmap: UINT32,
  memmapSize: UINT32,
  systabHi: UINT32,
  memmapHi: UINT32,
});

const BOOT_E820_ENTRY: Struct<E820Entry> = defineStruct<E820Entry>(
  'boot_e820_entry',
  CLAUSE,
  {
    start: UINT64,
    size: UINT64,
    type: UINT32,
  },
  { packed: true },
);

/** Bytes of `boot_params`, the zero page. */
export const BOOT_PARAMS_SIZE = 4096;
/** Entries the E820 table of `boot_params` has room for. */
export const E820_MAX_ENTRIES_ZEROPAGE = 128;

const EFI_INFO_AT = 0x1c0;
const E820_ENTRIES_AT = 0x1e8;
const SECURE_BOOT_AT = 0x1ec;
const E820_TABLE_AT = 0x2d0;

const SECURE_BOOT_MODES: readonly SecureBootMode[] = ['unset', 'unknown', 'disabled', 'enabled'];

/** What a loader hands over about EFI. */
export interface BootParams {
  /** Undefined when the machine was not booted by EFI firmware. */
  readonly systemTable: SystemTableLocation | undefined;
  readonly memoryMap: MemoryMapLocation | undefined;
  readonly secureBoot: SecureBootMode;
  readonly e820: readonly E820Entry[];
}

const joined = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

/** Reads what the zero page says about EFI; an error value for addresses beyond 2^52 and tables beyond their room. */
export const decodeBootParams = (zeroPage: Uint8Array): Decoded<BootParams> => {
  if (zeroPage.length < BOOT_PARAMS_SIZE) {
    return malformed('boot_params', 0, '4096 bytes', `${String(zeroPage.length)} bytes`);
  }
  const info = EFI_INFO.decode(zeroPage, EFI_INFO_AT);
  if (!info.ok) return info;
  const count = zeroPage[E820_ENTRIES_AT] ?? 0;
  if (count > E820_MAX_ENTRIES_ZEROPAGE) {
    return malformed('boot_params.e820_entries', E820_ENTRIES_AT, 'at most 128', String(count));
  }
  const e820: E820Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = BOOT_E820_ENTRY.decode(zeroPage, E820_TABLE_AT + index * BOOT_E820_ENTRY.size());
    if (!entry.ok) return entry;
    e820.push(entry.value);
  }
  const secureBoot = SECURE_BOOT_MODES[zeroPage[SECURE_BOOT_AT] ?? 0] ?? 'unknown';
  const { loaderSignature, systab, systabHi, memmap, memmapHi, ...map } = info.value;
  const width = loaderSignature === 'EL32' ? 32 : 64;
  if (loaderSignature !== 'EL32' && loaderSignature !== 'EL64') {
    return decoded({ systemTable: undefined, memoryMap: undefined, secureBoot, e820 });
  }
  const tableAt = physAddr(joined(systab, systabHi));
  const mapAt = physAddr(joined(memmap, memmapHi));
  if (tableAt === undefined || mapAt === undefined) {
    const far = joined(tableAt === undefined ? systabHi : memmapHi, 0);
    return malformed('boot_params.efi_info', EFI_INFO_AT, 'addresses below 2^52', String(far));
  }
  const memoryMap: MemoryMapLocation = {
    address: mapAt,
    size: map.memmapSize,
    descriptorSize: map.memdescSize,
    descriptorVersion: map.memdescVersion,
  };
  return decoded({
    systemTable: { address: tableAt, width },
    memoryMap: map.memmapSize === 0 ? undefined : memoryMap,
    secureBoot,
    e820,
  });
};

const halves = (value: number): readonly [number, number] => {
  const wide = BigInt(value);
  return [Number(wide & 0xffff_ffffn), Number(wide >> 32n)];
};

/** A zero page that says this about EFI and nothing else. Throws `RangeError` when the E820 map has more than 128 entries. */
export const encodeBootParams = (params: BootParams): Uint8Array<ArrayBuffer> => {
  const { systemTable, memoryMap, e820 } = params;
  if (e820.length > E820_MAX_ENTRIES_ZEROPAGE) {
    throw new RangeError(`${String(e820.length)} E820 entries do not fit boot_params`);
  }
  const bytes = new Uint8Array(BOOT_PARAMS_SIZE);
  const [systab, systabHi] = halves(systemTable?.address ?? 0);
  const [memmap, memmapHi] = halves(memoryMap?.address ?? 0);
  const signature = systemTable === undefined ? '\0\0\0\0' : `EL${String(systemTable.width)}`;
  bytes.set(
    EFI_INFO.encode({
      loaderSignature: signature,
      systab,
      systabHi,
      memmap,
      memmapHi,
      memdescSize: memoryMap?.descriptorSize ?? 0,
      memdescVersion: memoryMap?.descriptorVersion ?? 0,
      memmapSize: memoryMap?.size ?? 0,
    }),
    EFI_INFO_AT,
  );
  const view = viewOf(bytes);
  view.setUint8(E820_ENTRIES_AT, e820.length);
  view.setUint8(SECURE_BOOT_AT, SECURE_BOOT_MODES.indexOf(params.secureBoot));
  e820.forEach((entry, index) => {
    bytes.set(BOOT_E820_ENTRY.encode(entry), E820_TABLE_AT + index * BOOT_E820_ENTRY.size());
  });
  return bytes;
};

const found = <T>(value: T | undefined, why: string): EfiResult<T> =>
  value === undefined ? efiFail(EfiStatus.NOT_FOUND, { why }) : efiOk(value);

/** The two finding steps for a machine whose loader left boot_params: put them into a backend, or over one as its base. */
export const bootParamsInitOps = (
  params: BootParams,
): Pick<EfiInitOps, 'locateSystemTable' | 'locateMemoryMap'> => {
  return {
    locateSystemTable: () => found(params.systemTable, 'boot_params names no EFI loader'),
    locateMemoryMap: () => found(params.memoryMap, 'boot_params names no memory map'),
  };
};
