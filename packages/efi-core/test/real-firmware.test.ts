import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  decodeDevicePath,
  decodeDmpstore,
  decodeLoadOption,
  decodeVariableVolume,
  decodeWorkingBlock,
  encodeDevicePath,
  encodeDmpstore,
  encodeLoadOption,
  encodeVariableVolume,
  findGlobalVariable,
  formatDevicePath,
  liveRecords,
  parseDevicePath,
  storedVariables,
  variableLabel,
} from '../src/index.ts';
import type { Decoded } from '../src/index.ts';

const vector = (name: string): Uint8Array =>
  Uint8Array.from(gunzipSync(readFileSync(path.join(import.meta.dirname, 'vectors', name))));
const good = <T>(result: Decoded<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

const flash = vector('ovmf-202211-vars.fd.gz');
const dump = vector('ovmf-202211-dmpstore.gz');
const volume = good(decodeVariableVolume(flash));
const dumped = good(decodeDmpstore(dump));

describe('a store edited here and used by OVMF', () => {
  it('comes back byte for byte', () => {
    expect(volume.records).toHaveLength(104);
    expect(encodeVariableVolume(volume)).toEqual(flash);
    expect(good(decodeWorkingBlock(flash))).toMatchObject({ valid: true, pending: false });
  });

  it('was accepted as it was: the first records are the edits, in their order', () => {
    const first = volume.records.slice(0, 4).map(({ name, state }) => [name, state]);
    expect(first).toEqual([
      ['SystabTest', 0x3c],
      ['SystabTest', 0x3f],
      ['SystabGone', 0x3d],
      ['Boot0077', 0x3f],
    ]);
  });

  it('holds the variables the firmware itself reads from it', () => {
    const byLabel = new Map(dumped.map((one) => [variableLabel(one.name, one.vendorGuid), one]));
    const stored = storedVariables(volume);
    expect(stored).toHaveLength(74);
    for (const { name, vendorGuid, attributes, data } of stored) {
      expect(byLabel.get(variableLabel(name, vendorGuid))).toEqual({
        name,
        vendorGuid,
        attributes,
        data,
      });
    }
    const labels = new Set(stored.map(({ name, vendorGuid }) => variableLabel(name, vendorGuid)));
    const others = dumped.filter((one) => !labels.has(variableLabel(one.name, one.vendorGuid)));
    expect(others.every(({ attributes }) => (attributes & 1) === 0)).toBe(true);
  });
});

describe('what the UEFI shell dumped', () => {
  it('comes back byte for byte', () => {
    expect(dumped).toHaveLength(108);
    expect(encodeDmpstore(dumped)).toEqual(dump);
  });

  it('has the attributes of the specification where the specification names the variable', () => {
    const odd = dumped
      .map((one) => ({ one, row: findGlobalVariable(one.name, one.vendorGuid) }))
      .filter(({ one, row }) => row !== undefined && row.attributes !== one.attributes)
      .map(({ one }) => one.name);
    expect(odd).toEqual([]);
    expect(
      dumped.filter((one) => findGlobalVariable(one.name, one.vendorGuid)).length,
    ).toBeGreaterThan(60);
  });

  it('has device paths that read, print and come back', () => {
    const paths = dumped.filter(
      (one) => findGlobalVariable(one.name, one.vendorGuid)?.shape === 'device path',
    );
    const texts = paths.map((one) => {
      const text = formatDevicePath(good(decodeDevicePath(one.data)).path);
      return `${one.name}: ${text.split(',PciRoot')[0] ?? ''}`;
    });
    const again = paths.map((one) => {
      const text = formatDevicePath(good(decodeDevicePath(one.data)).path);
      return encodeDevicePath(good(parseDevicePath(text)));
    });
    expect(again).toEqual(paths.map(({ data }) => data));
    expect(texts.toSorted()).toMatchInlineSnapshot(`
      [
        "ConIn: PciRoot(0x0)/Pci(0x1F,0x0)/Acpi(PNP0303,0x0)",
        "ConInDev: PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x0)/Uart(115200,8,N,1)/VenPcAnsi()",
        "ConOut: PciRoot(0x0)/Pci(0x1,0x0)/AcpiAdr(0x80010100)",
        "ConOutDev: PciRoot(0x0)/Pci(0x1,0x0)/AcpiAdr(0x80010100)",
        "ErrOut: PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x0)/Uart(115200,8,N,1)/VenPcAnsi()",
        "ErrOutDev: PciRoot(0x0)/Pci(0x1,0x0)/AcpiAdr(0x80010100)",
      ]
    `);
  });

  it('has load options that come back', () => {
    const options = liveRecords(volume).filter(({ name }) => /^Boot[0-9A-F]{4}$/.test(name));
    expect(options.length).toBeGreaterThan(44);
    for (const { data } of options) {
      expect(encodeLoadOption(good(decodeLoadOption(data)))).toEqual(data);
    }
  });
});
