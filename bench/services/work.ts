// What is done with the runtime services, and how often: the same through Linux and through our layer.

/** Kinds of calls: through files of efivarfs and what corresponds to them in our layer, then the services themselves. */
export const CALL_KINDS = [
  'read',
  'write same',
  'GetVariable',
  'SetVariable same',
  'GetTime',
  'write other',
] as const;

/** A kind of call. */
export type CallKind = (typeof CALL_KINDS)[number];

/** Full rounds of each; what writes to flash is slower, and other data fills the store. */
const ROUNDS: Readonly<Record<CallKind, number>> = {
  read: 5000,
  'write same': 2000,
  GetVariable: 5000,
  'SetVariable same': 2000,
  GetTime: 5000,
  'write other': 300,
};

/** How often a kind of call is made. */
export const roundsOf = (kind: CallKind, quick: boolean): number =>
  Math.ceil(ROUNDS[kind] / (quick ? 10 : 1));

/** The variable: eight bytes, of which other data differs in the last. */
export const NAME = 'SystabSpeed';
export const VENDOR = '6c9a5b1e-0f57-4d0c-9a53-8d5f3b9f4e21';
/** The same as bytes. */
export const VENDOR_BYTES = '1e5b9a6c570f0c4d9a538d5f3b9f4e21';
export const SIZE = 8;
/** Non-volatile, for boot services and the operating system. */
export const ATTRIBUTES = 7;
