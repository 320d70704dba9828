/** Sum of bytes modulo 256: 0 over a range whose checksum is right. */
export const byteSum = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
