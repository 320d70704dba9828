// The committed facts answer the scripts as they are now, and one part of them agrees with another.
import { describe, expect, test } from 'vitest';
import { CLOCK_CALLS } from '../src/calls/clock-calls.ts';
import { SERVICE_CALLS } from '../src/calls/service-calls.ts';
import { VARIABLE_CALLS } from '../src/calls/variable-calls.ts';
import {
  configurations,
  e820Of,
  memoryMapOf,
  parseServiceCommand,
  parseVariableCommand,
  readLinuxFacts,
  runtimeMapOf,
} from '../src/index.ts';

const PAGE = 4096n;
/** What efivarfs keeps of the free space for itself. */
const RESERVE = 5120;

describe.each(configurations.map(({ name }) => name))('facts of %s', (name) => {
  const facts = readLinuxFacts(name);
  const answers = [...facts.runtimeServices, ...facts.clock, ...facts.efivarfs];

  test('answer the calls of the scripts, in their order', () => {
    const recorded = answers.map(({ title, command }) => ({ title, command }));
    expect(recorded).toEqual([...SERVICE_CALLS, ...CLOCK_CALLS, ...VARIABLE_CALLS]);
  });

  test('hold a status for every service, and a step for every error of efivarfs', () => {
    const known = /^0x(0|80000000000000[0-9a-f]{2})$/;
    const strange = facts.runtimeServices.filter(({ answer }) => !known.test(answer.status ?? ''));
    expect(strange).toEqual([]);
    const torn = facts.efivarfs.filter(
      ({ answer }) => (answer.step === undefined) !== (answer.errno === undefined),
    );
    expect(torn).toEqual([]);
  });

  test('have the same runtime map in the log and in sysfs', () => {
    const logged = runtimeMapOf(facts.log).map(({ start, last }) => [start, last]);
    const shown = facts.runtimeMap.map(({ physicalStart, pages }) => [
      BigInt(physicalStart),
      BigInt(physicalStart) + BigInt(pages) * PAGE - 1n,
    ]);
    expect(shown).toEqual(logged);
    expect(shown.length).toBeGreaterThan(5);
  });

  test('give each region at its offset in 2 MiB, from 4 GiB below the end downwards', () => {
    let end = 0xffff_ffff_0000_0000n;
    for (const region of facts.runtimeMap) {
      const start = BigInt(region.virtualStart);
      const size = BigInt(region.pages) * PAGE;
      expect(start + size).toBeLessThanOrEqual(end);
      expect((start - BigInt(region.physicalStart)) % 0x20_0000n).toBe(0n);
      end = start;
    }
  });

  test('have an E820 map made of the memory map', () => {
    const regions = memoryMapOf(facts.log);
    const ranges = e820Of(facts.log);
    expect(ranges.length).toBeGreaterThan(5);
    for (const { start, last } of ranges) {
      expect(regions.some((region) => region.start === start)).toBe(true);
      expect(regions.some((region) => region.last === last)).toBe(true);
    }
  });

  test('tell the same tables in the log and in sysfs', () => {
    const line = facts.log.find((text) => /^efi: .*ACPI 2\.0=/.test(text)) ?? '';
    const systab = (facts.sysfs.systab ?? '').trim().split('\n');
    expect(systab.length).toBe(3);
    for (const entry of systab) expect(line).toContain(`${entry.replace('ACPI20', 'ACPI 2.0')} `);
  });

  test('tell the same space through statfs and QueryVariableInfo', () => {
    const asked = facts.runtimeServices.find(
      ({ command }) => command === 'call QueryVariableInfo attributes=7',
    );
    const spaces = facts.efivarfs.filter(({ command }) => command === 'space');
    expect(spaces.length).toBe(3);
    for (const { answer } of spaces) {
      expect(answer.blocks).toBe(asked?.answer.results?.[0]);
      expect(answer.available).toBe(Math.max(0, (answer.free ?? 0) - RESERVE));
    }
  });

  test('read what was written', () => {
    const written = new Map<string, string>();
    const reads: { readonly wanted: string; readonly got: string | undefined }[] = [];
    for (const { command, answer } of facts.efivarfs) {
      const parsed = parseVariableCommand(command);
      if (parsed.verb === 'write' && answer.errno === undefined && parsed.attributes === 7)
        written.set(parsed.file, `07000000${Buffer.from(parsed.data).toString('hex')}`);
      else if (parsed.verb === 'write' || parsed.verb === 'delete') written.delete(parsed.file);
      else if (parsed.verb === 'read' && answer.errno === undefined) {
        const wanted = written.get(parsed.file);
        if (wanted !== undefined) reads.push({ wanted, got: answer.bytes });
      }
    }
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.map(({ got }) => got)).toEqual(reads.map(({ wanted }) => wanted));
  });

  test('parse: every call of a service names one', () => {
    const services = new Set(
      facts.runtimeServices.map(({ command }) => parseServiceCommand(command).service),
    );
    expect(services.size).toBe(11);
  });

  test('end the machine in each way by the device that is known for it', () => {
    const last = Object.fromEntries(
      facts.restarts.map(({ command, option, writes }) => [`${command} ${option}`, writes.at(-1)]),
    );
    expect(last).toEqual({
      'restart ': 'i8042-cmd 0x64 0xfe',
      'restart reboot=efi': 'piix3-reset-control 0xcf9 0x6',
      'restart reboot=warm,efi': 'i8042-cmd 0x64 0xfe',
      'restart reboot=kbd': 'i8042-cmd 0x64 0xfe',
      'restart reboot=pci': 'piix3-reset-control 0xcf9 0xe',
      'power-off ': 'acpi-cnt 0xb004 0x2001',
    });
  });

  test('mount again what the calls left', () => {
    const before = new Set(facts.variables.map((variable) => variable.name));
    const after = facts.variablesAfter.map((variable) => variable.name);
    expect(after).toContain('SystabService-6c9a5b1e-0f57-4d0c-9a53-8d5f3b9f4e21');
    expect(after.filter((file) => file.startsWith('SystabAttributes'))).toEqual([]);
    for (const file of before) expect(after).toContain(file);
  });
});
