import { describe, expect, test } from 'vitest';
import { X87_OUTCOME } from '../../src/fpu/x87-context.ts';
import { readFxsaveImage, writeFxsaveImage } from '../../src/fpu/x87-environment.ts';
import { X87_LAYOUT, readFcw, readTags, resetX87, writeFcw } from '../../src/fpu/x87-state.ts';
import { executeFwait } from '../../src/fpu/x87.ts';
import { TestFault, createX87Machine } from './x87-machine.ts';

const ONE = '3fff8000000000000000';
const ZERO = '00000000000000000000';
const INDEFINITE = 'ffffc000000000000000';
/** ModRM of a memory operand with this reg field. */
const memory = (reg: number): number => reg << 3;

describe('memory operands that fault', () => {
  const forms: [number, number, number][] = [];
  for (let opcode = 0xd8; opcode < 0xe0; opcode++) {
    for (let reg = 0; reg < 8; reg++) forms.push([opcode, reg, 0]);
  }
  // The last byte of the operand alone on a bad page: 80-bit, BCD and save areas.
  forms.push([0xdb, 5, 9], [0xdb, 7, 9], [0xdf, 4, 9], [0xdf, 6, 9], [0xdd, 0, 7], [0xdd, 3, 7]);
  forms.push([0xd9, 4, 27], [0xd9, 6, 27], [0xdd, 4, 107], [0xdd, 6, 107]);

  test.each(
    forms.map((form): [string, ...typeof form] => [`${form[0].toString(16)} /${form[1]}`, ...form]),
  )(
    '%s, bytes from the last number on: nothing changes (%i /%i, %i)',
    (_name, opcode, reg, from) => {
      const x87 = createX87Machine();
      x87.setSt(0, ONE);
      x87.faultFrom(from);
      const before = x87.bytes();
      const memoryBefore = new Uint8Array(x87.operand.buffer.slice(0));
      const run = (): string => {
        try {
          return x87.run(opcode, memory(reg)) === X87_OUTCOME.undefined ? 'undefined' : 'executed';
        } catch (error) {
          return error instanceof TestFault ? 'fault' : String(error);
        }
      };
      expect(run()).toMatch(/^(undefined|fault)$/);
      expect(x87.bytes()).toEqual(before);
      expect(new Uint8Array(x87.operand.buffer)).toEqual(memoryBefore);
    },
  );
});

describe('pending exceptions', () => {
  const pending = () => {
    const x87 = createX87Machine();
    writeFcw(x87.state, 0x37e);
    x87.run(0xd8, 0xc1);
    return x87;
  };

  test('an unmasked stack fault waits for the next instruction that waits', () => {
    const x87 = pending();
    expect(x87.fsw() & 0x80c1).toBe(0x80c1);
    expect(executeFwait(x87.state)).toBe(X87_OUTCOME.pending);
    expect(x87.run(0xd9, 0xe8)).toBe(X87_OUTCOME.pending);
    expect(x87.run(0xd9, memory(5))).toBe(X87_OUTCOME.pending);
  });

  test('FNSTSW AX, FNSTCW, FNCLEX and FNINIT do not wait', () => {
    const x87 = pending();
    expect(x87.run(0xdf, 0xe0)).toBe(X87_OUTCOME.ax);
    expect(x87.context.ax).toBe(x87.fsw());
    expect(x87.run(0xd9, memory(7))).toBe(X87_OUTCOME.done);
    expect(x87.operand.getUint16(0, true)).toBe(0x37e);
    expect(x87.run(0xdb, 0xe2)).toBe(X87_OUTCOME.done);
    expect(executeFwait(x87.state)).toBe(X87_OUTCOME.done);
    expect(pending().run(0xdb, 0xe3)).toBe(X87_OUTCOME.done);
  });

  test('unmasking a recorded exception makes it pending', () => {
    const x87 = createX87Machine();
    x87.run(0xd8, 0xc1);
    expect(executeFwait(x87.state)).toBe(X87_OUTCOME.done);
    x87.operand.setUint16(0, 0x37e, true);
    x87.run(0xd9, memory(5));
    expect(executeFwait(x87.state)).toBe(X87_OUTCOME.pending);
  });
});

describe('environments', () => {
  const prepared = (operand16: boolean, protectedMode: boolean) => {
    const x87 = createX87Machine();
    Object.assign(x87.context, {
      operand16,
      protectedMode,
      ipLow: 0x1234,
      cs: 0x2000,
      dataLow: 0xabcd,
      ds: 0x3000,
    });
    x87.setSt(0, ONE);
    x87.operand.setFloat32(0, 2, true);
    x87.run(0xd8, memory(0));
    x87.run(0xd9, memory(6));
    return x87;
  };
  const words = (x87: ReturnType<typeof prepared>, count: number): number[] =>
    Array.from({ length: count }, (_, i) => x87.operand.getUint16(2 * i, true));

  test('16-bit protected: offsets and selectors', () => {
    const x87 = prepared(true, true);
    expect(words(x87, 7)).toEqual([0x37f, 0, 0xfffc, 0x1234, 0x2000, 0xabcd, 0x3000]);
  });

  test('16-bit real: linear addresses of 20 bits, and the opcode', () => {
    const x87 = prepared(true, false);
    expect(words(x87, 7)).toEqual([0x37f, 0, 0xfffc, 0x1234, 0x2000, 0xabcd, 0x3000]);
    x87.context.cs = 0x2100;
    x87.context.ds = 0xf001;
    x87.run(0xdc, memory(1));
    x87.run(0xd9, memory(6));
    expect(words(x87, 7).slice(3)).toEqual([0x2234, 0x2408, 0xabdd, 0xf000]);
  });

  test('32-bit real: linear addresses, high parts 12 bits up', () => {
    const x87 = prepared(false, false);
    expect([12, 16, 20, 24].map((at) => x87.operand.getUint32(at, true))).toEqual([
      0xffff1234, 0x2000, 0xffffabcd, 0x3000,
    ]);
  });

  test.each([
    [false, true],
    [true, true],
    [false, false],
    [true, false],
  ])('FNSAVE then FRSTOR gives the state back (16-bit %s, protected %s)', (size16, isProtected) => {
    const x87 = prepared(size16, isProtected);
    x87.run(0xd9, 0xeb);
    x87.run(0xd9, 0xee);
    const saved = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => x87.st(i));
    const tags = readTags(x87.state);
    const fsw = x87.fsw();
    x87.run(0xdd, memory(6));
    expect([readTags(x87.state), x87.fsw(), readFcw(x87.state)]).toEqual([0, 0, 0x37f]);
    x87.run(0xdd, memory(4));
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((i) => x87.st(i))).toEqual(saved);
    expect([readTags(x87.state), x87.fsw()]).toEqual([tags, fsw]);
  });
});

describe('images', () => {
  test('registers go to FXSAVE in stack order and come back', () => {
    const x87 = createX87Machine();
    x87.run(0xd9, 0xe8);
    x87.run(0xd9, 0xee);
    const image = new DataView(new ArrayBuffer(512));
    writeFxsaveImage(x87.state, image, 0, true);
    expect(image.getUint16(32 + 8, true)).toBe(0);
    expect(image.getUint16(48 + 8, true)).toBe(0x3fff);
    expect(image.getUint8(4)).toBe(0xc0);
    const other = createX87Machine();
    readFxsaveImage(other.state, image, 0, true);
    expect([other.st(0), other.st(1)]).toEqual([ZERO, ONE]);
  });

  test('pointers: zeros unless an exception is pending, or always if asked', () => {
    const x87 = createX87Machine();
    x87.context.ipLow = 0x1000;
    x87.run(0xd9, 0xe8);
    const image = new DataView(new ArrayBuffer(512));
    writeFxsaveImage(x87.state, image, 0, true);
    expect(image.getUint32(8, true)).toBe(0);
    writeFxsaveImage(x87.state, image, 0, true, 'always');
    expect(image.getUint32(8, true)).toBe(0x1000);
    expect(image.getUint16(6, true)).toBe(0x1e8);
  });

  test('bits of an image that have no place are dropped', () => {
    const x87 = createX87Machine();
    const image = new DataView(new ArrayBuffer(512));
    for (let at = 0; at < 512; at++) image.setUint8(at, 0xff);
    readFxsaveImage(x87.state, image, 0, false);
    writeFxsaveImage(x87.state, image, 0, false, 'always');
    expect(image.getUint16(0, true)).toBe(0x1f7f);
    expect(image.getUint16(2, true)).toBe(0x7f7f);
    expect(image.getUint32(32 + 8, true)).toBe(0xffff);
    expect(image.getUint32(32 + 12, true)).toBe(0);
  });
});

describe('the state MMX shares', () => {
  test('physical register i stands in slot i whatever TOP is', () => {
    const x87 = createX87Machine();
    x87.run(0xd9, 0xe8);
    const slot = x87.state.base + X87_LAYOUT.registers + 7 * X87_LAYOUT.stride;
    expect(x87.state.view.getBigUint64(slot, true)).toBe(1n << 63n);
    expect(readTags(x87.state)).toBe(0x80);
  });

  test('reset leaves +0 in registers that count as full, FCW 0040H', () => {
    const x87 = createX87Machine();
    resetX87(x87.state);
    expect([readFcw(x87.state), x87.fsw(), readTags(x87.state)]).toEqual([0x40, 0, 0xff]);
    expect(x87.st(0)).toBe(ZERO);
  });
});

describe('encodings', () => {
  test.each([
    [0xd9, memory(1)],
    [0xdb, memory(4)],
    [0xdb, memory(6)],
    [0xdd, memory(5)],
    [0xd9, 0xd1],
    [0xd9, 0xe2],
    [0xd9, 0xef],
    [0xda, 0xe8],
    [0xdb, 0xe5],
    [0xdd, 0xf0],
    [0xde, 0xd8],
    [0xdf, 0xe1],
    [0xdf, 0xf8],
  ])('the encoding %i %i is undefined and changes nothing', (opcode, modrm) => {
    const x87 = createX87Machine();
    const before = x87.bytes();
    expect(x87.run(opcode, modrm)).toBe(X87_OUTCOME.undefined);
    expect(x87.bytes()).toEqual(before);
  });

  test('FCOMI answers in EFLAGS and leaves the other bits', () => {
    const x87 = createX87Machine();
    x87.context.eflags = 0xad7;
    x87.run(0xd9, 0xe8);
    x87.run(0xd9, 0xee);
    expect(x87.run(0xdb, 0xf1)).toBe(X87_OUTCOME.flags);
    expect(x87.context.eflags).toBe(0x203);
  });

  test('a push onto a full stack is an indefinite value with C1', () => {
    const x87 = createX87Machine();
    for (let i = 0; i < 9; i++) x87.run(0xd9, 0xe8);
    expect(x87.st(0)).toBe(INDEFINITE);
    expect(x87.fsw() & 0x0241).toBe(0x0241);
  });
});

/** ModRM under D9, FCW, ST(0), ST(1), result: rounded from 400-digit values of another library. */
const CORRECTLY_ROUNDED: readonly [string, number, number, string, string, string][] = [
  ['F2XM1', 0xf0, 0xf7f, 'bffee4ae008244134d18', ZERO, 'bffdec58522a374d2576'],
  ['F2XM1', 0xf0, 0xb7f, '3fc783d257b7b74d49f7', ZERO, '3fc6b6be5d512ed38784'],
  ['F2XM1', 0xf0, 0x77f, 'bffeb032ff376450a5e5', ZERO, 'bffdc2417e04acf82303'],
  ['FYL2X', 0xf1, 0x37f, '3fff8000000000e3d26a', '4006c8b456742131f353', '3fe080d7863be6eb5a2a'],
  ['FYL2X', 0xf1, 0xb7f, '3fffdf0e0eb75639b68f', 'c0148d90024c10f10701', 'c013e2dafc13444d1b47'],
  ['FYL2X', 0xf1, 0xf7f, '4e79ef176293a7294972', '4020b3c9627a7be92428', '402ca2b536bbeb291e31'],
  ['FPTAN', 0xf2, 0x37f, '4002e411f7bd2b37041f', '', 'c00287debcd811b97103'],
  ['FPTAN', 0xf2, 0xf7f, 'bfe4e5033f6678a2c982', '', 'bfe4e5033f6678a2cd53'],
  ['FPATAN', 0xf3, 0xf7f, 'bffffc2fbd51c0f1f9c9', '4003f50da950296285bf', '3fffd14891a3f181dfd3'],
  ['FPATAN', 0xf3, 0x37f, 'c00ad33fe1d4d1033b28', 'bffc986d5b9c6a78dbbe', 'c000c90f21ea9b5a4dac'],
  ['FYL2XP1', 0xf9, 0xf7f, 'bfaea5cf27f1a079b33c', 'c02a9ff37d4cc5fc210f', '3fda95763f90fdafafc6'],
  ['FYL2XP1', 0xf9, 0x77f, '3fccec79b711925b34d0', '402bbca9452b3969377d', '3ff9fb6c0749fbacf502'],
  ['FSIN', 0xfe, 0x77f, '4000a2ed42bb6d3bbc93', ZERO, '3ffe8fac3d6d0d56c47a'],
  ['FSIN', 0xfe, 0xf7f, 'c016cb2bc2efd85eba38', ZERO, '3ffeef3a84656a7b3cd5'],
  ['FCOS', 0xff, 0xf7f, '402cd4816325fd2ee6bb', ZERO, 'bffeffe017088e0c12cb'],
  ['FCOS', 0xff, 0x77f, 'bfe481bdd8566a4aa8e3', ZERO, '3ffefffffffffffffdf1'],
];

describe('transcendental instructions', () => {
  test.each(CORRECTLY_ROUNDED)(
    '%s is correctly rounded (ModRM %i, FCW %i)',
    (name, modrm, fcw, ...values) => {
      const [st0, st1, expected] = values;
      const x87 = createX87Machine();
      writeFcw(x87.state, fcw);
      x87.setSt(0, st0);
      if (st1 !== '') x87.setSt(1, st1);
      x87.run(0xd9, modrm);
      expect(x87.st(name === 'FPTAN' ? 1 : 0)).toBe(expected);
      expect(x87.fsw() & 0x20).toBe(0x20);
    },
  );

  test.each([0xf2, 0xfb, 0xfe, 0xff])(
    'D9 with ModRM %i leaves an angle of 2^63 alone and sets C2',
    (modrm) => {
      const x87 = createX87Machine();
      x87.setSt(0, '403e8000000000000000');
      x87.run(0xd9, modrm);
      expect(x87.st(0)).toBe('403e8000000000000000');
      expect(x87.fsw() & 0x400).toBe(0x400);
    },
  );
});
