import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as core from '../src/index.ts';
import type { FieldLayout, Struct, Width } from '../src/index.ts';

const SRC = path.join(import.meta.dirname, '..', 'src');
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const read = (name: string): string => readFileSync(path.join(SRC, name), 'utf8');

describe('the public surface', () => {
  it('has exactly these names', async () => {
    const values = Object.keys(core);
    const types = [...read('index.ts').matchAll(/export type \{([^}]*)\}/g)]
      .flatMap(([, names]) => (names ?? '').split(','))
      .map((name) => name.trim())
      .filter((name) => name !== '');
    expect(new Set([...values, ...types]).size).toBe(values.length + types.length);
    const list = [...values, ...types.map((name) => `type ${name}`)].toSorted();
    await expect(`${list.join('\n')}\n`).toMatchFileSnapshot('exports.txt');
  });

  it('is listed name by name', () => {
    expect(read('index.ts')).not.toMatch(/export \*/);
  });
});

describe('the sources', () => {
  it('import nothing from outside the package and nothing of Node', () => {
    for (const name of sources) {
      const imports = [...read(name).matchAll(/from '([^']+)'/g)].map(([, from]) => from ?? '');
      for (const from of imports) expect(from).toMatch(/^\.{1,2}\/[\w./-]+\.ts$/);
    }
  });

  it('name no platform', () => {
    const platform = /\bxen|bare[- ]?metal|hypercall/i;
    expect(sources.filter((name) => platform.test(read(name)))).toEqual([]);
  });
});

const isStruct = (value: unknown): value is Struct<object> =>
  typeof value === 'object' && value !== null && 'layout' in value && 'clause' in value;

const tableOf = (rows: readonly (readonly string[])[]): string => {
  const [head = []] = rows;
  const widths = head.map((_, column) =>
    Math.max(3, ...rows.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(head), rule, ...rows.slice(1).map(line)].join('\n');
};

const section = (struct: Struct<object>): string => {
  const sizes = new Set([struct.size(64), struct.size(32)]);
  const wide = struct.layout(64);
  const narrow = struct.layout(32);
  const place = (layout: readonly FieldLayout[], index: number): string =>
    String(layout[index]?.offset ?? '');
  const same =
    sizes.size === 1 && wide.every(({ offset }, index) => offset === narrow[index]?.offset);
  const head = same ? ['offset', 'field', 'type'] : ['64-bit', '32-bit', 'field', 'type'];
  const rows = wide.map(({ field, type }, index) =>
    same
      ? [place(wide, index), field, type]
      : [place(wide, index), place(narrow, index), field, type],
  );
  const size = (width: Width): string => `${String(struct.size(width))} bytes`;
  const total = same ? size(64) : `${size(64)} on 64-bit firmware, ${size(32)} on 32-bit firmware`;
  return `## ${struct.name}\n\n${struct.clause}. ${total}.\n\n${tableOf([head, ...rows])}`;
};

describe('LAYOUTS.md', () => {
  it('shows every declared structure as it is', async () => {
    const structs = Object.values(core as Record<string, unknown>)
      .filter(isStruct)
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
    expect(structs.length).toBeGreaterThan(40);
    const text = [
      '# Layouts',
      'Derived from the declarations in `src`; a test keeps this file true. Offsets and sizes are in bytes.',
      ...structs.map(section),
    ].join('\n\n');
    await expect(`${text}\n`).toMatchFileSnapshot('../LAYOUTS.md');
  });
});
