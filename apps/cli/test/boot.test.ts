// `systab boot` with a firmware of our own that prints a prompt at once. OVMF itself: packages/x86-emu/test/pc.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exitCodes, runCli } from '@systab/cli';
import type { Terminal } from '@systab/cli';
import { PROGRAMMED, tinyFirmware } from './tiny-firmware.ts';

interface Report {
  readonly end: { readonly kind: string };
  readonly verdict: string;
  readonly cache: string;
  readonly instructions: number;
  readonly traceHash: string;
  readonly serial: string;
  readonly phases: readonly { readonly phase: string; readonly instructions: number }[];
}

let folder: string;
let firmware: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systab-boot-'));
  firmware = join(folder, 'tiny.fd');
  writeFileSync(firmware, tinyFirmware());
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const cacheEntries = (): readonly string[] => {
  const entries = join(folder, 'cache', 'systab', 'boot');
  return existsSync(entries) ? readdirSync(entries).map((name) => join(entries, name)) : [];
};

const run = async (args: readonly string[], terminal: Partial<Terminal> = {}) => {
  let out = '';
  let err = '';
  const exitCode = await runCli(['boot', '--memory', '2', '--firmware', firmware, ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    colour: false,
    ...terminal,
  });
  return { exitCode, out, err };
};

const report = async (...args: readonly string[]): Promise<Report & { exitCode: number }> => {
  const { exitCode, out, err } = await run(['--json', ...args]);
  expect(err).toBe('');
  return { exitCode, ...(JSON.parse(out) as Report) };
};

describe('systab boot', () => {
  test('ends at the prompt; the guest has standard output, the summary standard error', async () => {
    const { exitCode, out, err } = await run([]);
    expect(exitCode).toBe(exitCodes.ok);
    expect(out).toBe('hello\r\nShell> ');
    expect(err).toMatch(/^SEC +\d+\.\d M/m);
    expect(err).toMatch(/^end +the shell waits for a command$/m);
    expect(err).toMatch(/^trace hash +[0-9a-f]{16}$/m);
  });

  test('guest bytes reach standard output as they are', async () => {
    writeFileSync(firmware, tinyFirmware('\xff\x01\r\n'.replace('\xff', '\x7f')));
    const chunks: Uint8Array[] = [];
    await run([], { bytes: (bytes) => chunks.push(bytes) });
    expect(Buffer.concat(chunks).toString('latin1')).toBe('\x7f\x01\r\nShell> ');
  });

  test('types each line at a prompt of its own', async () => {
    const { serial, end, exitCode } = await report('--type', 'abc', '--type', 'xyz');
    expect(serial).toBe('hello\r\nShell> abc\rShell> xyz\rShell> ');
    expect({ kind: end.kind, exitCode }).toEqual({ kind: 'prompt', exitCode: exitCodes.ok });
  });

  test('ends where the text ends, to the byte', async () => {
    const { serial, end } = await report('--until', 'hel');
    expect({ serial, kind: end.kind }).toEqual({ serial: 'hel', kind: 'until' });
    const typed = await report('--until', 'xy', '--type', 'uxyz');
    expect(typed.serial).toBe('hello\r\nShell> uxy');
  });

  test.each([
    {
      key: 'd',
      kind: 'deadLoop',
      exitCode: exitCodes.firmwareFault,
      words:
        /gave up: a loop without effect, interrupts off, at 0xffff00[0-9a-f]+, code (?:f390|ebfc)/,
    },
    {
      key: 'h',
      kind: 'halt',
      exitCode: exitCodes.firmwareFault,
      words: /halted for good at 0xffff00/,
    },
    {
      key: 't',
      kind: 'tripleFault',
      exitCode: exitCodes.firmwareFault,
      words: /triple fault at 0xffff00[0-9a-f]+, code cc/,
    },
  ])('a guest that types $key ends in $kind', async ({ key, kind, exitCode, words }) => {
    const { end, verdict, ...rest } = await report('--type', key);
    expect({ kind: end.kind, exitCode: rest.exitCode }).toEqual({ kind, exitCode });
    expect(verdict).toMatch(words);
  });

  test('carries resets out, or ends at the first one', async () => {
    const again = await report('--type', 'r', '--type', 'abc');
    expect(again.serial).toBe('hello\r\nShell> rhello\r\nShell> abc\rShell> ');
    const once = await report('--type', 'r', '--no-reboot');
    expect(once.end).toEqual({ kind: 'shutdown', event: 'reset', source: expect.any(String) });
    expect(once.exitCode).toBe(exitCodes.ok);
    const waiting = await report('--type', 'r', '--no-reboot', '--until', 'never');
    expect(waiting.exitCode).toBe(exitCodes.findings);
  });

  test('a budget that is used up is a verdict', async () => {
    const { exitCode, end, instructions } = await report('--until', 'never', '--budget', '123456');
    expect({ exitCode, kind: end.kind, instructions }).toEqual({
      exitCode: exitCodes.budgetUsedUp,
      kind: 'budget',
      instructions: 123_456,
    });
  });

  test('flash files change only when that is asked for', async () => {
    const before = readFileSync(firmware);
    expect((await report('--type', 'w')).end.kind).toBe('halt');
    expect(readFileSync(firmware).equals(before)).toBe(true);
    const { err } = await run(['--type', 'w', '--write-vars']);
    expect(err).toContain(`systab: variables written to ${firmware}\n`);
    const after = readFileSync(firmware);
    expect(after[PROGRAMMED]).toBe(0x42);
    expect(after.with(PROGRAMMED, 0xff)).toEqual(new Uint8Array(before));
    // Nothing changes any more: the file is left alone.
    expect((await run(['--type', 'w', '--write-vars'])).err).not.toContain('written');
  });

  test('a flash file that somebody else changed meanwhile is left alone', async () => {
    const theirs = tinyFirmware('theirs\r\n');
    const { exitCode, err } = await run(['--type', 'w', '--write-vars'], {
      out: () => writeFileSync(firmware, theirs),
    });
    expect(exitCode).toBe(exitCodes.usage);
    expect(err).toContain(`systab: ${firmware}: somebody else changed it`);
    expect(Buffer.compare(readFileSync(firmware), theirs)).toBe(0);
  });

  test('a terminal shows how far the boot is, and nothing of it stays', async () => {
    const args = ['--until', 'never', '--budget', '3000000'];
    const line = /\r\u001B\[Kshell takes commands {2}\d+ M instructions/;
    const always = await run(args, { progress: 'always' });
    expect(always.err).toMatch(line);
    expect(always.err.slice(always.err.lastIndexOf('\r'))).toMatch(/^\r\u001B\[K\n\nphase/);
    // The guest has written to the same terminal by then.
    expect((await run(args, { progress: 'until output' })).err).not.toContain('\r');
    expect((await run(args)).err).not.toContain('\r');
  });

  test('what is typed reaches the guest until the session is left', async () => {
    let leave = (): void => undefined;
    let text = '';
    const { exitCode } = await run(['--serial', 'stdio'], {
      out: (piece) => {
        text += piece;
        if (text.endsWith('abc')) leave();
      },
      input: (type, onLeave) => {
        leave = onLeave;
        type(new TextEncoder().encode('abc'));
        return () => undefined;
      },
    });
    expect(exitCode).toBe(exitCodes.ok);
    expect(text).toBe('hello\r\nShell> abc');
    expect(cacheEntries()).toEqual([]);
  });

  test.each([
    [['--memory', '0'], '--memory: expected 2M to 3072M or 3G'],
    [['--memory', 'lots'], '--memory: expected 2M to 3072M or 3G'],
    [['--until', ''], '--until: expected a text'],
    [['--append', 'x'], '--append: needs --kernel <file>'],
    [['--initrd', 'x'], '--initrd: needs --kernel <file>'],
    [['--kernel', '/nonexistent'], '/nonexistent: there is no such file'],
    [['--disk', '/nonexistent'], '/nonexistent: the disk image cannot be opened (ENOENT)'],
    [['--disk', '/'], '/: a disk image is a file'],
    [['--serial', 'tcp'], "command line: option '--serial <what>' argument 'tcp' is invalid"],
  ])('%j is refused', async (args, message) => {
    const { exitCode, out, err } = await run(args);
    expect({ exitCode, out }).toEqual({ exitCode: exitCodes.usage, out: '' });
    expect(err).toContain(`systab: ${message}`);
  });
});

describe('the boot cache', () => {
  const plain = ({ cache: _cache, ...rest }: Report): object => ({
    ...rest,
    phases: rest.phases.map(({ phase, instructions }) => ({ phase, instructions })),
    virtualSeconds: undefined,
    wallSeconds: undefined,
    mips: undefined,
  });

  test('a second boot is the first one, from the cache', async () => {
    const first = await report();
    const second = await report();
    expect([first.cache, second.cache]).toEqual(['stored', 'hit']);
    expect(plain(second)).toEqual(plain(first));
  });

  test('a boot goes on from the cache as from the reset vector', async () => {
    const cold = await report('--type', 'abc', '--no-cache');
    await report();
    const warm = await report('--type', 'abc');
    expect([cold.cache, warm.cache]).toEqual(['off', 'hit']);
    expect(plain(warm)).toEqual(plain(cold));
  });

  test('a text that comes before the prompt has an entry of its own', async () => {
    await report();
    const first = await report('--until', 'hel');
    const second = await report('--until', 'hel');
    expect([first.cache, second.cache, second.serial]).toEqual(['stored', 'hit', 'hel']);
    expect(plain(second)).toEqual(plain(first));
    expect(await report('--until', 'abc', '--type', 'abc')).toMatchObject({ cache: 'hit' });
  });

  test.each([
    ['memory', ['--memory', '3']],
    ['the processor', ['--cpu', 'qemu64']],
  ])('another value of %s is another boot', async (_what, args) => {
    await report();
    expect(await report(...args)).toMatchObject({ cache: 'stored' });
  });

  test('other firmware, disks and kernels are other boots', async () => {
    await report();
    writeFileSync(firmware, tinyFirmware('other\r\n'));
    expect(await report()).toMatchObject({ cache: 'stored', serial: 'other\r\nShell> ' });
    const file = join(folder, 'file');
    for (const content of ['a', 'b']) {
      writeFileSync(file, content.repeat(1024));
      expect(await report('--disk', file)).toMatchObject({ cache: 'stored' });
      expect(await report('--kernel', file)).toMatchObject({ cache: 'stored' });
      expect(await report('--kernel', file, '--append', 'x')).toMatchObject({ cache: 'stored' });
    }
    expect(await report('--disk', file)).toMatchObject({ cache: 'hit' });
  });

  test('a boot with another kernel starts where the firmware asks for it', async () => {
    writeFileSync(firmware, tinyFirmware('\r\n', true));
    const kernel = join(folder, 'kernel');
    const sizes = { A: 2560 + 0x41, B: 2560 + 0x42 };
    const boots = [];
    for (const [letter, size] of Object.entries(sizes)) {
      writeFileSync(kernel, new Uint8Array(size));
      const cold = await report('--kernel', kernel, '--no-cache');
      const warm = await report('--kernel', kernel);
      expect(cold.serial).toBe(`${letter}\r\nShell> `);
      expect(plain(warm)).toEqual(plain(cold));
      boots.push(warm.cache, cacheEntries().length);
    }
    // The first boot leaves the entry for all kernels and its own, the second one its own.
    expect(boots).toEqual(['stored', 2, 'stored', 3]);
    // Without the entries of their own both start from the common one.
    const early = await run(['--kernel', kernel, '--until', 'B']);
    expect(early.out).toBe('B');
  });

  test.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1)],
    ['empty', () => new Uint8Array()],
    [
      'changed in one bit',
      (bytes: Uint8Array) =>
        bytes.with(bytes.length >>> 1, (bytes[bytes.length >>> 1] as number) ^ 1),
    ],
    ['text', () => new TextEncoder().encode('no snapshot at all, but long enough')],
  ])('an entry that is %s is noticed and made anew', async (_what, damage) => {
    await report();
    const [entry = ''] = cacheEntries();
    writeFileSync(entry, damage(readFileSync(entry)));
    const { err, out } = await run([]);
    expect(out).toBe('hello\r\nShell> ');
    expect(err).toContain('systab: cache entry dropped: ');
    expect(await report()).toMatchObject({ cache: 'hit' });
  });

  test('an entry under the name of another boot is noticed', async () => {
    await report();
    const [entry = ''] = cacheEntries();
    const bytes = readFileSync(entry);
    await report('--memory', '3');
    const other = cacheEntries().find((path) => path !== entry) ?? '';
    writeFileSync(other, bytes);
    const { err, exitCode } = await run(['--memory', '3']);
    expect(exitCode).toBe(exitCodes.ok);
    expect(err).toContain('cache entry dropped: it belongs to another boot');
  });

  test('a cache that cannot be written is no failure', async () => {
    writeFileSync(join(folder, 'file'), '');
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'file'));
    const { exitCode, err } = await run([]);
    expect(exitCode).toBe(exitCodes.ok);
    expect(err).toContain('nothing stored in the cache: ENOTDIR');
  });
});
