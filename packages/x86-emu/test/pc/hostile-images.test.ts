// Images that are no firmware: every one ends in a verdict within its budget, and none in an exception of the host.
import { describe, expect, test } from 'vitest';
import { PcMachine } from '@systab/x86-emu';
import type { VmExit } from '@systab/x86-emu';
import { firmware } from './booted-ovmf.ts';

const MIB = 2 ** 20;
const BUDGET = 5e5;
const VERDICTS: readonly VmExit['kind'][] = ['budget', 'halt', 'tripleFault', 'shutdown'];

/** Numbers that look random, the same in every run: a 32-bit xorshift. */
const randomBytes = (seed: number): (() => number) => {
  let state = (seed * 0x9e37_79b9 + 1) | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};

/** How the run of an image ends; anything but a verdict within the budget comes out as text. */
const verdict = (image: Uint8Array, vars?: Uint8Array): string => {
  const flash = [
    { image, readOnly: vars !== undefined },
    ...(vars ? [{ image: vars, readOnly: false }] : []),
  ];
  const pc = new PcMachine({ memory: 16 * MIB, flash });
  const { kind } = pc.run({ budget: BUDGET });
  const { retired } = pc.machine;
  const inBudget = kind === 'budget' ? retired === BUDGET : retired <= BUDGET;
  return VERDICTS.includes(kind) && inBudget ? 'verdict' : `${kind} after ${retired}`;
};

describe('hostile images', () => {
  test.each([0x00, 0xff, 0x90, 0xf4, 0xcc, 0x0f, 0xf0])('filled with byte %i', (byte) => {
    expect(verdict(new Uint8Array(0x1_0000).fill(byte))).toBe('verdict');
  });

  test.each(Array.from({ length: 6 }, (_, seed) => seed))('random bytes, seed %i', (seed) => {
    const next = randomBytes(seed);
    expect(verdict(Uint8Array.from({ length: 0x1_0000 }, () => next() & 0xff))).toBe('verdict');
  });

  // Behind a jump to protected mode a wild program reaches all of memory and every register of a device.
  test.each(Array.from({ length: 6 }, (_, seed) => seed))(
    'random 32-bit code behind a good reset vector, seed %i',
    (seed) => {
      const next = randomBytes(seed + 100);
      const image = Uint8Array.from({ length: 0x1_0000 }, () => next() & 0xff);
      const base = 0xffff_0000;
      const view = new DataView(image.buffer);
      // o32 lgdt cs:[0x40]; mov eax,cr0; or al,1; mov cr0,eax; jmp 8:base+0x80
      image.set([0x2e, 0x66, 0x0f, 0x01, 0x16, 0x40, 0x00, 0x0f, 0x20, 0xc0, 0x0c, 0x01], 0);
      image.set([0x0f, 0x22, 0xc0, 0x66, 0xea, 0, 0, 0, 0, 8, 0], 12);
      view.setUint32(17, base + 0x80, true);
      view.setUint16(0x40, 23, true);
      view.setUint32(0x42, base + 0x50, true);
      view.setBigUint64(0x50, 0n, true);
      view.setBigUint64(0x58, 0x00cf_9b00_0000_ffffn, true);
      view.setBigUint64(0x60, 0x00cf_9300_0000_ffffn, true);
      // mov ax,16; mov ds/es/ss,ax; mov esp,0x80000, then whatever comes.
      image.set([0x66, 0xb8, 16, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0, 0, 8, 0], 0x80);
      image.set([0xe9, 0x0d, 0x00], 0xfff0);
      expect(verdict(image)).toBe('verdict');
    },
  );

  test(
    'OVMF cut short, shifted, and with bytes flipped where it starts',
    { timeout: 60_000 },
    (context) => {
      const { code, vars } = firmware(context);
      expect(verdict(code.slice(0, code.length - 0x1000), vars)).toBe('verdict');
      expect(verdict(code.slice(0x1000), vars)).toBe('verdict');
      expect(verdict(code, vars.slice(0x2000))).toBe('verdict');
      const next = randomBytes(7);
      for (let round = 0; round < 6; round++) {
        const broken = code.slice();
        // The boot block: the last 64 KiB, which the first instructions come from.
        for (let i = 0; i < 64; i++) {
          const at = broken.length - 1 - (next() % 0x1_0000);
          broken[at] = (broken[at] as number) ^ (1 << (next() & 7));
        }
        expect(verdict(broken, vars)).toBe('verdict');
      }
    },
  );

  test.each([
    {
      name: 'an odd size',
      length: 0x1001,
      memory: MIB,
      message: /flash 0: the image has 4097 bytes/,
    },
    { name: 'no bytes', length: 0, memory: MIB, message: /flash 0: the image has 0 bytes/ },
    { name: 'more than fits', length: 17 * MIB, memory: MIB, message: /expected at most 16777216/ },
    { name: 'odd memory', length: 0x1000, memory: MIB + 1, message: /memory is 1048577/ },
    { name: 'no memory', length: 0x1000, memory: 0, message: /memory is 0/ },
    { name: 'too much memory', length: 0x1000, memory: 3073 * MIB, message: /to 3072 MiB/ },
  ])('$name is refused by name', ({ length, memory, message }) => {
    const flash = [{ image: new Uint8Array(length), readOnly: true }];
    expect(() => new PcMachine({ memory, flash })).toThrow(message);
  });
});
