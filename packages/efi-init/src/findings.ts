import type { Bgrt } from '@systab/efi-core';

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
