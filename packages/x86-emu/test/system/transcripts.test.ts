// Runs the images of guest/cpu-tests and compares their transcripts, line by line, with what QEMU wrote and the SDM demands.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { TEST_IMAGES } from './images.ts';
import type { TestImage } from './images.ts';
import { KNOWN_DEVIATIONS } from './known-deviations.ts';
import { runRom } from './rom-machine.ts';
import { SDM_EXPECTATIONS } from './sdm-expectations.ts';

const BUDGET = 50_000_000;

const file = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(path, import.meta.url)));

/** The lines of a transcript by case name; the last one may have been cut short by a triple fault. */
const parse = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const name = /^(.*?):(?: (?:ok|0x|#|\[)|$)/.exec(line)?.[1] ?? line;
        return [name, line.slice(name.length + 1).trim()];
      }),
  );

const expectedLines = (image: TestImage): ReadonlyMap<string, string> => {
  const lines = new Map(
    parse(new TextDecoder('latin1').decode(file(`transcripts/${image.name}.txt`))),
  );
  for (const group of SDM_EXPECTATIONS) {
    if (group.image !== image.name) continue;
    for (const [name, line] of Object.entries(group.lines)) lines.set(name, line);
  }
  return lines;
};

const isKnown = (image: TestImage, name: string): boolean =>
  KNOWN_DEVIATIONS.some((known) => known.image === image.name && known.name === name);

describe('the list expected by SDM', () => {
  it('names lines of the transcripts and changes each of them', () => {
    for (const { image, lines } of SDM_EXPECTATIONS) {
      const recorded = parse(new TextDecoder('latin1').decode(file(`transcripts/${image}.txt`)));
      for (const [name, line] of Object.entries(lines)) {
        expect(recorded.get(name), `${image}: ${name}`).toBeDefined();
        expect(recorded.get(name), `${image}: ${name}`).not.toBe(line);
      }
    }
  });
});

describe.each(TEST_IMAGES)('$name', (image) => {
  const run = runRom(file(`images/${image.name}.bin`), image, BUDGET);
  const actual = parse(run.text);
  const expected = expectedLines(image);

  it('ends as it should', () => {
    expect(run.exit).toMatchObject(
      image.end === 'exit-port' ? { kind: 'trap', reason: 'end 0' } : { kind: 'tripleFault' },
    );
    expect([...actual.keys()]).toEqual([...expected.keys()]);
  });

  it('agrees in every line', () => {
    const differences = [...expected]
      .filter(([name, line]) => !isKnown(image, name) && actual.get(name) !== line)
      .map(([name, line]) => `${name}: expected ${line}, got ${actual.get(name)}`);
    expect(differences).toEqual([]);
  });

  it('still differs where a deviation is listed', () => {
    const stale = [...expected]
      .filter(([name, line]) => isKnown(image, name) && actual.get(name) === line)
      .map(([name]) => name);
    expect(stale).toEqual([]);
  });
});
