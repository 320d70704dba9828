// Our machine with a flat multiboot image in it, as a multiboot loader leaves a PC (Multiboot 0.6.96, section 3.2).
import { createMachine } from '../packages/x86-emu/src/machine.ts';
import type { Machine } from '../packages/x86-emu/src/machine.ts';
import type { MachineOptions } from '../packages/x86-emu/src/machine/options.ts';

/** Offsets in the multiboot header of guest/bench/boot.S. */
const LOAD_ADDRESS = 0x10;
const ENTRY_ADDRESS = 0x1c;
const RAM = 128 << 20;
const LOADER_MAGIC = 0x2bad_b002n;
const TEXT_PORT = 0xe9;
const END_PORT = 0xf4;
const FLAT = { selector: 8, base: 0n, limit: 0xffff_ffff };
const CODE_ATTRIBUTES = 0xc09b;
const DATA_ATTRIBUTES = 0xc093;
const CR0_PE_ET = 0x11n;

/** Where a flat image goes, and where it starts. */
const loadAddresses = (image: Uint8Array): { load: number; entry: number } => {
  const view = new DataView(image.buffer, image.byteOffset);
  return { load: view.getUint32(LOAD_ADDRESS, true), entry: view.getUint32(ENTRY_ADDRESS, true) };
};

/** A machine about to execute the first instruction of `image`. `onText` receives what the guest writes to port 0xe9, with the instructions executed so far. */
export const createMultibootMachine = (
  image: Uint8Array,
  onText: (text: string, retired: number) => void,
  engine: NonNullable<MachineOptions['engine']> = 'translator',
): Machine => {
  const machine = createMachine({ ram: RAM, engine });
  const { load, entry } = loadAddresses(image);
  machine.memory.write(load, image);
  machine.ports.map(TEXT_PORT, 1, 'text', {
    read: () => TEXT_PORT,
    write: (_offset, _size, value) => onText(String.fromCharCode(value), machine.retired),
  });
  machine.ports.map(END_PORT, 1, 'end of run', {
    read: () => 0,
    write: () => machine.stop({ kind: 'trap', reason: 'end of run' }),
  });
  machine.writeRegister('cr0', CR0_PE_ET);
  machine.setSegment('cs', { ...FLAT, attributes: CODE_ATTRIBUTES });
  for (const name of ['ds', 'es', 'ss', 'fs', 'gs'] as const)
    machine.setSegment(name, { ...FLAT, selector: 16, attributes: DATA_ATTRIBUTES });
  machine.writeRegister('rax', LOADER_MAGIC);
  machine.writeRegister('rip', BigInt(entry));
  return machine;
};
