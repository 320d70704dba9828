// The reference firmware does what the UEFI specification asks, in our machine and in QEMU alike, and its images are what
// their sources build.
import { requireTool } from '@systab/host-tools';
import { describe, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import {
  runCapsuleFuzz,
  runPowerCutTest,
  runSignatureFuzz,
} from '../../../guest/firmware/build.ts';
import { FIRMWARE_ARCHITECTURES, refreshImages } from '../../../guest/firmware/images.ts';
import { REFERENCE_CLANG, clangVersion } from '../../../guest/toolchain.ts';
import { INITRD, runInMachine, runInQemu } from './firmware-run.ts';

const TIMEOUT = 180_000;

describe.each(FIRMWARE_ARCHITECTURES)('reference firmware %s', (architecture) => {
  test('passes every check of its test application', { timeout: TIMEOUT }, () => {
    const { text, failures, checks } = runInMachine('services', architecture);
    expect(text.split('\r\n')[0]).toBe('services of the firmware: é€');
    expect(failures).toEqual([]);
    expect(checks).toBeGreaterThan(490);
  });

  test('hands the initial RAM disk over', { timeout: TIMEOUT }, () => {
    const without = runInMachine('services', architecture);
    const { text, failures, checks } = runInMachine('services', architecture, undefined, INITRD);
    expect(without.text).toContain('== initial RAM disk\n     none\n');
    expect(text).toContain('== initial RAM disk\nok   LocateDevicePath of its path\n');
    expect(failures).toEqual([]);
    expect(checks).toBe(without.checks + 12);
  });

  test('finds its variables again and passes once more', { timeout: TIMEOUT }, () => {
    const first = runInMachine('services', architecture);
    const second = runInMachine('services', architecture, first.variables);
    expect(second.failures).toEqual([]);
    expect(second.checks).toBe(first.checks);
  });

  test('reports and stores in QEMU what it does here', { timeout: TIMEOUT }, (context) => {
    const qemu = requireTool(context, 'qemu-system-x86_64');
    const here = runInMachine('services', architecture);
    const there = runInQemu(qemu, 'services', architecture);
    expect(there.text).toBe(here.text);
    expect(Buffer.compare(there.variables, here.variables)).toBe(0);
  });

  test('takes capsules through resets, and none from hostile lists', { timeout: TIMEOUT }, () => {
    const run = runInMachine('capsules', architecture);
    expect(run.failures).toEqual([]);
    expect(run.checks).toBeGreaterThan(80);
    // A new machine: the memory of the last capsule is lost.
    const later = runInMachine('capsules', architecture, run.variables);
    expect(later.failures).toEqual([]);
    expect(later.text).toContain('== capsules after a loss of power');
    expect(later.checks).toBe(3);
  });

  test('takes capsules in QEMU as it does here', { timeout: TIMEOUT }, (context) => {
    const qemu = requireTool(context, 'qemu-system-x86_64');
    const here = runInMachine('capsules', architecture);
    const there = runInQemu(qemu, 'capsules', architecture);
    expect(there.text).toBe(here.text);
  });

  test('is what its sources build, byte for byte', { timeout: TIMEOUT }, (context) => {
    for (const tool of ['clang', 'ld.lld', 'llvm-objcopy'] as const) requireTool(context, tool);
    const version = clangVersion();
    context.skip(version !== REFERENCE_CLANG, `needs clang ${REFERENCE_CLANG}, found ${version}`);
    expect(refreshImages(architecture, true)).toBe(true);
  });
});

describe('built for the host with sanitizers', () => {
  const run = (context: TestContext, program: () => string): string => {
    for (const tool of ['clang', 'clang-sanitizers'] as const) requireTool(context, tool);
    return program();
  };

  test(
    'the variable store survives a power cut at each of its writes',
    { timeout: TIMEOUT },
    (context) => {
      const text = run(context, runPowerCutTest);
      expect(text).toMatch(/^changed variable in a full store: power cut at \d{4} writes, /m);
      expect(text).toMatch(/^first start: power cut at \d{3} writes$/m);
    },
  );

  test('changed signatures lead no parser astray', { timeout: TIMEOUT }, (context) => {
    expect(run(context, runSignatureFuzz)).toBe('19 updates, 150 changes of each\n');
  });

  test('hostile lists of capsules lead nowhere', { timeout: TIMEOUT }, (context) => {
    expect(run(context, runCapsuleFuzz)).toBe('4000 lists, good and changed\n');
  });
});
