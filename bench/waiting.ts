// What waiting costs: OVMF from reset to the prompt of its shell at several rates of the virtual clock and times of a read of the ACPI timer, by
// which firmware waits. Prints the table of packages/x86-emu/README.md; the numbers are the same on every host. node bench/waiting.ts
import { loadFirmware } from '../apps/cli/src/firmware-files.ts';
import { PcMachine } from '../packages/x86-emu/src/index.ts';
import { formatTable } from './table.ts';

/** Nanoseconds of an instruction, and of a read of the timer. */
const CLOCKS: readonly (readonly [number, number])[] = [
  [16, 0],
  [64, 0],
  [128, 0],
  [256, 0],
  [128, 1000],
  [128, 4000],
  [128, 16_000],
  [128, 32_000],
  [16, 16_000],
];
/** Where OVMF puts the timer. */
const TIMER_PORT = 0xb008;
const PROMPT = 'Shell> ';
const BUDGET = 3e9;

const { code, vars } = loadFirmware({ firmware: 'ovmf', unchecked: false });

const boot = (instruction: number, timerReadTime: number): readonly string[] => {
  let text = '';
  let reads = 0;
  const pc: PcMachine = new PcMachine({
    clockRate: 1e9 / instruction,
    timerReadTime,
    flash: [
      { image: code.bytes, readOnly: true },
      ...(vars ? [{ image: vars.bytes, readOnly: false }] : []),
    ],
    onSerial: (byte) => {
      text += String.fromCharCode(byte);
      if (text.endsWith(PROMPT)) pc.machine.stop({ kind: 'trap', reason: PROMPT });
    },
  });
  const { machine } = pc;
  machine.hooks.port = (port, _bytes, _value, write) => {
    if (port === TIMER_PORT && !write) reads++;
  };
  const { kind } = pc.run({ budget: BUDGET });
  if (kind !== 'trap') throw new Error(`the boot ended with ${kind} before the prompt`);
  return [
    `${instruction} ns`,
    `${timerReadTime / 1000} us`,
    (machine.retired / 1e6).toFixed(0),
    String(reads),
    `${(machine.clock.now() / 1e9).toFixed(1)} s`,
  ];
};

const rows = CLOCKS.map(([instruction, read]) => boot(instruction, read));
const header = ['instruction', 'timer read', 'M instructions', 'timer reads', 'virtual time'];
process.stdout.write(`${formatTable([header, ...rows])}\n`);
