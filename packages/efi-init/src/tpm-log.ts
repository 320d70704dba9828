import {
  decodeFinalEvents,
  decodeTcgLog,
  LINUX_EFI_TPM_EVENTLOG,
  WellKnownGuid,
} from '@systab/efi-core';
import type { TcgLog } from '@systab/efi-core';
import { configurationTableAt } from './config-tables.ts';
import { keepMemory, readFirmware } from './context.ts';
import type { InitContext } from './context.ts';

/** Bytes; a log that claims more is garbage. */
const LARGEST_LOG = 0x100_0000;
/** The final events table does not say how long it is. Bytes to look at. */
const FINAL_LOG_WINDOW = 0x1_0000;
const PAGE = 0x1000;

const readLog = (context: InitContext): TcgLog | undefined => {
  const { tables, log } = context;
  const at = configurationTableAt(context, WellKnownGuid.LINUX_EFI_TPM_EVENT_LOG_GUID);
  if (at === undefined) return undefined;
  const headSize = LINUX_EFI_TPM_EVENTLOG.size();
  const head = readFirmware(tables.memory, at, headSize);
  const header = head.ok ? LINUX_EFI_TPM_EVENTLOG.decode(head.value) : undefined;
  if (header?.ok !== true || header.value.size > LARGEST_LOG) {
    log.err(`efi: Failed to map TPM Event Log table @ 0x${at.toString(16)}`);
    return undefined;
  }
  const { size } = header.value;
  keepMemory(context, { start: at, length: headSize + size }, 'TPM event log');
  const bytes = readFirmware(tables.memory, at + headSize, size);
  const decoded = bytes.ok ? decodeTcgLog(bytes.value) : undefined;
  if (decoded?.ok === true) return decoded.value;
  log.err('efi: [Firmware Bug]: Failed to parse event in TPM Event Log');
  return undefined;
};

/** Bytes from `at`, fewer where memory ends sooner. */
const window = ({ tables }: InitContext, at: number): Uint8Array | undefined => {
  for (let length = FINAL_LOG_WINDOW; length >= PAGE; length /= 2) {
    const bytes = readFirmware(tables.memory, at, length);
    if (bytes.ok) return bytes.value;
  }
  return undefined;
};

/** Finds the measurement logs, keeps their memory and counts their events. */
export const readTpmLogs = (context: InitContext): void => {
  const { log } = context;
  const events = readLog(context);
  context.tpm = { events: events?.events.length, finalEvents: undefined };
  const at = configurationTableAt(context, WellKnownGuid.EFI_TCG2_FINAL_EVENTS_TABLE_GUID);
  // Only crypto agile logs have final events, and only the log says which digests they carry.
  if (at === undefined || events?.algorithms === undefined) return;
  const bytes = window(context, at);
  const final = bytes === undefined ? undefined : decodeFinalEvents(bytes, events.algorithms);
  if (final?.ok !== true) {
    log.err(`efi: Failed to map TPM Final Event Log table @ 0x${at.toString(16)}`);
    return;
  }
  if (final.value.cut) {
    log.err('efi: [Firmware Bug]: Failed to parse event in TPM Final Events Log');
  }
  const last = final.value.events.at(-1);
  const length = last === undefined ? 16 : last.offset + last.size;
  keepMemory(context, { start: at, length }, 'TPM final events');
  context.tpm = { events: events.events.length, finalEvents: final.value.events.length };
};
