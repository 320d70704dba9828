/** Guest memory by linear address, a page at a time, through the page tables that are in force. */
import type { Machine } from '@systab/x86-emu';

const PAGE = 4096;

/** The machine's parts of a range, in order; undefined when a page of it is not mapped to memory. */
const pieces = (
  machine: Machine,
  at: bigint,
  length: number,
): readonly { readonly physical: number; readonly length: number }[] | undefined => {
  const found: { physical: number; length: number }[] = [];
  for (let done = 0; done < length;) {
    const linear = BigInt.asUintN(64, at + BigInt(done));
    const piece = Math.min(length - done, PAGE - Number(linear & 0xfffn));
    const physical = machine.physicalAddress(linear);
    if (physical === undefined) return undefined;
    found.push({ physical, length: piece });
    done += piece;
  }
  return found;
};

/** Bytes at a linear address; undefined when not all of them are mapped. */
export const readLinear = (
  machine: Machine,
  at: bigint,
  length: number,
): Uint8Array<ArrayBuffer> | undefined => {
  const parts = pieces(machine, at, length);
  if (parts === undefined) return undefined;
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const part of parts) {
    bytes.set(machine.memory.read(part.physical, part.length), done);
    done += part.length;
  }
  return bytes;
};

/** Stores bytes at a linear address; false, with nothing stored, when not all of it is mapped. */
export const writeLinear = (machine: Machine, at: bigint, bytes: Uint8Array): boolean => {
  const parts = pieces(machine, at, bytes.length);
  if (parts === undefined) return false;
  let done = 0;
  for (const part of parts) {
    machine.memory.write(part.physical, bytes.subarray(done, done + part.length));
    done += part.length;
  }
  return true;
};
