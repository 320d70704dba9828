// What `systab boot` reads from the outside of a guest: its serial line and where it executes.
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createMachine, snapshotFromBytes, snapshotToBytes } from '@systab/x86-emu';
import { BootPhases } from '../src/boot-phases.ts';
import { SerialWatch } from '../src/serial-watch.ts';

/** What the bytes of a text complete, with the number of bytes up to there. */
const events = (text: string, until?: string): readonly string[] => {
  const watch = new SerialWatch(until);
  return Array.from(text).flatMap((character, at) => {
    const { text: found, line } = watch.take(character.charCodeAt(0));
    return [...(found ? [`text ${at + 1}`] : []), ...(line ? [`${line} ${at + 1}`] : [])];
  });
};

describe('the serial line', () => {
  test.each([
    ['Shell> ', ['prompt 7']],
    ['\r\nFS0:\\> ', ['prompt 9']],
    ['\r\nfs12:\\efi\\boot\\> ', ['prompt 19']],
    ['\u001b[06;01H\u001b[1m\u001b[33m\u001b[40mShell> \u001b[0m', ['prompt 29']],
    ['Shell> ls > ', ['prompt 7']],
    ['text Shell> ', []],
    ['Shell>', []],
    ['a\u001b[2JShell> ', ['prompt 12']],
    ['BdsDxe: loading Boot0001', ['boot-manager 8']],
    ['not BdsDxe: loading', []],
  ])('%j', (text, expected) => {
    expect(events(text)).toEqual(expected);
  });

  test('a text is found across lines, control sequences and itself', () => {
    expect(events('aab\r\n', 'ab\r')).toEqual(['text 4']);
    expect(events('xaaa', 'aa')).toEqual(['text 3', 'text 4']);
    expect(events('ab', 'abc')).toEqual([]);
    expect(events('Shell> ', 'll> ')).toEqual(['text 7', 'prompt 7']);
  });

  test('a text is compared as UTF-8', () => {
    expect(events('\u00c3\u00a9', '\u00e9')).toEqual(['text 2']);
  });
});

describe('the phases', () => {
  const moment = (instructions: number) => ({ instructions, virtual: 0, wall: 0 });
  const FLASH = 0xffc0_0000;

  test('follow where the processor executes, and only forward', () => {
    const phases = new BootPhases(FLASH);
    phases.see({ rip: 0xfff0n + 0xffff_0000n, longMode: false, cr3: 0n }, moment(10));
    expect(phases.current).toBe('SEC');
    phases.see({ rip: 0x82_0000n, longMode: false, cr3: 0n }, moment(20));
    expect(phases.current).toBe('PEI');
    phases.see({ rip: 0xffd0_0000n, longMode: false, cr3: 0n }, moment(25));
    expect(phases.current).toBe('PEI');
    phases.see({ rip: 0x100n, longMode: true, cr3: 0x1000n }, moment(30));
    phases.enter('BDS', moment(50));
    phases.see({ rip: 0x100n, longMode: true, cr3: 0x1000n }, moment(60));
    expect(
      phases.report(moment(100)).map(({ phase, instructions }) => [phase, instructions]),
    ).toEqual([
      ['SEC', 20],
      ['PEI', 10],
      ['DXE', 20],
      ['BDS', 50],
    ]);
  });

  test('are told apart in a build that is 64-bit throughout', () => {
    const phases = new BootPhases(FLASH);
    const early = { longMode: true, cr3: 0x80_0000n };
    phases.see({ rip: 0xffd0_0000n, ...early }, moment(10));
    expect(phases.current).toBe('SEC');
    phases.see({ rip: 0x82_0000n, ...early }, moment(20));
    expect(phases.current).toBe('PEI');
    phases.see({ rip: 0x82_0000n, longMode: true, cr3: 0xf00_0000n }, moment(30));
    expect(phases.current).toBe('DXE');
  });

  test('begin again at a reset', () => {
    const phases = new BootPhases(FLASH);
    phases.enter('shell', moment(5));
    phases.restart(moment(7));
    expect(phases.marks).toEqual([{ phase: 'SEC', ...moment(7) }]);
  });
});

test('entries of the cache are checked with a CRC that is the one of snapshots', () => {
  const snapshot = createMachine({ ram: 2 ** 20 }).snapshot();
  const bytes = snapshotToBytes(snapshot, crc32);
  expect(bytes).toEqual(snapshotToBytes(snapshot));
  expect(snapshotFromBytes(bytes, crc32)).toEqual(snapshotFromBytes(bytes));
  const damaged = bytes.with(bytes.length - 1, 1);
  expect(() => snapshotFromBytes(damaged, crc32)).toThrow(/CRC-32 at offset 8/);
});
