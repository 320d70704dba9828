// The ACPI tables as firmware sees them after it has carried out the loader script.

import { describe, expect, test } from 'vitest';
import * as aml from '../../src/pc/aml.ts';
import type { AcpiTableOptions } from '../../src/pc/acpi-tables.ts';
import { buildAcpiFiles } from '../../src/pc/acpi-tables.ts';

const OPTIONS: AcpiTableOptions = {
  cpus: 1,
  hpet: true,
  serial: true,
  keyboard: true,
  pciWindow: 0x1000_0000,
  pmBase: 0xb000,
};
const ADDRESSES: Readonly<Record<string, number>> = {
  'etc/acpi/rsdp': 0xf_0000,
  'etc/acpi/tables': 0x0ff0_0000,
};

/** Allocates, links and checksums as the script says. */
const load = (options: AcpiTableOptions): Readonly<Record<string, Uint8Array>> => {
  const { rsdp, tables, loader } = buildAcpiFiles(options);
  const files: Record<string, Uint8Array> = { 'etc/acpi/rsdp': rsdp, 'etc/acpi/tables': tables };
  const view = new DataView(loader.buffer);
  const text = (at: number): string =>
    new TextDecoder().decode(loader.subarray(at, at + 56)).replace(/\0.*$/, '');
  for (let at = 0; at < loader.length; at += 128) {
    const command = view.getUint32(at, true);
    const file = files[text(at + 4)];
    if (command === 2) {
      const offset = view.getUint32(at + 116, true);
      const target = new DataView(file!.buffer);
      expect(loader[at + 120]).toBe(4);
      target.setUint32(offset, target.getUint32(offset, true) + ADDRESSES[text(at + 60)]!, true);
    } else if (command === 3) {
      const [offset, start, length] = [60, 64, 68].map((field) => view.getUint32(at + field, true));
      const sum = file!.subarray(start, start! + length!).reduce((total, byte) => total + byte, 0);
      file![offset!] = -sum & 0xff;
    }
  }
  return files;
};

/** Tables by signature, found from the RSDP through the RSDT. */
const walk = (options: AcpiTableOptions): Map<string, Uint8Array> => {
  const files = load(options);
  const base = ADDRESSES['etc/acpi/tables']!;
  const blob = files['etc/acpi/tables']!;
  const view = new DataView(blob.buffer);
  const found = new Map<string, Uint8Array>();
  const take = (address: number): Uint8Array => {
    const at = address - base;
    const bytes = blob.subarray(at, at + view.getUint32(at + 4, true));
    found.set(new TextDecoder().decode(bytes.subarray(0, 4)), bytes);
    return bytes;
  };
  const u32 = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
  const rsdp = files['etc/acpi/rsdp']!;
  expect(rsdp.reduce((total, byte) => total + byte, 0) & 0xff).toBe(0);
  const rsdt = take(u32(rsdp, 16));
  for (let at = 36; at < rsdt.length; at += 4) take(u32(rsdt, at));
  const fadt = found.get('FACP')!;
  take(u32(fadt, 36));
  take(u32(fadt, 40));
  return found;
};

describe('tables after the loader script', () => {
  test('all are reached and sum to zero, the FACS (without checksum) apart', () => {
    const found = walk(OPTIONS);
    expect([...found.keys()]).toEqual(['RSDT', 'FACP', 'APIC', 'HPET', 'WAET', 'FACS', 'DSDT']);
    found.delete('FACS');
    const sums = [...found.values()].map(
      (bytes) => bytes.reduce((total, byte) => total + byte, 0) & 0xff,
    );
    expect(sums).toEqual(sums.map(() => 0));
  });
  test.each([
    [{ ...OPTIONS, hpet: false }, 'without HPET'],
    [{ ...OPTIONS, keyboard: false, serial: false }, 'without legacy devices'],
    [{ ...OPTIONS, cpus: 8 }, 'eight processors'],
  ])('the DSDT keeps its size', (options) => {
    const found = walk(options);
    expect(found.get('DSDT')).toHaveLength(6385);
    expect(found.has('HPET')).toBe(options.hpet);
  });
});

describe('AML encoding', () => {
  const hex = (bytes: Uint8Array): string =>
    [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');
  test.each([
    [0, '00'],
    [1, '01'],
    [0x42, '0a 42'],
    [0x1234, '0b 34 12'],
    [0x1234_5678, '0c 78 56 34 12'],
    [0x12_3456_789a, '0e 9a 78 56 34 12 00 00 00'],
  ])('integer %d', (value, bytes) => {
    expect(hex(aml.integer(value))).toBe(bytes);
  });
  test.each([
    ['LNKA', '4c 4e 4b 41'],
    ['\\_SB', '5c 5f 53 42 5f'],
    ['\\_SB.PCI0', '5c 2e 5f 53 42 5f 50 43 49 30'],
    ['\\_SB.PCI0.ISA', '5c 2f 03 5f 53 42 5f 50 43 49 30 49 53 41 5f'],
  ])('path %s', (text, bytes) => {
    expect(hex(aml.path(text))).toBe(bytes);
  });
  test('EISA id', () => {
    expect(hex(aml.eisaId('PNP0A03'))).toBe('0c 41 d0 0a 03');
  });
  // A package length of n bytes counts itself: the steps are at 0x3f, 0xfff and 0xfffff.
  test.each([
    [59, 1],
    [60, 1],
    [61, 2],
    [4000, 2],
    [5000, 3],
  ])('a buffer of %d bytes', (length, lengthBytes) => {
    const bytes = aml.buffer(new Uint8Array(length));
    const extra = bytes[1]! >>> 6;
    expect(extra + 1).toBe(lengthBytes);
    let encoded = bytes[1]! & (extra === 0 ? 0x3f : 0x0f);
    for (let i = 0; i < extra; i++) encoded += bytes[2 + i]! * 2 ** (4 + 8 * i);
    expect(encoded).toBe(bytes.length - 1);
  });
  test.each(['lower', '1ABC', 'TOOLONG', 'A-B'])('%s is no name', (text) => {
    expect(() => aml.path(text)).toThrow('not an AML name');
  });
});
