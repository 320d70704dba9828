/** Little-endian byte writer and reader with the variable-length numbers that vector files use. */

export class ByteSink {
  private bytes = new Uint8Array(1 << 16);
  private used = 0;

  private room(n: number): void {
    if (this.used + n <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.used + n));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  u8(value: number): void {
    this.room(1);
    this.bytes[this.used++] = value;
  }

  /** LEB128 of a number in 0…2^53. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  raw(source: Uint8Array): void {
    this.room(source.length);
    this.bytes.set(source, this.used);
    this.used += source.length;
  }

  /** `value` with `base` known to the reader: the shorter of itself and its signed distance, behind a length byte. */
  near(value: bigint, base: bigint): void {
    const distance = BigInt.asIntN(64, value - base);
    const zigzag = BigInt.asUintN(64, distance < 0n ? ~(distance << 1n) : distance << 1n);
    const useDistance = zigzag < value;
    let rest = useDistance ? zigzag : value;
    let length = 0;
    for (let v = rest; v > 0n; v >>= 8n) length++;
    this.u8(length | (useDistance ? 0x80 : 0));
    for (; length > 0; length--, rest >>= 8n) this.u8(Number(rest & 0xffn));
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.varint(encoded.length);
    this.raw(encoded);
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }
}

export class ByteSource {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u8(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Error('vector file ends early');
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  raw(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new Error('vector file ends early');
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  near(base: bigint): bigint {
    const head = this.u8();
    let value = 0n;
    for (let i = 0; i < (head & 0x7f); i++) value |= BigInt(this.u8()) << BigInt(8 * i);
    if (head < 0x80) return value;
    const distance = (value & 1n) !== 0n ? ~(value >> 1n) : value >> 1n;
    return BigInt.asUintN(64, base + distance);
  }

  text(): string {
    return new TextDecoder().decode(this.raw(this.varint()));
  }

  get exhausted(): boolean {
    return this.at === this.bytes.length;
  }
}
