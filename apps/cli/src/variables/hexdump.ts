/** Bytes as efivar prints them. */

const LINE = 16;
const HALF = 8;

/** One line of `efivar --print`: like `hexdump -C`, but for the blanks that end a line of 16 bytes. */
const hexdumpLine = (bytes: Uint8Array, offset: number): string => {
  const cells = Array.from({ length: LINE }, (_, index) => {
    const byte = bytes[offset + index];
    const gap = index % HALF === HALF - 1 ? '  ' : ' ';
    return (byte === undefined ? '  ' : byte.toString(16).padStart(2, '0')) + gap;
  });
  const text = Array.from({ length: LINE }, (_, index) => {
    const byte = bytes[offset + index];
    if (byte === undefined) return ' ';
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  });
  return `${offset.toString(16).padStart(8, '0')}  ${cells.join('')}|${text.join('')}|`;
};

/** The lines of a hexdump, 16 bytes each. */
export const hexdump = (bytes: Uint8Array): readonly string[] =>
  Array.from({ length: Math.ceil(bytes.length / LINE) }, (_, line) =>
    hexdumpLine(bytes, line * LINE),
  );
