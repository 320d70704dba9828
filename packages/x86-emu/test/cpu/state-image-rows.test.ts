import { describe, expect, test } from 'vitest';
import type { CpuState } from '../../src/cpu/cpu-state.ts';
import { CR4 } from '../../src/cpu/control-bits.ts';
import { raised, runGuest } from './guest.ts';
import type { Guest, GuestOptions } from './guest.ts';
import { poke } from './memory-cpu.ts';

const DATA = 0x9000;
const UNTIL = { kind: 'until' };

describe('state images', () => {
  const fill = ({
    state,
    bytes,
  }: {
    readonly state: CpuState;
    readonly bytes: Uint8Array;
  }): void => {
    for (let i = 0; i < 16; i++) {
      state.setXmm(i, 0, BigInt(0x100 + i));
      state.setXmm(i, 1, BigInt(0x200 + i));
    }
    state.setBig('cr4', state.big('cr4') | BigInt(CR4.OSXSAVE | CR4.OSFXSR));
    state.setBig('xcr0', 3n);
    state.set('mxcsr', 0x1fa0);
    state.setGpr(0, 3n);
    state.setGpr(2, 0n);
    bytes.fill(0, DATA, DATA + 0x300);
  };
  const image: GuestOptions = { prepare: fill };

  test('FXSAVE and FXRSTOR', () => {
    const { read, exit } = runGuest('long', '0F AE 04 25 00 90 00 00', image);
    // Power-up value of the control word (SDM Vol. 3A, table 10-1).
    expect(exit).toEqual(UNTIL);
    expect([read(DATA, 2), read(DATA + 24, 4), read(DATA + 28, 4)]).toEqual([
      0x40n,
      0x1fa0n,
      0xffffn,
    ]);
    expect(read(DATA + 160 + 15 * 16, 8)).toBe(0x10fn);
    const back = runGuest(
      'long',
      '0F AE 04 25 00 90 00 00 66 45 0F EF FF 0F AE 0C 25 00 90 00 00',
      image,
    );
    expect(back.machine.state.xmm(15, 0)).toBe(0x10fn);
  });

  test('alignment and reserved MXCSR bits: #GP(0)', () => {
    expect(runGuest('long', '0F AE 04 25 08 90 00 00', image).exit).toEqual(raised(13, 0));
    const bad = runGuest('long', '0F AE 0C 25 00 90 00 00', {
      prepare: (cpu) => poke(cpu, 4, DATA + 24, 0x1_0000n),
    });
    expect(bad.exit).toEqual(raised(13, 0));
    expect(
      runGuest('long', '0F AE 14 25 00 90 00 00', {
        prepare: (cpu) => poke(cpu, 4, DATA, 0x1_0000n),
      }).exit,
    ).toEqual(raised(13, 0));
  });

  test('32-bit code saves eight XMM registers', () => {
    const { read } = runGuest('protected', '0F AE 05 00 90 00 00', image);
    expect([read(DATA + 160 + 7 * 16, 8), read(DATA + 160 + 8 * 16, 8)]).toEqual([0x107n, 0n]);
  });

  test('XSAVE writes the components asked for and their header bits', () => {
    const sse = runGuest('long', '0F AE 24 25 00 90 00 00', {
      prepare: (cpu) => {
        fill(cpu);
        cpu.state.setGpr(0, 2n);
        poke(cpu, 8, DATA + 512, 1n);
      },
    });
    expect([sse.read(DATA, 2), sse.read(DATA + 24, 4), sse.read(DATA + 512, 8)]).toEqual([
      0n,
      0x1fa0n,
      3n,
    ]);
    expect(runGuest('long', '0F AE 24 25 10 90 00 00', image).exit).toEqual(raised(13, 0));
    expect(runGuest('long', '0F AE 24 25 00 90 00 00').exit).toEqual(raised(6));
  });

  test('XRSTOR gives absent components their initial state, refuses a bad header', () => {
    const run = (header: bigint, compacted = 0n): Guest =>
      runGuest('long', '0F AE 2C 25 00 90 00 00', {
        prepare: (cpu) => {
          fill(cpu);
          poke(cpu, 4, DATA + 24, 0x1f80n);
          poke(cpu, 8, DATA + 512, header);
          poke(cpu, 8, DATA + 520, compacted);
        },
      });
    const { machine, exit } = run(1n);
    expect(exit).toEqual(UNTIL);
    expect([machine.state.xmm(3, 0), machine.state.get('mxcsr')]).toEqual([0n, 0x1f80]);
    expect(run(4n).exit).toEqual(raised(13, 0));
    expect(run(3n, 1n << 63n).exit).toEqual(raised(13, 0));
  });
});
