/**
 * What decoding bytes that somebody else wrote can give: a value, or an error value that says where
 * the bytes stopped making sense. Decoders never throw for the content of their input.
 */
export type Outcome<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** Where and why bytes (or text) could not be read as the structure they should be. */
export interface DecodeError {
  /** Structure, or structure and field, in the specification's spelling. */
  readonly structure: string;
  /** Offset of the offending part from the start of the input (bytes; characters for text). */
  readonly offset: number;
  /** What the specification asks for at that offset. */
  readonly expected: string;
  /** What stands there instead. */
  readonly found: string;
}

/** The outcome of a decoder. */
export type Decoded<T> = Outcome<T, DecodeError>;

/** A decoded value. */
export const decoded = <T>(value: T): { readonly ok: true; readonly value: T } => ({
  ok: true,
  value,
});

/** A decode error value. */
export const malformed = (
  structure: string,
  offset: number,
  expected: string,
  found: string,
): { readonly ok: false; readonly error: DecodeError } => ({
  ok: false,
  error: { structure, offset, expected, found },
});

/** One line for people: `EFI_TABLE_HEADER at 0x18: expected 24 bytes, found 7 bytes`. */
export const formatDecodeError = (error: DecodeError): string =>
  `${error.structure} at 0x${error.offset.toString(16)}: expected ${error.expected}, found ${error.found}`;
