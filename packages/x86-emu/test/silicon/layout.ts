/**
 * The address space and descriptors every recorded case runs in. The recorder (tools/silicon/recorder.c) maps the same
 * numbers on the host; a replay driver builds them in guest memory.
 *
 * Everything not named here is unmapped: each window is fenced by guard pages.
 */

/** Read-write, no-execute data. Its content is {@link dataPattern} plus the case's patches. */
export const DATA_BASE = 0x1000_0000;
export const DATA_SIZE = 0x2000;
/** Read-only, no-execute. Its content is {@link readOnlyPattern}. */
export const RO_BASE = 0x1000_4000;
export const RO_SIZE = 0x1000;
/** Read-execute. Filled with 0xCC around the case's instruction. */
export const CODE_BASE = 0x2000_0000;
export const CODE_SIZE = 0x2000;
/** Where the instruction stands in the code window unless the case says otherwise. */
export const CODE_OFFSET = 0x400;

/** Bytes of the FXSAVE image that carry state: 32 of header, 8 x87 registers, 16 XMM registers (SDM Vol. 1, 10.5.1). */
export const FX_SIZE = 416;

/** Selectors that Linux gives to user code: GDT entries with DPL 3, flat, 4 GiB. */
export const USER_CS32 = 0x23;
export const USER_DS = 0x2b;
export const USER_CS64 = 0x33;

export interface LdtEntry {
  readonly selector: number;
  readonly base: number;
  /** Last valid offset, or the first invalid one less one for expand-down; in bytes. */
  readonly limit: number;
  /** Descriptor type nibble but for the accessed bit, which is set in all (SDM Vol. 3A, table 3-1); S = 1, AVL = 1. */
  readonly type: number;
  readonly big: boolean;
  readonly pages: boolean;
  readonly present: boolean;
}

const entry = (
  selector: number,
  base: number,
  limit: number,
  type: number,
  more: Partial<LdtEntry> = {},
): LdtEntry => ({
  selector,
  base,
  limit,
  type,
  big: true,
  pages: false,
  present: true,
  ...more,
});

/** The LDT, DPL 3 throughout. */
export const LDT: readonly LdtEntry[] = [
  entry(0x07, CODE_BASE, CODE_SIZE - 1, 0xa, { big: false }),
  entry(0x0f, DATA_BASE, DATA_SIZE - 1, 0x2, { big: false }),
  entry(0x17, DATA_BASE, DATA_SIZE - 1, 0x2),
  entry(0x1f, DATA_BASE, 0xfff, 0x6),
  entry(0x27, DATA_BASE, DATA_SIZE - 1, 0x0),
  entry(0x2f, CODE_BASE, CODE_SIZE - 1, 0x8),
  entry(0x37, CODE_BASE, CODE_SIZE - 1, 0xa),
  entry(0x3f, DATA_BASE, DATA_SIZE - 1, 0x2, { present: false }),
  entry(0x47, DATA_BASE, 1, 0x2, { pages: true }),
];

const pattern = (size: number, start: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  let x = start;
  for (let i = 0; i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
};

export const dataPattern = (): Uint8Array => pattern(DATA_SIZE, 0x5157_e11a);
export const readOnlyPattern = (): Uint8Array => pattern(RO_SIZE, 0x0ddba11);
