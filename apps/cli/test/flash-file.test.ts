import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FLASH_WRITE_STEPS, replaceFile, replaceUnchanged } from '../src/flash-file.ts';

const SIZE = 1 << 20;
const BEFORE = Buffer.alloc(SIZE, 0xaa);
const AFTER = Buffer.alloc(SIZE, 0x55);

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-flash-'));
  path = join(folder, 'vars.fd');
  writeFileSync(path, BEFORE);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Replaces the file in a process that kills itself after a step. */
const replaceAndDie = (step: string): string | null => {
  const module = new URL('../src/flash-file.ts', import.meta.url).href;
  const script = `
    const { replaceFile } = await import(${JSON.stringify(module)});
    replaceFile(${JSON.stringify(path)}, Buffer.alloc(${SIZE}, 0x55), (step) => {
      if (step === ${JSON.stringify(step)}) process.kill(process.pid, 'SIGKILL');
    });`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal;
};

describe('a flash file', () => {
  test('is replaced', () => {
    chmodSync(path, 0o640);
    replaceFile(path, AFTER);
    expect(readFileSync(path).equals(AFTER)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['vars.fd']);
  });

  test.each(FLASH_WRITE_STEPS)('is whole when the process is killed after "%s"', (step) => {
    expect(replaceAndDie(step)).toBe('SIGKILL');
    const renamed = step === 'rename' || step === 'done';
    expect(readFileSync(path).equals(renamed ? AFTER : BEFORE)).toBe(true);
    // Whoever comes after a crash is not in the way of what it left.
    replaceFile(path, AFTER);
    expect(readFileSync(path).equals(AFTER)).toBe(true);
  });

  test('stays as it was when a write fails', () => {
    const fail = (): void => {
      throw new Error('disk full');
    };
    expect(() => replaceFile(path, AFTER, fail)).toThrow('disk full');
    expect(readFileSync(path).equals(BEFORE)).toBe(true);
    expect(readdirSync(folder)).toEqual(['vars.fd']);
  });

  test('behind a symbolic link is replaced, not the link', () => {
    const link = join(folder, 'link.fd');
    symlinkSync('vars.fd', link);
    replaceFile(link, AFTER);
    expect(readlinkSync(link)).toBe('vars.fd');
    expect(readFileSync(path).equals(AFTER)).toBe(true);
  });
});

test('a file that is not what was read from it any more is left as it is', () => {
  replaceUnchanged(path, BEFORE, AFTER);
  expect(readFileSync(path)).toEqual(AFTER);
  expect(() => replaceUnchanged(path, BEFORE, BEFORE)).toThrow('somebody else changed it');
  expect(readFileSync(path)).toEqual(AFTER);
});
