/** What a PV guest finds at its entry point. Xen 4.17, xen/include/public/xen.h. */
import { asciiArray, defineStruct, UINT32, UINT64 } from '@systab/efi-core';
import type { Struct } from '@systab/efi-core';

/** struct start_info. */
export interface StartInfo {
  readonly magic: string;
  readonly nr_pages: bigint;
  /** Machine address. */
  readonly shared_info: bigint;
  readonly flags: number;
  readonly store_mfn: bigint;
  readonly store_evtchn: number;
  readonly console_info_off: number;
  readonly console_info_size: number;
  readonly console_domu: bigint;
  readonly pt_base: bigint;
  readonly nr_pt_frames: bigint;
  readonly mfn_list: bigint;
  readonly mod_start: bigint;
  readonly mod_len: bigint;
  readonly cmd_line: string;
  readonly first_p2m_pfn: bigint;
  readonly nr_p2m_frames: bigint;
}

export const start_info: Struct<StartInfo> = defineStruct<StartInfo>(
  'start_info',
  'Xen 4.17, public/xen.h',
  {
    magic: asciiArray(32),
    nr_pages: UINT64,
    shared_info: UINT64,
    flags: UINT32,
    store_mfn: UINT64,
    store_evtchn: UINT32,
    console_info_off: UINT32,
    console_info_size: UINT32,
    console_domu: UINT64,
    pt_base: UINT64,
    nr_pt_frames: UINT64,
    mfn_list: UINT64,
    mod_start: UINT64,
    mod_len: UINT64,
    cmd_line: asciiArray(1024),
    first_p2m_pfn: UINT64,
    nr_p2m_frames: UINT64,
  },
);

/** Beginning of `magic` for a 64-bit PV guest. */
export const XEN_PV_MAGIC = 'xen-3.0-x86_64';

/** wc_* of struct shared_info: the wallclock at system time 0. */
export interface SharedWallclock {
  readonly wc_version: number;
  readonly wc_sec: number;
  readonly wc_nsec: number;
  readonly wc_sec_hi: number;
}

export const shared_wallclock: Struct<SharedWallclock> = defineStruct<SharedWallclock>(
  'shared_info.wc',
  'Xen 4.17, public/xen.h',
  { wc_version: UINT32, wc_sec: UINT32, wc_nsec: UINT32, wc_sec_hi: UINT32 },
);

/** Offset of them in shared_info. */
export const SHARED_WALLCLOCK_OFFSET = 3072;
