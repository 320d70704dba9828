import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { requireTool } from '@systab/host-tools';
import { describe, expect, it } from 'vitest';
import {
  decodeDevicePath,
  decodeLoadOption,
  decodeLoadOrder,
  decodeVariableVolume,
  describeDevicePathNode,
  encodeDevicePath,
  encodeLoadOption,
  encodeLoadOrder,
  formatDevicePath,
  formatDevicePathNode,
  liveRecords,
  LoadOptionAttribute,
  DEVICE_PATH_ROWS,
  parseDevicePath,
} from '../src/index.ts';
import type { Decoded, DevicePath } from '../src/index.ts';

const good = <T>(result: Decoded<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const GUID_A = '4aafd29d-68df-49ee-8aa9-347d375665a7';

describe('device path text', () => {
  it.each(['HD(1', 'PciRoot(0x0)/Pci(0x1', 'HD(1,GPT)/a)', 'UsbWwid(0x1,0x2,0x3,"4C)'])(
    '%s, which does not close what it opens, is no file name',
    (text) => {
      expect(parseDevicePath(text)).toMatchObject({
        ok: false,
        error: { structure: 'device path text', expected: 'a device path node' },
      });
    },
  );

  // Each text with the node bytes UEFI 2.10, section 10.3 gives it (end node left out).
  it.each([
    ['Pci(0x1F,0x2)', '01010600021f'],
    ['PcCard(0x3)', '0102050003'],
    ['MemoryMapped(0xB,0xFFC00000,0xFFC83FFF)', '010318000b0000000000c0ff00000000ff3fc8ff00000000'],
    [`VenHw(${GUID_A})`, '010414009dd2af4adf68ee498aa9347d375665a7'],
    [`VenHw(${GUID_A},01ff)`, '010416009dd2af4adf68ee498aa9347d375665a701ff'],
    ['Ctrl(0x1)', '0105080001000000'],
    ['PciRoot(0x0)', '02010c00d041030a00000000'],
    ['PcieRoot(0x1)', '02010c00d041080a01000000'],
    ['Keyboard(0x0)', '02010c00d041010300000000'],
    ['Acpi(PNP0C02,0x7)', '02010c00d041020c07000000'],
    ['Acpi(0x01234567,0x7)', '02010c006745230107000000'],
    ['AcpiEx(PNP0A03,0x00000000,0x0,,,X)', '02021400d041030a000000000000000000580000'],
    ['AcpiAdr(0x80010100,0x1)', '02030c000001018001000000'],
    ['Ata(Secondary,Master,0x0)', '0301080001000000'],
    ['Scsi(0x1,0x2)', '0302080001000200'],
    ['USB(0x1,0x0)', '030506000100'],
    ['VenPcAnsi()', '030a14005347c1e0bef9d2119a0c0090273fc14d'],
    ['UartFlowCtrl(Hardware)', '030a18009d9a49372f54894ca02635da142094e401000000'],
    ['MAC(525400123456,0x1)', `030b2500525400123456${'00'.repeat(26)}01`],
    [
      'IPv4(10.0.2.2,TCP,DHCP,10.0.2.15,0.0.0.0,255.255.255.0)',
      '030c1b000a00020f0a00020200000000060000 00000000 ffffff00',
    ],
    ['Uart(115200,8,N,1)', '030e13000000000000c2010000000000080101'],
    ['UsbHID(0x46D,0xC077,0x1,0x2)', '030f0b006d0477c0030102'],
    ['I1394(00A0B00012345678)', '03041000 00000000 7856341200b0a000'],
    ['UsbClass(0xFFFF,0xFFFF,0xFE,0x9,0x1)', '030f0b00fffffffffe0901'],
    ['UsbWwid(0x781,0x5581,0x0,"4C53")', '031012000000810781553400430035003300'],
    ['Unit(0x0)', '0311050000'],
    ['Sata(0x0,0xFFFF,0x0)', '03120a000000ffff0000'],
    [
      'iSCSI(iqn.2001-04.com.example:disk,0x1,0x0001000000000000,None,CRC32C,CHAP_UNI,TCP)',
      '03132e00000008100001000000000000 0100' +
        Buffer.from('iqn.2001-04.com.example:disk').toString('hex'),
    ],
    ['Vlan(100)', '031406006400'],
    ['NVMe(0x1,00-25-38-5B-71-00-AA-11)', '0317100001000000 11aa00715b382500'],
    [
      'Uri(http://boot.example/a(1),b.efi)',
      '03182200' + Buffer.from('http://boot.example/a(1),b.efi').toString('hex'),
    ],
    ['Bluetooth(001122aabbcc)', '031b0a00001122aabbcc'],
    [
      `HD(1,GPT,${GUID_A},0x800,0x100000)`,
      '04012a0001000000 0008000000000000 0000100000000000 9dd2af4adf68ee498aa9347d375665a7 0202',
    ],
    [
      'HD(2,MBR,0xAABBCCDD,0x3F,0x1000)',
      `04012a00020000003f000000000000000010000000000000ddccbbaa ${'00'.repeat(12)} 0101`,
    ],
    ['CDROM(0x0,0x12,0x34)', '04021800000000001200000000000000 3400000000000000'],
    ['\\EFI\\BOOT', '04041800' + Buffer.from('\\EFI\\BOOT\0', 'utf16le').toString('hex')],
    [`FvFile(${GUID_A})`, '040614009dd2af4adf68ee498aa9347d375665a7'],
    [`Fv(${GUID_A})`, '040714009dd2af4adf68ee498aa9347d375665a7'],
    ['Offset(0x10,0x20)', '04081800000000001000000000000000 2000000000000000'],
    [
      'VirtualCD(0x1000,0x1FFF,0)',
      '040926000010000000000000ff1f000000000000 30bd5a3d7541ce876d64d2ade523c4bb 0000',
    ],
    ['BBS(HD,Disk 1,0x4)', '05010f00020004004469736b203100'],
    ['Msg(10,0102)', '030a06000102'],
    ['Path(6,9,ff)', '06090500ff'],
    // The rest of the rows, built with Python's struct, apart from this code.
    ['UsbAudio(0x1,0x2,0x3,0x4)', '030f0b0001000200010304'],
    ['UsbCDCControl(0x1,0x2,0x3,0x4)', '030f0b0001000200020304'],
    ['UsbHID(0x1,0x2,0x3,0x4)', '030f0b0001000200030304'],
    ['UsbImage(0x1,0x2,0x3,0x4)', '030f0b0001000200060304'],
    ['UsbPrinter(0x1,0x2,0x3,0x4)', '030f0b0001000200070304'],
    ['UsbMassStorage(0x1,0x2,0x3,0x4)', '030f0b0001000200080304'],
    ['UsbHub(0x1,0x2,0x3,0x4)', '030f0b0001000200090304'],
    ['UsbCDCData(0x1,0x2,0x3,0x4)', '030f0b00010002000a0304'],
    ['UsbSmartCard(0x1,0x2,0x3,0x4)', '030f0b00010002000b0304'],
    ['UsbVideo(0x1,0x2,0x3,0x4)', '030f0b00010002000e0304'],
    ['UsbDiagnostic(0x1,0x2,0x3,0x4)', '030f0b0001000200dc0304'],
    ['UsbWireless(0x1,0x2,0x3,0x4)', '030f0b0001000200e00304'],
    ['UsbDeviceFirmwareUpdate(0x1,0x2,0x4)', '030f0b0001000200fe0104'],
    ['UsbIrdaBridge(0x1,0x2,0x4)', '030f0b0001000200fe0204'],
    ['UsbTestAndMeasurement(0x1,0x2,0x4)', '030f0b0001000200fe0304'],
    ['Floppy(0x1)', '02010c00d041040601000000'],
    ['Serial(0x1)', '02010c00d041010501000000'],
    ['ParallelPort(0x1)', '02010c00d041010401000000'],
    ['VenVt100()', '030a14006560a6df19b4d3119a2d0090273fc14d'],
    ['VenVt100Plus()', '030a14000bc7ae7be057764c8e872f9e28088343'],
    ['VenUtf8()', '030a1400d6a015adec8bcf4aa073d01de77e2d88'],
    ['DebugPort()', '030a1400d2e8a4eb5838ec41a2812647ba9660d0'],
    [
      'VirtualDisk(0x1,0x2,3)',
      '04092600010000000000000002000000000000005a53ab77fc454b625560f7b281d1f96e0300',
    ],
    [
      'PersistentVirtualDisk(0x1,0x2,3)',
      '0409260001000000000000000200000000000000c902ea5c074dd369269f4496fbe096f90300',
    ],
    [
      'PersistentVirtualCD(0x1,0x2,3)',
      '040926000100000000000000020000000000000088810108cd4248bb100f5387d53ded3d0300',
    ],
    [
      'RamDisk(0x1,0x2,3,4aafd29d-68df-49ee-8aa9-347d375665a7)',
      '04092600010000000000000002000000000000009dd2af4adf68ee498aa9347d375665a70300',
    ],
    ['Fibre(0x1,0x2)', '030318000000000001000000000000000200000000000000'],
    [
      'FibreEx(0x0102030405060708,0x1112131415161718)',
      '031518000000000001020304050607081112131415161718',
    ],
    [
      'Infiniband(0x1,4aafd29d-68df-49ee-8aa9-347d375665a7,0x2,0x3,0x4)',
      '03093000010000009dd2af4adf68ee498aa9347d375665a7020000000000000003000000000000000400000000000000',
    ],
    ['I2O(0x5)', '0306080005000000'],
    ['UFS(0x1,0x2)', '031906000102'],
    ['SD(0x1)', '031a050001'],
    ['eMMC(0x2)', '031d050002'],
    ['BluetoothLE(001122aabbcc,0x1)', '031e0b00001122aabbcc01'],
    ['NVDIMM(4aafd29d-68df-49ee-8aa9-347d375665a7)', '032014009dd2af4adf68ee498aa9347d375665a7'],
    ['Media(4aafd29d-68df-49ee-8aa9-347d375665a7)', '040514009dd2af4adf68ee498aa9347d375665a7'],
    [
      'VenMedia(4aafd29d-68df-49ee-8aa9-347d375665a7,05)',
      '040315009dd2af4adf68ee498aa9347d375665a705',
    ],
    ['BMC(0x1,0x1234)', '01060d00013412000000000000'],
    ['Wi-Fi(mynet)', '031c24006d796e6574000000000000000000000000000000000000000000000000000000'],
    [
      'IPv6(2001:0db8:0000:0000:0000:0000:0000:0001,UDP,StatefulAutoConfigure,fe80:0000:0000:0000:0000:0000:0000:0001,fe80:0000:0000:0000:0000:0000:0000:0002,0x40)',
      '030d3c00fe80000000000000000000000000000120010db80000000000000000000000010000000011000240fe800000000000000000000000000002',
    ],
    ['UsbWwid(0x1,0x2,0x3,"ab")', '03100e0003000100020061006200'],
    ['AcpiEx(PNP0A03,PNP0C02,0x5,A,B,C)', '02021600d041030a05000000d041020c410043004200'],
    [
      'MAC(abababababababababababababababababababababababababababababababab,0x6)',
      '030b2500abababababababababababababababababababababababababababababababab06',
    ],
    ['BBS(0x80,x,0x0)', '05010a00800000007800'],
  ])('%s', (text, node) => {
    const bytes = unhex(`${node}7fff0400`);
    const { path, size } = good(decodeDevicePath(bytes));
    expect(size).toBe(bytes.length);
    expect(formatDevicePath(path)).toBe(text);
    expect(hex(encodeDevicePath(good(parseDevicePath(text))))).toBe(hex(bytes));
  });

  it.each([
    ['pciroot with a decimal number', 'PciRoot(0)/Pci(31,2)', 'PciRoot(0x0)/Pci(0x1F,0x2)'],
    ['File()', 'File(\\EFI\\a b.efi)', '\\EFI\\a b.efi'],
    ['a missing UID', 'PciRoot()', 'PciRoot(0x0)'],
    [
      'missing gateway and mask',
      'IPv4(1.2.3.4,UDP,Static,1.2.3.5)',
      'IPv4(1.2.3.4,UDP,Static,1.2.3.5,0.0.0.0,0.0.0.0)',
    ],
    [
      'short IPv6 groups',
      'IPv6(2001:db8:0:0:0:0:0:1,0x6,Static,fe80:0:0:0:0:0:0:1)',
      'IPv6(2001:0db8:0000:0000:0000:0000:0000:0001,TCP,Static,fe80:0000:0000:0000:0000:0000:0000:0001,0000:0000:0000:0000:0000:0000:0000:0000,0x0)',
    ],
    ['upper-case GUIDs', `Fv(${GUID_A.toUpperCase()})`, `Fv(${GUID_A})`],
    ['the generic words', 'HardwarePath(1,0200)', 'Pci(0x0,0x2)'],
    ['a MAC with a decimal type', 'MAC(001122334455,1)', 'MAC(001122334455,0x1)'],
    ['spaces around nodes', 'PciRoot(0x0) / Pci(0x1, 0x2)', 'PciRoot(0x0)/Pci(0x1,0x2)'],
    ['an EISA identifier of another vendor', 'Acpi(ACP0003,1)', 'Acpi(0x00030470,0x1)'],
  ])('reads %s', (_, text, canonical) => {
    expect(formatDevicePath(good(parseDevicePath(text)))).toBe(canonical);
  });

  it('joins nodes and instances', () => {
    const text = 'PciRoot(0x0)/Pci(0x1,0x1)/Ata(Primary,Master,0x0),VenPcAnsi()/Uart(9600,8,N,1)';
    const path = good(parseDevicePath(text));
    expect(path.map((instance) => instance.length)).toEqual([3, 2]);
    expect(formatDevicePath(path)).toBe(text);
    expect(good(decodeDevicePath(encodeDevicePath(path))).path).toEqual(path);
    expect(good(parseDevicePath(''))).toEqual([[]]);
  });

  it.each([
    ['Pci(0x1F)', 0],
    ['PciRoot(0x0)/Pci(0x100,0x0)', 13],
    ['PciRoot(0x0)/Nonsense(1)', 13],
    ['PciRoot(0x0)//Pci(0,0)', 13],
    ['Fv(not-a-guid)', 0],
    ['VenHw(4aafd29d-68df-49ee-8aa9-347d375665a7,abc)', 0],
    ['IPv4(1.2.3.400,UDP,Static,1.2.3.5)', 0],
    ['HD(1,GPT,0x1234,0x0,0x0)', 0],
    ['Path(127,255)', 0],
    ['Path(1)', 0],
    ['Path(300,1)', 0],
    ['Pci(0,0,0)', 0],
    ['Ata(Third,Master,0x0)', 0],
  ])('refuses %s and says where', (text, offset) => {
    expect(parseDevicePath(text)).toMatchObject({ ok: false, error: { offset } });
  });

  it('falls back to the generic form for bytes no form fits', () => {
    const node = (type: number, subType: number, data: string): string =>
      formatDevicePathNode({ type, subType, data: unhex(data) });
    expect(node(1, 1, '0102ff')).toBe('HardwarePath(1,0102ff)');
    expect(node(3, 12, `${'00'.repeat(8)}5000${'00'.repeat(13)}`)).toBe(
      `Msg(12,${'00'.repeat(8)}5000${'00'.repeat(13)})`,
    );
    expect(node(4, 4, '')).toBe('MediaPath(4)');
    expect(node(4, 4, hex(Buffer.from('a/b\0', 'utf16le')))).toMatch(/^MediaPath\(4,/);
    expect(node(4, 4, hex(Buffer.from('Pci(1,2)\0', 'utf16le')))).toMatch(/^MediaPath\(4,/);
    expect(node(4, 4, hex(Buffer.from('un"paired\0', 'utf16le')))).toMatch(/^MediaPath\(4,/);
    expect(node(4, 4, hex(Buffer.from('no end', 'utf16le')))).toMatch(/^MediaPath\(4,/);
    expect(node(0, 0, '')).toBe('Path(0,0)');
  });

  it('names the fields of a node', () => {
    expect(describeDevicePathNode({ type: 1, subType: 1, data: unhex('021f') })).toEqual({
      keyword: 'Pci',
      fields: [
        { name: 'device', text: '0x1F' },
        { name: 'function', text: '0x2' },
      ],
    });
    expect(describeDevicePathNode({ type: 9, subType: 9, data: unhex('') })).toBeUndefined();
  });

  it('has a text for every row, which reads back as that row', () => {
    expect(DEVICE_PATH_ROWS.length).toBeGreaterThan(60);
    for (const row of DEVICE_PATH_ROWS) {
      expect(row.order.every((name) => name in row.pieces)).toBe(true);
      const hidden = Object.keys(row.pieces).filter((name) => !row.order.includes(name));
      expect(hidden.every((name) => row.pieces[name]?.arity === 0)).toBe(true);
    }
  });

  const node = fc.record({
    type: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(0x7e, 0x80, 0xff)),
    subType: fc.integer({ min: 0, max: 40 }),
    data: fc.uint8Array({ maxLength: 60 }),
  });
  // Nodes whose bytes follow the rows, so that the special forms are met too.
  const shaped = fc.constantFrom(...DEVICE_PATH_ROWS).chain((row) =>
    fc
      .tuple(
        ...Object.values(row.pieces).map((piece) => {
          const size = typeof piece.size === 'number' ? piece.size : 8;
          const fixed = piece.arity === 0 ? piece.parse('') : undefined;
          return fixed === undefined
            ? fc.uint8Array({ minLength: size, maxLength: size, max: 0x80 })
            : fc.constant(fixed);
        }),
      )
      .map((parts) => ({
        type: row.type,
        subType: row.subType,
        data: Uint8Array.from(parts.flatMap((part) => [...part])),
      })),
  );
  const paths = fc.array(fc.array(fc.oneof(node, shaped), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 3,
  });

  it('gives every path back through its bytes and through its text', () => {
    fc.assert(
      fc.property(paths, (path: DevicePath) => {
        const bytes = encodeDevicePath(path);
        expect(good(decodeDevicePath(bytes))).toEqual({ path, size: bytes.length });
        expect(good(parseDevicePath(formatDevicePath(path)))).toEqual(path);
      }),
      { numRuns: 400 },
    );
  });

  it('has a word for each known value of a field with words', () => {
    const first = (text: string): unknown => good(parseDevicePath(text))[0]?.[0]?.data.at(0);
    const bbs = ['Floppy', 'HD', 'CDROM', 'PCMCIA', 'USB', 'Network'];
    expect(bbs.map((word) => first(`BBS(${word},x,0)`))).toEqual([1, 2, 3, 4, 5, 6]);
    const parity = Array.from('DNEOMS', (word) => good(parseDevicePath(`Uart(1,8,${word},1)`)));
    expect(parity.map((path) => path[0]?.[0]?.data.at(13))).toEqual([0, 1, 2, 3, 4, 5]);
    const stop = ['D', '1', '1.5', '2'].map((word) => good(parseDevicePath(`Uart(1,8,N,${word})`)));
    expect(stop.map((path) => path[0]?.[0]?.data.at(14))).toEqual([0, 1, 2, 3]);
    const options = (text: string): unknown =>
      good(parseDevicePath(`iSCSI(t,0,${'00'.repeat(8)},${text},TCP)`))[0]?.[0]?.data.slice(2, 4);
    expect(options('None,None,None')).toEqual(Uint8Array.of(0, 8));
    expect(options('CRC32C,None,CHAP_BI')).toEqual(Uint8Array.of(2, 0));
    expect(options('None,CRC32C,CHAP_UNI')).toEqual(Uint8Array.of(8, 0x10));
    expect(parseDevicePath('iSCSI(t,0,0000000000000000,Maybe,None,None,TCP)').ok).toBe(false);
  });

  it('takes nodes of any size in its stride', () => {
    const data = new Uint8Array(0xfff0).fill(0x61);
    for (const subType of [24, 10, 28, 19]) {
      const path = [[{ type: 3, subType, data }]];
      expect(good(parseDevicePath(formatDevicePath(path)))).toEqual(path);
    }
    expect(parseDevicePath(`Pci(0,${'9'.repeat(1_000_000)})`)).toMatchObject({ ok: false });
    expect(() =>
      encodeDevicePath([[{ type: 3, subType: 24, data: new Uint8Array(0xfffc) }]]),
    ).toThrow(RangeError);
  });

  it('never throws for text or bytes', () => {
    const words = fc.constantFrom(
      'Pci(',
      ')',
      ',',
      '/',
      '"',
      'HD(1,GPT',
      '\\',
      '0x',
      'Path(1,1,',
      GUID_A,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 8 }), (parts) => {
        expect(() => parseDevicePath(parts.join(''))).not.toThrow();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(() => decodeDevicePath(bytes)).not.toThrow();
        expect(() => decodeLoadOption(bytes)).not.toThrow();
      }),
    );
  });
});

describe('device path bytes', () => {
  it.each([
    ['7f', 0, 'EFI_DEVICE_PATH_PROTOCOL.subType'],
    ['01010300', 2, 'EFI_DEVICE_PATH_PROTOCOL.length'],
    ['01010700021f', 2, 'EFI_DEVICE_PATH_PROTOCOL.length'],
    ['01010600021f', 6, 'EFI_DEVICE_PATH_PROTOCOL.type'],
    ['7f020400', 0, 'end node'],
    ['7fff0500aa', 0, 'end node'],
  ])('%s is an error at %i', (bytes, offset, structure) => {
    expect(decodeDevicePath(unhex(bytes))).toMatchObject({ error: { offset, structure } });
  });
});

describe('load options', () => {
  const option = {
    attributes: LoadOptionAttribute.ACTIVE,
    description: 'debian',
    filePaths: [
      good(parseDevicePath(`HD(1,GPT,${GUID_A},0x800,0x100000)/\\EFI\\debian\\shimx64.efi`)),
    ],
    optionalData: Uint8Array.of(1, 2, 3),
  };

  it('come back from their bytes, garbage and all', () => {
    const bytes = encodeLoadOption(option);
    expect(good(decodeLoadOption(bytes))).toEqual(option);
    const two = { ...option, filePaths: [...option.filePaths, ...option.filePaths] };
    expect(good(decodeLoadOption(encodeLoadOption(two)))).toEqual(two);
    const none = { ...option, filePaths: [], optionalData: new Uint8Array() };
    expect(good(decodeLoadOption(encodeLoadOption(none)))).toEqual(none);
  });

  it('are refused when the paths do not fill their length', () => {
    const bytes = encodeLoadOption(option);
    const changed = Uint8Array.from(bytes);
    changed[4] = (changed[4] ?? 0) - 1;
    expect(decodeLoadOption(changed)).toMatchObject({ ok: false });
    changed[5] = 0xff;
    expect(decodeLoadOption(changed)).toMatchObject({
      error: { structure: 'EFI_LOAD_OPTION.filePathListLength', offset: 4 },
    });
    expect(decodeLoadOption(bytes.subarray(0, 9))).toMatchObject({
      error: { structure: 'CHAR16 string', offset: 6 },
    });
  });

  it('are ordered by 16-bit numbers', () => {
    expect(good(decodeLoadOrder(Uint8Array.of(3, 0, 0, 1)))).toEqual([3, 0x100]);
    expect(encodeLoadOrder([3, 0x100])).toEqual(Uint8Array.of(3, 0, 0, 1));
    expect(decodeLoadOrder(Uint8Array.of(3))).toMatchObject({ ok: false });
    expect(() => encodeLoadOrder([0x1_0000])).toThrow(RangeError);
  });

  const real = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd';
  it('of real firmware read and write back', (context) => {
    requireTool(context, 'ovmf');
    const volume = good(decodeVariableVolume(Uint8Array.from(readFileSync(real))));
    const found = liveRecords(volume)
      .filter(({ name }) => /^Boot[0-9A-F]{4}$/.test(name))
      .map((record) => {
        const read = good(decodeLoadOption(record.data));
        expect(encodeLoadOption(read)).toEqual(record.data);
        return [record.name, read.description, read.filePaths.map(formatDevicePath).join(';')];
      });
    expect(found).toMatchInlineSnapshot(`
      [
        [
          "Boot0000",
          "UiApp",
          "Fv(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)",
        ],
        [
          "Boot0001",
          "UEFI QEMU HARDDISK QM00001 ",
          "PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x0,0xFFFF,0x0)",
        ],
        [
          "Boot0002",
          "EFI Internal Shell",
          "Fv(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(7c04a583-9e3e-4f1c-ad65-e05268d0b4d1)",
        ],
      ]
    `);
    const consoles = liveRecords(volume)
      .filter(({ name }) => ['ConIn', 'ConOut', 'ErrOut'].includes(name))
      .map((record) => {
        const { path, size } = good(decodeDevicePath(record.data));
        expect(size).toBe(record.data.length);
        const text = formatDevicePath(path);
        expect(encodeDevicePath(good(parseDevicePath(text)))).toEqual(record.data);
        return `${record.name} ${text}`;
      });
    expect(consoles).toMatchInlineSnapshot(`
      [
        "ConOut PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x0)/Uart(115200,8,N,1)/VenPcAnsi(),PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x1)/Uart(115200,8,N,1)/VenPcAnsi()",
        "ConIn PciRoot(0x0)/Pci(0x1F,0x0)/Acpi(PNP0303,0x0),PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x0)/Uart(115200,8,N,1)/VenPcAnsi(),PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x1)/Uart(115200,8,N,1)/VenPcAnsi(),UsbHID(0xFFFF,0xFFFF,0x1,0x1)",
        "ErrOut PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x0)/Uart(115200,8,N,1)/VenPcAnsi(),PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x1)/Uart(115200,8,N,1)/VenPcAnsi()",
      ]
    `);
  });
});
