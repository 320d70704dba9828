// Replays a transcript of QEMU's devices (oracle/*.txt, made by tools/device-oracle) on our PC and lists what differs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IoSize, PowerEvent } from '../../src/device/ops.ts';
import type { Pc, PcOptions } from '../../src/pc/pc.ts';
import { createPc } from '../../src/pc/pc.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { createVirtualClock } from './virtual-clock.ts';

export interface Line {
  readonly number: number;
  readonly time: number;
  readonly op: string;
  readonly operands: readonly number[];
  readonly result: number | undefined;
}

/** Instructions of the recorder between reading the time stamp and the access. */
const STAMP_LAG = 14;

/** Lines in the order of time: an interrupt that came inside an operation is recorded before it. */
export const readTranscript = (name: string): readonly Line[] => {
  const text = readFileSync(join(import.meta.dirname, 'oracle', `${name}.txt`), 'utf8');
  const nanoseconds = Number(/^# (\d+) ns per instruction$/m.exec(text)?.[1]);
  if (!(nanoseconds > 0)) throw new Error(`${name}: no line that gives the speed`);
  const lines = text.split('\n').flatMap((line, i): Line[] => {
    if (!line.startsWith('@')) return [];
    const [left = '', right] = line.split(' = ');
    const [time = '', op = '', ...rest] = left.split(' ');
    return [
      {
        number: i + 1,
        // An interrupt's stamp is taken after it, an operation's before it.
        time: Number(time.slice(1)) + (op === 'irq' ? 0 : STAMP_LAG * nanoseconds),
        op,
        operands: rest.map((word) => Number.parseInt(word, 16)),
        result: right === undefined ? undefined : Number.parseInt(right, 16),
      },
    ];
  });
  return lines.toSorted((a, b) => a.time - b.time || a.number - b.number);
};

/** RAM that the scripts use: all below this. */
const RAM_SIZE = 0x40_0000;
const ROM_SIZE = 0x4_0000;

export interface Bench {
  readonly pc: Pc;
  readonly clock: VirtualClock;
  readonly ram: Uint8Array;
  readonly serial: number[];
  readonly power: PowerEvent[];
  readonly pending: () => boolean;
  readonly takeNmi: () => boolean;
  readonly read: (address: number, size: IoSize) => number;
  readonly write: (address: number, size: IoSize, value: number) => void;
}

/** The recorder's image: all ones except for the jump at the reset vector. */
export const recorderRom = (): Uint8Array => {
  const rom = new Uint8Array(ROM_SIZE).fill(0xff);
  rom.set([0xe9, 0x0d, 0xff, 0x00], ROM_SIZE - 16);
  return rom;
};

/** A PC with a clock that the test moves, as QEMU was started for the recordings. */
export const createBench = (options: Partial<PcOptions> = {}): Bench => {
  const clock = createVirtualClock();
  const ram = new Uint8Array(RAM_SIZE);
  const serial: number[] = [];
  const power: PowerEvent[] = [];
  let request = false;
  let nmis = 0;
  const pc = createPc(
    {
      clock,
      dma: {
        read: (address, length) => {
          const bytes = new Uint8Array(length).fill(0xff);
          bytes.set(ram.subarray(address, address + length));
          return bytes;
        },
        write: (address, bytes) =>
          ram.set(bytes.subarray(0, Math.max(RAM_SIZE - address, 0)), Math.min(address, RAM_SIZE)),
      },
      signals: {
        interruptRequest: (level) => {
          request = level;
        },
        nmi: () => {
          nmis++;
        },
        init: () => {},
        power: (event) => power.push(event),
      },
      flashMode: () => {},
      flashChanged: () => {},
      serialOutput: (byte) => serial.push(byte),
      debugOutput: () => {},
    },
    {
      memory: 256 * 2 ** 20,
      flash: [{ image: recorderRom(), readOnly: true }],
      startTime: Date.UTC(2024, 1, 28, 23, 59, 50) / 1000,
      unassignedReads: 'zeros',
      ...options,
    },
  );
  const view = new DataView(ram.buffer);
  const read = (address: number, size: IoSize): number => {
    if (pc.mmio.find(address) !== undefined) return pc.mmio.read(address, size);
    const region = pc.memory.find(({ base, length }) => address >= base && address < base + length);
    if (region?.kind === 'rom') {
      const rom = new DataView(region.bytes.buffer, region.bytes.byteOffset);
      const at = address - region.base;
      return size === 4
        ? rom.getUint32(at, true)
        : size === 2
          ? rom.getUint16(at, true)
          : rom.getUint8(at);
    }
    if (region?.kind !== 'ram' || address >= RAM_SIZE) return pc.mmio.read(address, size);
    return size === 4
      ? view.getUint32(address, true)
      : size === 2
        ? view.getUint16(address, true)
        : view.getUint8(address);
  };
  const write = (address: number, size: IoSize, value: number): void => {
    if (pc.mmio.find(address) !== undefined) pc.mmio.write(address, size, value);
    else if (address < 0xa_0000)
      for (let i = 0; i < size; i++) ram[address + i] = (value >>> (8 * i)) & 0xff;
  };
  return {
    pc,
    clock,
    ram,
    serial,
    power,
    pending: () => request,
    takeNmi: () => nmis > 0 && nmis-- > 0,
    read,
    write,
  };
};

const PORT_OPS: Readonly<Record<string, IoSize>> = {
  inb: 1,
  inw: 2,
  inl: 4,
  outb: 1,
  outw: 2,
  outl: 4,
};
const MEMORY_OPS: Readonly<Record<string, IoSize>> = {
  r8: 1,
  r16: 2,
  r32: 4,
  w8: 1,
  w16: 2,
  w32: 4,
};

/** How far a reading may be from the recorded one: free-running counters are read some instructions after the stamp. */
export type Tolerance = (line: Line) => number;

/** A line of the transcript and what our PC did instead. */
export const replay = (
  bench: Bench,
  lines: readonly Line[],
  tolerance: Tolerance = () => 0,
  known: (line: Line) => boolean = () => false,
): readonly string[] => {
  const differences: string[] = [];
  const hex = (value: number | undefined): string =>
    value === undefined ? 'nothing' : value.toString(16);
  let interruptsOn = false;
  const expect = (line: Line, got: number): void => {
    const want = line.result;
    if (want === undefined) return;
    const off = Math.abs(want - got);
    if (off > tolerance(line) && !known(line))
      differences.push(
        `line ${line.number} @${line.time}: ${line.op} ${line.operands.map(hex).join(' ')} = ${hex(want)}, got ${hex(got)}`,
      );
  };
  for (const line of lines) {
    bench.clock.advanceTo(line.time);
    const [address = 0, value = 0] = line.operands;
    const port = PORT_OPS[line.op];
    const memory = MEMORY_OPS[line.op];
    if (line.op === 'irq') {
      const vector = bench.takeNmi() ? 2 : bench.pending() ? bench.pc.acknowledge() : undefined;
      if (vector !== address)
        differences.push(`line ${line.number}: interrupt ${hex(address)}, got ${hex(vector)}`);
    } else if (line.op === 'sti') interruptsOn = true;
    else if (line.op === 'cli' || line.op === 'hlt') {
      if ((interruptsOn || line.op === 'hlt') && bench.pending())
        differences.push(
          `line ${line.number}: unexpected interrupt ${hex(bench.pc.acknowledge())}`,
        );
      interruptsOn = false;
    } else if (line.op === 'pollb') expect(line, bench.pc.ports.read(address, 1));
    else if (port !== undefined) {
      if (line.op.startsWith('in')) expect(line, bench.pc.ports.read(address, port));
      else bench.pc.ports.write(address, port, value);
    } else if (memory !== undefined) {
      if (line.op.startsWith('r')) expect(line, bench.read(address, memory));
      else bench.write(address, memory, value);
    }
  }
  return differences;
};
