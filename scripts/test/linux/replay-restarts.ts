// The recorded ends of the machine that go through the firmware, and what our layer makes it write.
import type { LinuxFacts } from '../../../tools/linux-oracle/src/index.ts';
import type { FirmwareSystem } from './firmware-system.ts';

/** Ports that end a machine: keyboard controller, reset control, PM1a control. */
const ENDS: ReadonlySet<number> = new Set([0x64, 0xcf9, 0xb004]);
/** The keyboard driver of Linux puts its controller to rest before anything ends; our layer has no such driver. */
const KEYBOARD_AT_REST = 'i8042-cmd 0x64 0x60';

/** An end of the machine as a line: how it was asked for, and the writes that brought it about. */
const line = (asked: string, writes: readonly string[]): string => `${asked}: ${writes.join(', ')}`;

const ASKED: Readonly<Record<string, string>> = {
  'restart reboot=efi': 'restart, cold',
  'restart reboot=warm,efi': 'restart, warm',
  'power-off ': 'power-off',
};

/** Of Linux: those that our layer has a counterpart for. */
export const linuxRestartLines = ({ restarts }: LinuxFacts): readonly string[] =>
  restarts.flatMap(({ command, option, writes }) => {
    const asked = ASKED[`${command} ${option}`];
    if (asked === undefined) return [];
    const own = writes.filter((write) => write !== KEYBOARD_AT_REST);
    return line(
      asked,
      own.map((write) => write.replace(/^\S+ /, '')),
    );
  });

/** Of our layer. Every end starts from the state that the machine has now. */
export const ourRestartLines = ({ pc, runtime: { power } }: FirmwareSystem): readonly string[] => {
  const { machine } = pc;
  const state = machine.snapshot();
  const writesOf = (asked: string, leave: () => unknown): string => {
    const writes: string[] = [];
    machine.restore(state);
    machine.hooks.trace = ({ kind, address, value }) => {
      if (kind === 'portWrite' && ENDS.has(address))
        writes.push(`0x${address.toString(16)} 0x${value.toString(16)}`);
    };
    leave();
    machine.hooks.trace = undefined;
    return line(asked, writes);
  };
  return [
    writesOf('restart, cold', () => power.reboot('cold')),
    writesOf('restart, warm', () => power.reboot('warm')),
    writesOf('power-off', () => power.powerOff()),
  ];
};
