import { decoded, malformed } from './decoded.ts';
import type { Decoded } from './decoded.ts';
import {
  asciiArray,
  byteArray,
  defineStruct,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
  viewOf,
} from './struct.ts';
import type { Struct } from './struct.ts';

const PFP = 'TCG PC Client Platform Firmware Profile 1.06';

/** TCG_PCClientPCREvent up to its data: the events of a SHA-1 log, and the first one of every log. */
export interface TcgPcrEventHeader {
  readonly pcrIndex: number;
  readonly eventType: number;
  readonly digest: Uint8Array;
  readonly eventDataSize: number;
}

export const TCG_PCR_EVENT: Struct<TcgPcrEventHeader> = defineStruct<TcgPcrEventHeader>(
  'TCG_PCClientPCREvent',
  `${PFP}, 10`,
  { pcrIndex: UINT32, eventType: UINT32, digest: byteArray(20), eventDataSize: UINT32 },
);

/** TCG_EfiSpecIdEvent up to its list of algorithms. */
export interface TcgSpecIdHeader {
  readonly signature: string;
  readonly platformClass: number;
  readonly specVersionMinor: number;
  readonly specVersionMajor: number;
  readonly specErrata: number;
  readonly uintnSize: number;
  readonly numberOfAlgorithms: number;
}

export const TCG_SPEC_ID_EVENT: Struct<TcgSpecIdHeader> = defineStruct<TcgSpecIdHeader>(
  'TCG_EfiSpecIdEvent',
  `${PFP}, 10`,
  {
    signature: asciiArray(16),
    platformClass: UINT32,
    specVersionMinor: UINT8,
    specVersionMajor: UINT8,
    specErrata: UINT8,
    uintnSize: UINT8,
    numberOfAlgorithms: UINT32,
  },
);

/** An algorithm of a crypto agile log and the size of its digests. */
export interface TcgAlgorithm {
  readonly algorithmId: number;
  readonly digestSize: number;
}

export const TCG_ALGORITHM_SIZE: Struct<TcgAlgorithm> = defineStruct<TcgAlgorithm>(
  'TCG_EfiSpecIdEventAlgorithmSize',
  `${PFP}, 10`,
  { algorithmId: UINT16, digestSize: UINT16 },
);

/** Signature of the event that starts a crypto agile log. */
export const TCG_SPEC_ID_SIGNATURE = 'Spec ID Event03\0';
/** Event type EV_NO_ACTION: extends nothing. */
export const EV_NO_ACTION = 3;

/** One digest of an event. */
export interface TcgDigest {
  readonly algorithmId: number;
  readonly digest: Uint8Array;
}

/** One event of a log of either format. */
export interface TcgEvent {
  readonly pcrIndex: number;
  readonly eventType: number;
  readonly digests: readonly TcgDigest[];
  readonly event: Uint8Array;
  /** Offset in the log. */
  readonly offset: number;
  readonly size: number;
}

/** TPM_ALG_SHA1, the only algorithm of a SHA-1 log. */
export const TPM_ALG_SHA1 = 0x0004;

/** Reads one event of a SHA-1 log. */
export const decodeTcgPcrEvent = (bytes: Uint8Array, offset = 0): Decoded<TcgEvent> => {
  const head = TCG_PCR_EVENT.decode(bytes, offset);
  if (!head.ok) return head;
  const { pcrIndex, eventType, digest, eventDataSize } = head.value;
  const start = offset + TCG_PCR_EVENT.size();
  if (eventDataSize > bytes.length - start) {
    return malformed(
      'TCG_PCClientPCREvent.eventDataSize',
      offset + TCG_PCR_EVENT.offsetOf('eventDataSize'),
      `at most ${String(bytes.length - start)}`,
      String(eventDataSize),
    );
  }
  return decoded({
    pcrIndex,
    eventType,
    digests: [{ algorithmId: TPM_ALG_SHA1, digest }],
    event: bytes.slice(start, start + eventDataSize),
    offset,
    size: TCG_PCR_EVENT.size() + eventDataSize,
  });
};

/** The algorithms a crypto agile log uses, from the data of its first event. */
export const decodeTcgSpecId = (event: Uint8Array): Decoded<readonly TcgAlgorithm[]> => {
  const head = TCG_SPEC_ID_EVENT.decode(event);
  if (!head.ok) return head;
  if (head.value.signature !== TCG_SPEC_ID_SIGNATURE) {
    return malformed(
      'TCG_EfiSpecIdEvent.signature',
      0,
      JSON.stringify(TCG_SPEC_ID_SIGNATURE),
      JSON.stringify(head.value.signature),
    );
  }
  const algorithms: TcgAlgorithm[] = [];
  for (let index = 0; index < head.value.numberOfAlgorithms; index += 1) {
    const at = TCG_SPEC_ID_EVENT.size() + index * TCG_ALGORITHM_SIZE.size();
    const algorithm = TCG_ALGORITHM_SIZE.decode(event, at);
    if (!algorithm.ok) return algorithm;
    algorithms.push(algorithm.value);
  }
  return decoded(algorithms);
};

const readNumber = (bytes: Uint8Array, at: number, size: 2 | 4, what: string): Decoded<number> => {
  if (at + size > bytes.length) {
    const left = Math.max(bytes.length - at, 0);
    return malformed(
      `TCG_PCR_EVENT2.${what}`,
      at,
      `${String(size)} bytes`,
      `${String(left)} bytes`,
    );
  }
  const view = viewOf(bytes);
  return decoded(size === 2 ? view.getUint16(at, true) : view.getUint32(at, true));
};

/** Reads one event of a crypto agile log whose algorithms are known: TCG_PCR_EVENT2. */
export const decodeTcgPcrEvent2 = (
  bytes: Uint8Array,
  algorithms: readonly TcgAlgorithm[],
  offset = 0,
): Decoded<TcgEvent> => {
  const pcrIndex = readNumber(bytes, offset, 4, 'pcrIndex');
  if (!pcrIndex.ok) return pcrIndex;
  const eventType = readNumber(bytes, offset + 4, 4, 'eventType');
  if (!eventType.ok) return eventType;
  const count = readNumber(bytes, offset + 8, 4, 'digests.count');
  if (!count.ok) return count;
  const digests: TcgDigest[] = [];
  let at = offset + 12;
  for (let index = 0; index < count.value; index += 1) {
    const algorithmId = readNumber(bytes, at, 2, 'digests.hashAlg');
    if (!algorithmId.ok) return algorithmId;
    const known = algorithms.find((one) => one.algorithmId === algorithmId.value);
    if (known === undefined) {
      return malformed(
        'TCG_PCR_EVENT2.digests.hashAlg',
        at,
        'an algorithm of the log',
        `0x${algorithmId.value.toString(16)}`,
      );
    }
    const digest = bytes.slice(at + 2, at + 2 + known.digestSize);
    if (digest.length < known.digestSize) {
      return malformed(
        'TCG_PCR_EVENT2.digests.digest',
        at + 2,
        `${String(known.digestSize)} bytes`,
        `${String(digest.length)} bytes`,
      );
    }
    digests.push({ algorithmId: algorithmId.value, digest });
    at += 2 + known.digestSize;
  }
  const eventSize = readNumber(bytes, at, 4, 'eventSize');
  if (!eventSize.ok) return eventSize;
  const start = at + 4;
  if (eventSize.value > bytes.length - start) {
    return malformed(
      'TCG_PCR_EVENT2.eventSize',
      at,
      `at most ${String(bytes.length - start)}`,
      String(eventSize.value),
    );
  }
  const end = start + eventSize.value;
  return decoded({
    pcrIndex: pcrIndex.value,
    eventType: eventType.value,
    digests,
    event: bytes.slice(start, end),
    offset,
    size: end - offset,
  });
};

/** A measurement log. */
export interface TcgLog {
  /** Undefined for a SHA-1 log. */
  readonly algorithms: readonly TcgAlgorithm[] | undefined;
  readonly events: readonly TcgEvent[];
}

/** Reads a log to its last byte; a first event with the Spec ID signature makes it crypto agile. */
export const decodeTcgLog = (bytes: Uint8Array): Decoded<TcgLog> => {
  const first = decodeTcgPcrEvent(bytes);
  if (!first.ok) return first;
  const isAgile =
    first.value.eventType === EV_NO_ACTION &&
    String.fromCharCode(...first.value.event.subarray(0, 16)) === TCG_SPEC_ID_SIGNATURE;
  let algorithms: readonly TcgAlgorithm[] | undefined;
  if (isAgile) {
    const spec = decodeTcgSpecId(first.value.event);
    if (!spec.ok) return spec;
    algorithms = spec.value;
  }
  const events = [first.value];
  let at = first.value.size;
  while (at < bytes.length) {
    const event =
      algorithms === undefined
        ? decodeTcgPcrEvent(bytes, at)
        : decodeTcgPcrEvent2(bytes, algorithms, at);
    if (!event.ok) return event;
    events.push(event.value);
    at += event.value.size;
  }
  return decoded({ algorithms, events });
};

/** EFI_TCG2_FINAL_EVENTS_TABLE up to its events: what was measured after the log was handed over. */
export interface FinalEventsHeader {
  readonly version: bigint;
  readonly numberOfEvents: bigint;
}

export const EFI_TCG2_FINAL_EVENTS_TABLE: Struct<FinalEventsHeader> =
  defineStruct<FinalEventsHeader>(
    'EFI_TCG2_FINAL_EVENTS_TABLE',
    'TCG EFI Protocol Specification 1.0, 7',
    { version: UINT64, numberOfEvents: UINT64 },
  );

/** The sound events of a final events table, and what stopped the reading if it was not their number. */
export interface FinalEvents {
  readonly version: bigint;
  readonly numberOfEvents: bigint;
  readonly events: readonly TcgEvent[];
  /** Set when the table lists more than it holds: firmware is known to. */
  readonly cut: boolean;
}

/** Reads a final events table as far as it is sound. */
export const decodeFinalEvents = (
  bytes: Uint8Array,
  algorithms: readonly TcgAlgorithm[],
): Decoded<FinalEvents> => {
  const head = EFI_TCG2_FINAL_EVENTS_TABLE.decode(bytes);
  if (!head.ok) return head;
  const events: TcgEvent[] = [];
  let at = EFI_TCG2_FINAL_EVENTS_TABLE.size();
  while (BigInt(events.length) < head.value.numberOfEvents) {
    const event = decodeTcgPcrEvent2(bytes, algorithms, at);
    if (!event.ok) return decoded({ ...head.value, events, cut: true });
    events.push(event.value);
    at += event.value.size;
  }
  return decoded({ ...head.value, events, cut: false });
};
