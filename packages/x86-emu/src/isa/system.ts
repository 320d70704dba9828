/** The system instructions, joined. */
import type { Row } from './row.ts';
import { systemControlRows } from './system-control.ts';
import { systemFarRows } from './system-far.ts';
import { systemFlagRows } from './system-flags.ts';
import { systemIoRows } from './system-io.ts';
import { systemSaveRows } from './system-save.ts';
import { systemSegmentRows } from './system-segment.ts';

export const systemRows: readonly Row[] = [
  ...systemFlagRows,
  ...systemIoRows,
  ...systemSegmentRows,
  ...systemFarRows,
  ...systemControlRows,
  ...systemSaveRows,
];
