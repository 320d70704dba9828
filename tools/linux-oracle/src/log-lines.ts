// What the lines of the kernel's log say about memory.

/** A region as `efi=debug` prints it. */
export interface LoggedRegion {
  readonly index: number;
  /** The kernel's name of the type, `Boot Data`. */
  readonly type: string;
  /** The kernel's short names of the attributes that are set, `RUN`, `WB`, in the order of the line. */
  readonly attributes: readonly string[];
  readonly start: bigint;
  /** The last byte. */
  readonly last: bigint;
}

/** A range of the map that the boot loader or the EFI stub gave the kernel. */
export interface E820Range {
  readonly start: bigint;
  /** The last byte. */
  readonly last: bigint;
  /** The kernel's name of the type, `usable`. */
  readonly type: string;
}

const REGION = /^efi: mem(\d+): \[([^|\]]+?) *\|([^\]]*)\] range=\[(0x[0-9a-f]+)-(0x[0-9a-f]+)\]/;
const E820 = /^BIOS-e820: \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\] (.+)$/;
/** Begins the second list of regions: those that SetVirtualAddressMap was given. */
const RUNTIME_MAP = 'efi: EFI runtime memory map:';

const regionsOf = (lines: readonly string[]): readonly LoggedRegion[] =>
  lines.flatMap((line) => {
    const [, index, type = '', attributes = '', start = '', last = ''] = REGION.exec(line) ?? [];
    if (index === undefined) return [];
    return {
      index: Number(index),
      type,
      attributes: attributes.split('|').flatMap((name) => (name.trim() === '' ? [] : name.trim())),
      start: BigInt(start),
      last: BigInt(last),
    };
  });

const runtimeMapAt = (log: readonly string[]): number => {
  const at = log.indexOf(RUNTIME_MAP);
  if (at < 0) throw new Error(`the log has no line '${RUNTIME_MAP}'`);
  return at;
};

/** The memory map of the firmware, in the order of the log. */
export const memoryMapOf = (log: readonly string[]): readonly LoggedRegion[] =>
  regionsOf(log.slice(0, runtimeMapAt(log)));

/** The regions given to SetVirtualAddressMap, in the order of the log. */
export const runtimeMapOf = (log: readonly string[]): readonly LoggedRegion[] =>
  regionsOf(log.slice(runtimeMapAt(log)));

/** The E820 map. */
export const e820Of = (log: readonly string[]): readonly E820Range[] =>
  log.flatMap((line) => {
    const [, start, last = '', type = ''] = E820.exec(line) ?? [];
    return start === undefined ? [] : { start: BigInt(start), last: BigInt(last), type };
  });
