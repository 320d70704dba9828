/** Where a machine stands and stood, in words: addresses with the module that they are in. */
import { createDisassembler } from '@systab/x86-emu';
import type { Machine } from '@systab/x86-emu';
import { findImage, guestReader } from './guest-image.ts';
import type { GuestImage, ReadBytes } from './guest-image.ts';
import type { TailStep } from './instruction-tail.ts';
import { moduleNames } from './module-names.ts';
import type { ImageNames } from './module-names.ts';

/** A linear address; `offset` is from the module's base. */
export interface Place {
  readonly address: bigint;
  readonly module?: { readonly name: string; readonly offset: number };
}

/** A line of the last instructions. */
export type VerdictLine =
  | (Place & { readonly code: string; readonly text?: string })
  | { readonly vector: number; readonly errorCode?: number };

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

export const describePlace = ({ address, module }: Place): string =>
  module ? `${hex(address)} (${module.name}+${hex(module.offset)})` : hex(address);

/** Finds the modules of addresses in a machine that has stopped. */
export class PlaceFinder {
  readonly #machine: Machine;
  readonly #read: ReadBytes;
  readonly #known: ImageNames;
  #names: ImageNames | undefined;
  readonly #images: GuestImage[] = [];
  /** Pages of which is known that no image holds them. */
  readonly #strays = new Set<bigint>();

  /** @param known names of images from outside. */
  constructor(machine: Machine, known: ImageNames = new Map()) {
    this.#machine = machine;
    this.#read = guestReader(machine);
    this.#known = known;
  }

  find(address: bigint): Place {
    const image = this.#image(address);
    if (!image) return { address };
    const name = image.name ?? this.#nameOf(image.identity) ?? `image@${hex(image.base)}`;
    return { address, module: { name, offset: Number(address - image.base) } };
  }

  #nameOf(identity: string): string | undefined {
    const known = this.#known.get(identity);
    if (known !== undefined) return known;
    this.#names ??= moduleNames(this.#machine);
    return this.#names.get(identity);
  }

  #image(address: bigint): GuestImage | undefined {
    const holds = ({ base, size }: GuestImage): boolean =>
      address >= base && address < base + BigInt(size);
    const found = this.#images.find(holds);
    if (found || this.#strays.has(address >> 12n)) return found;
    const image = findImage(this.#read, address);
    if (image) this.#images.push(image);
    else this.#strays.add(address >> 12n);
    return image;
  }
}

const hexBytes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Gives the steps their modules and their text. */
export const describeTail = async (
  steps: readonly TailStep[],
  places: PlaceFinder,
): Promise<readonly VerdictLine[]> => {
  const disassembler = await createDisassembler();
  try {
    return steps.map((step) => {
      if (step.kind === 'event') {
        const { vector, errorCode } = step;
        return { vector, ...(errorCode === undefined ? {} : { errorCode }) };
      }
      const { address, code, bits } = step;
      const [insn] = disassembler.disassemble(code, bits, address, 1);
      return {
        ...places.find(address),
        code: hexBytes(insn ? insn.bytes : code.subarray(0, 8)),
        ...(insn ? { text: insn.text } : {}),
      };
    });
  } finally {
    disassembler.close();
  }
};

/** The steps for people, one line each. */
export const formatTail = (lines: readonly VerdictLine[]): readonly string[] => {
  const places = lines.map((line) => ('address' in line ? describePlace(line) : ''));
  const width = Math.max(...places.map(({ length }) => length));
  return lines.map((line, i) => {
    if ('vector' in line)
      return `-- exception or interrupt ${line.vector}${line.errorCode === undefined ? '' : `, error code ${hex(line.errorCode)}`}`;
    return `${(places[i] as string).padEnd(width)}  ${line.text ?? `no instruction (${line.code || 'nothing is mapped'})`}`;
  });
};
