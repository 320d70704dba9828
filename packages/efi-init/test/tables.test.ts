import {
  ACPI_BGRT,
  byteSum,
  efiFail,
  EfiStatus,
  encodeEsrt,
  EV_NO_ACTION,
  guid,
  LINUX_EFI_TPM_EVENTLOG,
  MemoryType,
  TCG_ALGORITHM_SIZE,
  TCG_PCR_EVENT,
  TCG_SPEC_ID_EVENT,
  TCG_SPEC_ID_SIGNATURE,
  WellKnownGuid,
} from '@systab/efi-core';
import type { Bgrt, EsrtTable } from '@systab/efi-core';
import { describe, expect, it } from 'vitest';
import { bootParamsInitOps, decodeBootParams, encodeBootParams, initEfi } from '../src/index.ts';
import type { BootParams } from '../src/index.ts';
import { at, fakePlatform, PLAIN_MAP, region } from './fake-firmware.ts';
import type { FakeOptions } from './fake-firmware.ts';

const G = WellKnownGuid;
const boot = (fake: FakeOptions) => {
  const { tables, record } = fakePlatform(fake);
  const report = initEfi(tables);
  return { ...report, lines: report.log.map(({ text }) => text), record };
};

const ENTRY = {
  fwClass: guid('11111111-2222-3333-4444-555555555555'),
  fwType: 1,
  fwVersion: 5,
  lowestSupportedFwVersion: 3,
  capsuleFlags: 0,
  lastAttemptVersion: 0,
  lastAttemptStatus: 0,
};

describe('the ESRT', () => {
  const table = (count: number, version = 1n): EsrtTable => ({
    fwResourceCountMax: count,
    fwResourceVersion: version,
    entries: Array.from({ length: count }, () => ENTRY),
  });
  const withEsrt = (address: number, bytes: Uint8Array, fake: FakeOptions = {}) =>
    boot({
      configuration: [[G.EFI_SYSTEM_RESOURCE_TABLE_GUID, address]],
      memory: new Map([[address, bytes]]),
      ...fake,
    });

  it('in boot services memory keeps that memory', () => {
    const { efi, lines, record } = withEsrt(0x14_2010, encodeEsrt(table(2)));
    expect(efi.esrt).toEqual(table(2));
    expect(lines).toContain(
      'esrt: Reserving ESRT space from 0x0000000000142010 to 0x0000000000142070.',
    );
    expect(record.reserved.at(-1)).toEqual({
      range: { start: 0x14_2010, length: 96 },
      why: 'ESRT',
    });
    expect(record.freed[0]?.map((one) => [one.physicalStart, one.numberOfPages])).toEqual([
      [0x14_0000n, 2n],
      [0x14_3000n, 61n],
      [0x18_0000n, 16n],
    ]);
    const mapped = record.pageTables[0]?.filter(({ phys }) => phys === 0x14_2000);
    expect(mapped).toHaveLength(2);
  });

  it('in runtime memory needs nothing more', () => {
    const { efi, record } = withEsrt(0x11_8000, encodeEsrt(table(128)));
    expect(efi.esrt?.entries).toHaveLength(128);
    expect(record.reserved.map(({ why }) => why)).toEqual(['memory map']);
  });

  it('is refused where it cannot be true', () => {
    const cases: readonly (readonly [number, Uint8Array, RegExp])[] = [
      [0x19_0000, encodeEsrt(table(1)), /not in the memory map/],
      [0xb_0000, encodeEsrt(table(1)), /not in the memory map/],
      [0x11_fff8, encodeEsrt(table(0)), /header doesn't fit/],
      [0x11_ffe0, encodeEsrt(table(1)), /does not fit on single memory map entry/],
      [0x11_8000, encodeEsrt(table(1, 2n)), /Unsupported ESRT version 2/],
      [0x11_8000, encodeEsrt(table(129)), /very large value 129/],
    ];
    for (const [address, bytes, message] of cases) {
      const { efi, lines } = withEsrt(address, bytes);
      expect(efi.esrt).toBeUndefined();
      expect(lines.join('\n')).toMatch(message);
    }
  });
});

describe('measurement logs', () => {
  const event = (size: number): Uint8Array => {
    const head = TCG_PCR_EVENT.encode({
      pcrIndex: 0,
      eventType: 8,
      digest: new Uint8Array(20),
      eventDataSize: size,
    });
    return Uint8Array.from([...head, ...new Uint8Array(size)]);
  };
  const withLog = (log: Uint8Array, size = log.length) =>
    boot({
      configuration: [
        [G.LINUX_EFI_TPM_EVENT_LOG_GUID, 0x14_4000],
        [G.EFI_TCG2_FINAL_EVENTS_TABLE_GUID, 0x14_8000],
      ],
      memory: new Map([
        [
          0x14_4000,
          Uint8Array.from([
            ...LINUX_EFI_TPM_EVENTLOG.encode({ size, finalEventsPrebootSize: 0, version: 1 }),
            ...log,
          ]),
        ],
      ]),
    });

  it('are counted and kept', () => {
    const { tpm, record } = withLog(Uint8Array.from([...event(4), ...event(0)]));
    expect(tpm).toEqual({ events: 2, finalEvents: undefined });
    expect(record.reserved).toContainEqual({
      range: { start: 0x14_4000, length: 9 + 68 },
      why: 'TPM event log',
    });
  });

  describe('of the crypto agile kind', () => {
    const spec = TCG_SPEC_ID_EVENT.encode({
      signature: TCG_SPEC_ID_SIGNATURE,
      platformClass: 0,
      specVersionMinor: 0,
      specVersionMajor: 2,
      specErrata: 2,
      uintnSize: 2,
      numberOfAlgorithms: 1,
    });
    const sha1 = TCG_ALGORITHM_SIZE.encode({ algorithmId: 4, digestSize: 20 });
    const data = [...spec, ...sha1, 0];
    const first = Uint8Array.from([
      ...TCG_PCR_EVENT.encode({
        pcrIndex: 0,
        eventType: EV_NO_ACTION,
        digest: new Uint8Array(20),
        eventDataSize: data.length,
      }),
      ...data,
    ]);
    // PCR 7, type 1, one SHA-1 digest, no data.
    const later = [7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, ...new Uint8Array(20), 0, 0, 0, 0];
    const finals = (count: number): Uint8Array =>
      Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 0, 0, 0, 0, ...later, ...later]);
    const final = (address: number, bytes: Uint8Array) =>
      boot({
        configuration: [
          [G.LINUX_EFI_TPM_EVENT_LOG_GUID, 0x14_4000],
          [G.EFI_TCG2_FINAL_EVENTS_TABLE_GUID, address],
        ],
        memory: new Map([
          [
            0x14_4000,
            Uint8Array.from([
              ...LINUX_EFI_TPM_EVENTLOG.encode({
                size: first.length,
                finalEventsPrebootSize: 0,
                version: 2,
              }),
              ...first,
            ]),
          ],
          [address, bytes],
        ]),
      });

    it('have final events behind them', () => {
      const { tpm, record, lines } = final(0x14_8000, finals(2));
      expect(tpm).toEqual({ events: 1, finalEvents: 2 });
      expect(record.reserved).toContainEqual({
        range: { start: 0x14_8000, length: 16 + 2 * later.length },
        why: 'TPM final events',
      });
      expect(lines.join('\n')).not.toMatch(/Failed/);
      expect(final(0x14_8000, finals(0)).tpm.finalEvents).toBe(0);
    });

    it('may list more final events than there are', () => {
      const { tpm, lines } = final(
        0x14_8000,
        Uint8Array.from([...finals(5), ...Array(16).fill(0xff)]),
      );
      expect(tpm.finalEvents).toBe(2);
      expect(lines).toContain('efi: [Firmware Bug]: Failed to parse event in TPM Final Events Log');
    });

    it('may have them at the end of memory, or where there is none', () => {
      expect(final(0x1f_e000, finals(2)).tpm.finalEvents).toBe(2);
      const { tpm, lines } = final(0x1f_fff8, new Uint8Array(8));
      expect(tpm).toEqual({ events: 1, finalEvents: undefined });
      expect(lines).toContain('efi: Failed to map TPM Final Event Log table @ 0x1ffff8');
    });
  });

  it('that lie about their size are not', () => {
    const cut = withLog(event(4).subarray(0, 30));
    expect(cut.tpm.events).toBeUndefined();
    expect(cut.lines.join('\n')).toMatch(/Failed to parse event in TPM Event Log/);
    const huge = withLog(event(4), 0xffff_ffff);
    expect(huge.lines.join('\n')).toMatch(/Failed to map TPM Event Log table @ 0x144000/);
    expect(huge.record.reserved.map(({ why }) => why)).not.toContain('TPM event log');
  });
});

/** `bytes` with the byte at `offset` set so that all add up to 0. */
const summed = (bytes: Uint8Array, offset: number): Uint8Array => {
  const copy = bytes.slice();
  copy[offset] = 0;
  copy[offset] = (0x100 - byteSum(copy)) & 0xff;
  return copy;
};

describe('the logo', () => {
  const header = (signature: string, length: number) => ({
    signature,
    length,
    revision: 1,
    checksum: 0,
    oemId: 'SYSTAB',
    oemTableId: 'SYSTAB  ',
    oemRevision: 1,
    creatorId: 'TEST',
    creatorRevision: 1,
  });
  const IMAGE_AT = 0x15_0000;
  const logo: Bgrt = {
    header: header('BGRT', 56),
    version: 1,
    status: 1,
    imageType: 0,
    imageAddress: BigInt(IMAGE_AT),
    imageOffsetX: 0,
    imageOffsetY: 0,
  };
  const ascii = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
  const withLogo = (
    change: Partial<Bgrt> = {},
    image: readonly number[] = [0x42, 0x4d, 0, 8, 0, 0],
  ) => {
    const rsdp = new Uint8Array(36);
    rsdp.set([...ascii('RSD PTR '), 0, ...ascii('SYSTAB'), 2]);
    const view = new DataView(rsdp.buffer);
    view.setUint32(20, 36, true);
    view.setBigUint64(24, 0x12_1000n, true);
    const first = summed(rsdp.subarray(0, 20), 8);
    rsdp.set(first);
    const xsdt = new Uint8Array(52);
    xsdt.set(ascii('XSDT'));
    const pointers = new DataView(xsdt.buffer);
    pointers.setUint32(4, 52, true);
    pointers.setBigUint64(36, 0x12_3000n, true);
    pointers.setBigUint64(44, 0x12_2000n, true);
    return boot({
      configuration: [[G.EFI_ACPI_20_TABLE_GUID, 0x12_0000]],
      memory: new Map<number, Uint8Array>([
        [0x12_0000, summed(rsdp, 32)],
        [0x12_1000, xsdt],
        [0x12_2000, ACPI_BGRT.encode({ ...logo, ...change })],
        [IMAGE_AT, Uint8Array.from(image)],
      ]),
    });
  };

  it('keeps its memory', () => {
    const { bgrt, record } = withLogo();
    expect(bgrt?.size).toBe(0x800);
    expect(bgrt?.table.imageAddress).toBe(BigInt(IMAGE_AT));
    expect(record.reserved.at(-1)).toEqual({
      range: { start: IMAGE_AT, length: 0x800 },
      why: 'BGRT image',
    });
    expect(record.freed[0]?.some(({ physicalStart: start }) => start === BigInt(IMAGE_AT))).toBe(
      false,
    );
  });

  it('is ignored when anything about it is wrong', () => {
    const lines = (change: Partial<Bgrt>, image?: readonly number[]): string => {
      const report = withLogo(change, image);
      expect(report.bgrt).toBeUndefined();
      return report.lines.find((line) => line.startsWith('efi_bgrt')) ?? '';
    };
    expect(lines({ version: 2 })).toBe('efi_bgrt: Ignoring BGRT: version');
    expect(lines({ imageAddress: 0x19_0000n })).toMatch(/invalid image address/);
    expect(lines({ imageAddress: 1n << 60n })).toMatch(/invalid image address/);
    expect(lines({}, [0x43, 0x4d, 0, 8, 0, 0])).toMatch(/magic/);
  });

  it('that would leave its descriptor keeps nothing', () => {
    const { lines } = withLogo({}, [0x42, 0x4d, 0, 0, 0, 1]);
    expect(lines).toContain('efi: Region spans EFI memory descriptors, 0x150000');
  });
});

describe('boot_params', () => {
  const params: BootParams = {
    systemTable: { address: at(0x1_2345_6789_0000), width: 64 },
    memoryMap: { address: at(0x8000_0000), size: 480, descriptorSize: 48, descriptorVersion: 1 },
    secureBoot: 'enabled',
    e820: [
      { start: 0n, size: 0x9_fc00n, type: 1 },
      { start: 0x1_0000_0000n, size: 0x4000_0000n, type: 1 },
    ],
  };

  it('come back as they were written', () => {
    expect(decodeBootParams(encodeBootParams(params))).toEqual({ ok: true, value: params });
    const empty: BootParams = {
      systemTable: undefined,
      memoryMap: undefined,
      secureBoot: 'unset',
      e820: [],
    };
    expect(decodeBootParams(encodeBootParams(empty))).toEqual({ ok: true, value: empty });
    expect(encodeBootParams(empty).every((byte) => byte === 0)).toBe(true);
  });

  it('have their fields where the boot protocol has them', () => {
    const bytes = encodeBootParams(params);
    const view = new DataView(bytes.buffer);
    expect(String.fromCharCode(...bytes.subarray(0x1c0, 0x1c4))).toBe('EL64');
    expect(view.getUint32(0x1c4, true)).toBe(0x6789_0000);
    expect(view.getUint32(0x1d8, true)).toBe(0x1_2345);
    expect(view.getUint32(0x1d0, true)).toBe(0x8000_0000);
    expect([view.getUint32(0x1c8, true), view.getUint32(0x1d4, true)]).toEqual([48, 480]);
    expect([view.getUint8(0x1e8), view.getUint8(0x1ec)]).toEqual([2, 3]);
    expect(view.getBigUint64(0x2d0 + 20, true)).toBe(0x1_0000_0000n);
  });

  it('with garbage in them are an error value', () => {
    expect(decodeBootParams(new Uint8Array(4095)).ok).toBe(false);
    const far = encodeBootParams(params);
    new DataView(far.buffer).setUint32(0x1d8, 0xffff_ffff, true);
    expect(decodeBootParams(far)).toMatchObject({ ok: false });
    const many = encodeBootParams(params);
    many[0x1e8] = 129;
    expect(decodeBootParams(many)).toMatchObject({ error: { found: '129' } });
    const e820 = Array.from({ length: 129 }, () => ({ start: 0n, size: 1n, type: 1 }));
    expect(() => encodeBootParams({ ...params, e820 })).toThrow(RangeError);
  });

  it('can stand in for a platform that finds nothing by itself', () => {
    const { systemTable, memoryMap } = params;
    const ops = bootParamsInitOps(params);
    expect(ops.locateSystemTable()).toEqual({ ok: true, value: systemTable });
    expect(ops.locateMemoryMap()).toEqual({ ok: true, value: memoryMap });
    const none = bootParamsInitOps({ ...params, systemTable: undefined, memoryMap: undefined });
    expect(none.locateSystemTable()).toMatchObject({ ok: false });
    expect(none.locateMemoryMap()).toMatchObject({ ok: false });
    const { tables } = fakePlatform({ init: none });
    expect(initEfi(tables).efi.facilities.list()).toEqual([]);
  });
});

describe('a platform that cannot keep or free memory', () => {
  it('boots on, with a line for each thing it could not do', () => {
    const failing = () => efiFail(EfiStatus.OUT_OF_RESOURCES, { why: 'no room' });
    const { lines, efi, record } = boot({
      init: { reserveMemory: failing, reserveBootServices: failing },
    });
    expect(lines).toContain('efi: Could not reserve the memory map');
    expect(lines).toContain('efi: Could not reserve boot services memory: no room');
    expect(efi.facilities.enabled('EFI_RUNTIME_SERVICES')).toBe(true);
    // What was not kept back is not handed over either.
    expect(record.freed).toEqual([]);
    const stuck = boot({ init: { freeBootServices: failing } });
    expect(stuck.lines).toContain('efi: Could not free boot services memory: no room');
    expect(stuck.record.pageTables).toEqual([]);
    expect(stuck.efi.facilities.enabled('EFI_PRESERVE_BS_REGIONS')).toBe(true);
  });
});

describe('a reservation', () => {
  it('in memory of another type is refused with a line', () => {
    const map = PLAIN_MAP.map((one) =>
      one.type === MemoryType.EfiBootServicesData ? region(2, 0x14_0000, 0x18_0000) : one,
    );
    const { efi, lines } = boot({
      map,
      configuration: [[G.EFI_SYSTEM_RESOURCE_TABLE_GUID, 0x14_2000]],
    });
    expect(efi.esrt).toBeUndefined();
    expect(lines.join('\n')).toMatch(/not in the memory map/);
  });
});
