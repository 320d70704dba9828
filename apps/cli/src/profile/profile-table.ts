/** A profile as a table for people. */
import { styled } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { BootProfile } from './boot-profile.ts';
import { PART_WORDS, PARTS } from './parts.ts';

const COLUMN = 8;
const NAME = 14;
/** Devices and ranges below this share are summed up. */
const LEAST_SHARE = 0.001;

const seconds = (milliseconds: number): string => (milliseconds / 1e3).toFixed(2);
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

const row = (name: string, cells: readonly string[], words = ''): string =>
  `${name.padEnd(NAME)}${cells.map((cell) => cell.padStart(COLUMN)).join('')}${words && `  ${words}`}`;

/** The rows that matter, and what the rest amounts to. */
const shares = <T>(
  rows: readonly T[],
  name: (row: T) => string,
  value: (row: T) => number,
): readonly { readonly name: string; readonly value: number }[] => {
  const whole = sum(rows.map(value));
  const large = rows.filter((entry) => value(entry) >= whole * LEAST_SHARE);
  const rest = whole - sum(large.map(value));
  return [
    ...large.map((entry) => ({ name: name(entry), value: value(entry) })),
    ...(rest > 0 ? [{ name: 'others', value: rest }] : []),
  ];
};

/** `12 times for miss, 3 for jump`, the commonest reason first. */
const exitWords = (exits: Readonly<Record<string, number>>): string =>
  Object.entries(exits)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${String(count)} times (${reason})`)
    .join(', ') || 'never';

export const formatProfile = (terminal: Terminal, profile: BootProfile): string => {
  const { phases, devices, accesses, interrupts, engine } = profile;
  const whole = sum(phases.map(({ wall }) => wall));
  const head = (cells: readonly string[], name: string): string =>
    styled(terminal, 'bold', row(name, cells));
  const parts = PARTS.map((part) => {
    const times = phases.map((phase) => phase.parts[part]);
    const total = sum(times);
    return row(
      part,
      [...times.map(seconds), seconds(total), percent(total, whole)],
      PART_WORDS[part],
    );
  });
  const { translated, decoded, drops, flushes } = engine;
  return [
    head([...phases.map(({ phase }) => phase), 'all', 'share'], 'wall, s'),
    ...parts,
    row('all', [...phases.map(({ wall }) => seconds(wall)), seconds(whole)]),
    row(
      'M instructions',
      phases.map(({ instructions }) => (instructions / 1e6).toFixed(1)),
    ),
    '',
    head(['wall, s', 'share'], 'device'),
    ...shares(
      devices,
      ({ device }) => device,
      ({ wall }) => wall,
    ).map(({ name, value }) => row(name, [seconds(value), percent(value, whole)])),
    '',
    head(['accesses'], 'range'),
    ...shares(
      accesses,
      ({ name }) => name,
      (range) => range.accesses,
    ).map(({ name, value }) => row(name, [String(value)])),
    '',
    `${interrupts} interrupts and exceptions; ${decoded} instructions decoded, ${drops} pages of them dropped, ${flushes} times all;`,
    `${translated.regions} regions translated with ${translated.instructions} instructions and ${translated.entries} entries, ${translated.dropped} of them dropped,`,
    `${translated.executed} instructions executed in them; left ${exitWords(translated.exits)}`,
    '',
  ].join('\n');
};
