// Sections added to PE images, and what is refused.
import { readFileSync } from 'node:fs';
import { requireTool } from '@systab/host-tools';
import { describe, expect, it } from 'vitest';
import { appendSections, dom0Kernel, ImageFormatError, unifiedImage } from '../src/index.ts';
import { hypervisorImage } from './dom0-run.ts';

interface Section {
  readonly name: string;
  readonly virtualSize: number;
  readonly virtualAddress: number;
  readonly rawSize: number;
  readonly rawPointer: number;
}

const view = (image: Uint8Array): DataView =>
  new DataView(image.buffer, image.byteOffset, image.byteLength);

const optionalHeader = (image: Uint8Array): number => view(image).getUint32(0x3c, true) + 24;

/** The section table, read independently of the code under test. */
const sectionsOf = (image: Uint8Array): readonly Section[] => {
  const data = view(image);
  const signature = data.getUint32(0x3c, true);
  const table = signature + 24 + data.getUint16(signature + 20, true);
  return Array.from({ length: data.getUint16(signature + 6, true) }, (_, index) => {
    const at = table + index * 40;
    return {
      name: new TextDecoder().decode(image.subarray(at, at + 8)).replace(/\0+$/u, ''),
      virtualSize: data.getUint32(at + 8, true),
      virtualAddress: data.getUint32(at + 12, true),
      rawSize: data.getUint32(at + 16, true),
      rawPointer: data.getUint32(at + 20, true),
    };
  });
};

const contents = (image: Uint8Array, { rawPointer, rawSize }: Section): Uint8Array =>
  image.slice(rawPointer, rawPointer + rawSize);

/** Everything a loader relies on: sections inside file and image, in order, aligned, headers before the first of them. */
const expectSound = (image: Uint8Array): void => {
  const data = view(image);
  const optional = optionalHeader(image);
  const alignment = data.getUint32(optional + 32, true);
  const fileAlignment = data.getUint32(optional + 36, true);
  const sizeOfImage = data.getUint32(optional + 56, true);
  const sizeOfHeaders = data.getUint32(optional + 60, true);
  const sections = sectionsOf(image);
  expect(sizeOfImage % alignment).toBe(0);
  let end = 0;
  for (const section of sections) {
    expect(section.virtualAddress).toBeGreaterThanOrEqual(end);
    end = section.virtualAddress + section.virtualSize;
    if (section.rawSize === 0) continue;
    expect(section.rawPointer % fileAlignment).toBe(0);
    expect(section.rawPointer).toBeGreaterThanOrEqual(sizeOfHeaders);
    expect(section.rawPointer + section.rawSize).toBeLessThanOrEqual(image.length);
  }
  expect(end).toBeLessThanOrEqual(sizeOfImage);
};

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('appendSections', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff);

  it('puts sections behind the others, in memory and in the file', () => {
    const before = hypervisorImage();
    const after = appendSections(before, [
      { name: '.one', bytes },
      { name: '.exactly', bytes: Uint8Array.of(7) },
    ]);
    expectSound(before);
    expectSound(after);
    const old = sectionsOf(before);
    const sections = sectionsOf(after);
    expect(sections.map(({ name }) => name)).toEqual([
      ...old.map(({ name }) => name),
      '.one',
      '.exactly',
    ]);
    for (const [index, section] of old.entries())
      expect(contents(after, sections[index] ?? section)).toEqual(contents(before, section));
    const one = sections.at(-2);
    expect(one && contents(after, one).subarray(0, 5000)).toEqual(bytes);
    expect(one?.virtualSize).toBe(5000);
    expect(before).toEqual(hypervisorImage());
  });

  it('makes room in the headers of xen.efi, where there is none', (context) => {
    const before = new Uint8Array(readFileSync(requireTool(context, 'xen')));
    const after = appendSections(before, [
      { name: '.config', bytes },
      { name: '.kernel', bytes },
    ]);
    expectSound(after);
    const old = sectionsOf(before);
    const sections = sectionsOf(after);
    expect(sections[0]?.rawPointer).toBeGreaterThan(old[0]?.rawPointer ?? Infinity);
    for (const [index, section] of old.entries()) {
      const moved = sections[index];
      expect(moved?.virtualAddress).toBe(section.virtualAddress);
      // The section that holds the debug directory has its file offsets corrected.
      const changed =
        moved &&
        contents(after, moved).filter((byte, at) => byte !== before[section.rawPointer + at]);
      expect(changed?.length).toBeLessThanOrEqual(section.name === '.buildid' ? 4 : 0);
    }
    // The debug directory points to the build id still.
    const debugAt = sections.find(({ name }) => name === '.buildid')?.rawPointer ?? 0;
    const pointer = view(after).getUint32(debugAt + 24, true);
    const oldDebugAt = old.find(({ name }) => name === '.buildid')?.rawPointer ?? 0;
    const oldPointer = view(before).getUint32(oldDebugAt + 24, true);
    expect(after.slice(pointer, pointer + 4)).toEqual(before.slice(oldPointer, oldPointer + 4));
    expect(view(after).getUint32(optionalHeader(after) + 64, true)).toBe(0);
  });

  it('can be applied again', () => {
    const once = appendSections(hypervisorImage(), [{ name: '.a', bytes }]);
    const twice = appendSections(once, [{ name: '.b', bytes }]);
    expectSound(twice);
    expect(sectionsOf(twice).slice(0, -1)).toEqual(sectionsOf(once));
  });

  const changed = (change: (data: DataView, signature: number) => void): Uint8Array => {
    const image = hypervisorImage();
    change(view(image), view(image).getUint32(0x3c, true));
    return image;
  };
  it.each([
    ['nothing', new Uint8Array(), 'offset 0x0: expected a DOS header, the file ends before'],
    ['an ELF file', dom0Kernel(), 'offset 0x0: expected MZ, the beginning of a PE image'],
    [
      'a pointer beyond the file',
      changed((data) => data.setUint32(0x3c, 0x7fff_fff0, true)),
      'offset 0x7ffffff0: expected PE headers, the file ends before',
    ],
    [
      'another signature',
      changed((data, at) => data.setUint32(at, 1, true)),
      'expected the signature PE',
    ],
    [
      'another processor',
      changed((data, at) => data.setUint16(at + 4, 0x14c, true)),
      'expected machine type 0x8664 (x64)',
    ],
    [
      'PE32',
      changed((data, at) => data.setUint16(at + 24, 0x10b, true)),
      'expected magic 0x20b (PE32+)',
    ],
    [
      'an alignment of 0',
      changed((data, at) => data.setUint32(at + 24 + 32, 0, true)),
      'expected a power of two as SectionAlignment',
    ],
    [
      'an alignment of 3',
      changed((data, at) => data.setUint32(at + 24 + 36, 3, true)),
      'expected a power of two as FileAlignment',
    ],
    [
      'more sections than bytes',
      changed((data, at) => data.setUint16(at + 6, 0xffff, true)),
      'expected a table of 65535 sections, the file ends before',
    ],
    [
      'no sections',
      changed((data, at) => data.setUint16(at + 6, 0, true)),
      'expected at least one section',
    ],
    [
      'a section beyond the file',
      hypervisorImage().slice(0, 0x1000),
      'expected section 0, the file ends before',
    ],
  ])('refuses %s, and says where', (_, image, why) => {
    const append = (): Uint8Array => appendSections(image, [{ name: '.a', bytes }], 'xen.efi');
    expect(append).toThrow(ImageFormatError);
    expect(append).toThrow(why);
    expect(append).toThrow(/^xen\.efi: offset 0x/u);
  });

  it('refuses names and contents that a section cannot have', () => {
    const add = (name: string, contentBytes: Uint8Array) => (): Uint8Array =>
      appendSections(hypervisorImage(), [{ name, bytes: contentBytes }]);
    expect(add('.toolong.', bytes)).toThrow(/'\.toolong\.': expected 1 to 8 ASCII characters/u);
    expect(add('', bytes)).toThrow(RangeError);
    expect(add('.ümlaut', bytes)).toThrow(RangeError);
    expect(add('.empty', new Uint8Array())).toThrow('section .empty is empty');
  });
});

describe('unifiedImage', () => {
  it('writes the configuration as the loader reads it', () => {
    const image = unifiedImage({
      hypervisor: hypervisorImage(),
      kernel: dom0Kernel(),
      options: 'noreboot loglvl=all',
      commandLine: 'one two',
    });
    const [config, kernel] = sectionsOf(image).slice(-2);
    expect(config && text(contents(image, config).subarray(0, config.virtualSize))).toBe(
      '[global]\ndefault=dom0\n[dom0]\noptions=noreboot loglvl=all\nkernel=dom0 one two\n',
    );
    expect(kernel && contents(image, kernel).subarray(0, kernel.virtualSize)).toEqual(dom0Kernel());
  });

  it('refuses text that would be another line of the configuration', () => {
    const parts = { hypervisor: hypervisorImage(), kernel: dom0Kernel() };
    expect(() => unifiedImage({ ...parts, options: 'a\nkernel=b' })).toThrow(
      'options: expected one line of text',
    );
    expect(() => unifiedImage({ ...parts, commandLine: 'a\0b' })).toThrow(
      'commandLine: expected one line of text',
    );
  });
});
