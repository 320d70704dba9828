// SSE4.2 string comparison on readable strings; every control byte is replayed from silicon elsewhere.
import { describe, expect, it } from 'vitest';
import { createGuest } from './guest.ts';

const guest = createGuest('long');
guest.machine.writeRegister('cr4', 0x620n);
const { state } = guest.machine;

const setText = (n: number, text: string): void => {
  const bytes = Array.from({ length: 16 }, (_, i) => BigInt(text.charCodeAt(i) || 0));
  const half = (from: number): bigint =>
    bytes.slice(from, from + 8).reduce((sum, byte, i) => sum | (byte << BigInt(8 * i)), 0n);
  state.setXmm(n, 0, half(0));
  state.setXmm(n, 1, half(8));
};

const CF = 1;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
const STATUS = 0x8d5;

/** XMM1 against XMM2. */
const MODRM = 0xca;

/** PCMPISTRI XMM1, XMM2: index and flags. */
const search = (a: string, b: string, control: number): readonly [number, number] => {
  setText(1, a);
  setText(2, b);
  guest.set({ rcx: 0xffff_ffff_ffff_ffffn });
  guest.run([0x66, 0x0f, 0x3a, 0x63, MODRM, control]);
  return [Number(guest.get('rcx')), state.rflags & STATUS];
};

const EQUAL_ANY = 0x00;
const RANGES = 0x04;
const EQUAL_EACH = 0x08;
const EQUAL_ORDERED = 0x0c;
const NEGATE = 0x10;
const NEGATE_VALID = 0x30;
const MOST = 0x40;

describe('PCMPISTRI', () => {
  it('finds one of a set', () => {
    expect(search('aeiou', 'rhythm and', EQUAL_ANY)).toEqual([7, CF | ZF | SF]);
  });
  it('finds a character in ranges, first and last', () => {
    expect(search('AZ09', 'abcX1efgh', RANGES)).toEqual([3, CF | ZF | SF]);
    expect(search('AZ09', 'abcX1efgh', RANGES | MOST)).toEqual([4, CF | ZF | SF]);
  });
  it('finds the first difference', () => {
    expect(search('same thing', 'same think', EQUAL_EACH | NEGATE)).toEqual([9, CF | ZF | SF]);
    expect(search('same', 'same', EQUAL_EACH | NEGATE)).toEqual([16, ZF | SF]);
  });
  it('finds a substring, also one that starts before the end', () => {
    expect(search('ing', 'nothing at all..', EQUAL_ORDERED)).toEqual([4, CF | SF]);
    expect(search('pqr', '............opq.', EQUAL_ORDERED)).toEqual([16, SF]);
    expect(search('pqr', '..............pq', EQUAL_ORDERED)).toEqual([14, CF | SF]);
  });
  it('negates valid elements alone', () => {
    expect(search('a', 'aab', EQUAL_ANY | NEGATE_VALID)).toEqual([2, CF | ZF | SF]);
    expect(search('a', 'aaa', EQUAL_ANY | NEGATE_VALID)).toEqual([16, ZF | SF]);
    expect(search('a', 'aaa', EQUAL_ANY | NEGATE)).toEqual([3, CF | ZF | SF]);
  });
  it('sets OF for the first element', () => {
    expect(search('a', 'abc', EQUAL_ANY)).toEqual([0, CF | ZF | SF | OF]);
  });
});

describe('PCMPESTRM and PCMPESTRI', () => {
  /** PCMPESTRM with 64-bit or 32-bit lengths: the low half of the mask and the flags. */
  const mask = (
    wide: boolean,
    rax: bigint,
    rdx: bigint,
    control: number,
  ): readonly [bigint, number] => {
    setText(1, 'ab');
    setText(2, 'a.b.a.b.a.b.a.b.');
    guest.set({ rax, rdx });
    guest.run([0x66, ...(wide ? [0x48] : []), 0x0f, 0x3a, 0x60, MODRM, control]);
    return [state.xmm(0, 0), state.rflags & STATUS];
  };

  it('gives bits or whole elements', () => {
    expect(mask(false, 2n, 16n, EQUAL_ANY)).toEqual([0x5555n, CF | SF | OF]);
    expect(mask(false, 2n, 3n, EQUAL_ANY | MOST)).toEqual([0xff00ffn, CF | ZF | SF | OF]);
  });

  it('takes the magnitude of the lengths, all 64 bits of them with REX.W alone', () => {
    expect(mask(false, -1n & 0xffff_ffffn, 5n, EQUAL_ANY)).toEqual([0x11n, CF | ZF | SF | OF]);
    expect(mask(false, 0x1_0000_0001n, 5n, EQUAL_ANY)).toEqual([0x11n, CF | ZF | SF | OF]);
    expect(mask(true, 0x1_0000_0001n, 5n, EQUAL_ANY)[1]).toBe(CF | ZF | OF);
    expect(mask(true, 1n << 63n, 5n, EQUAL_ANY)[1]).toBe(CF | ZF | OF);
    expect(mask(false, 0x8000_0000n, 5n, EQUAL_ANY)[1]).toBe(CF | ZF | OF);
  });

  it('needs no alignment', () => {
    guest.set({ rbx: 0x2_0003n, rax: 1n, rdx: 1n });
    expect(guest.run([0x66, 0x0f, 0x3a, 0x61, 0x03, 0]).kind).not.toBe('exception');
  });
});
