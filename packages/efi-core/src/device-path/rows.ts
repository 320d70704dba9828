import { WellKnownGuid } from '../well-known-guids.ts';
import {
  ASCIIZ,
  asciiPadded,
  choice,
  constant,
  constantGuid,
  dashedReverse,
  dec,
  EISA_ID,
  GUID,
  hex,
  hexBytes,
  hexDigits,
  ipv4,
  ipv6,
  ISCSI_OPTIONS,
  REST_ASCII,
  REST_ASCII_WORD,
  REST_HEX,
  REST_NUMBERS,
  REST_QUOTED_CHAR16,
} from './piece.ts';
import type { DevicePathPiece } from './piece.ts';

/** One node form of UEFI 2.10, sections 10.3 and 10.6: where its bytes are and what its text is. */
export interface DevicePathRow {
  readonly type: number;
  readonly subType: number;
  /** The word before the parenthesis. */
  readonly keyword: string;
  /** Fields in memory order. */
  readonly pieces: Readonly<Record<string, DevicePathPiece>>;
  /** Fields in text order. */
  readonly order: readonly string[];
}

const row = (
  type: number,
  subType: number,
  keyword: string,
  pieces: Readonly<Record<string, DevicePathPiece>>,
  order: readonly string[] = Object.keys(pieces).filter((name) => pieces[name]?.arity !== 0),
): DevicePathRow => Object.freeze({ type, subType, keyword, pieces, order });

const HARDWARE = 1;
const ACPI = 2;
const MESSAGING = 3;
const MEDIA = 4;
const BIOS_BOOT = 5;

const acpi = (keyword: string, product: number): DevicePathRow =>
  row(ACPI, 1, keyword, {
    hid: constant((BigInt(product) << 16n) | 0x41d0n, 4),
    uid: hex(4, '0'),
  });

const usbClass = (keyword: string, deviceClass: number): DevicePathRow =>
  row(
    MESSAGING,
    15,
    keyword,
    {
      vendorId: hex(2, '0xffff'),
      productId: hex(2, '0xffff'),
      deviceClass: constant(BigInt(deviceClass), 1),
      deviceSubClass: hex(1, '0xff'),
      deviceProtocol: hex(1, '0xff'),
    },
    ['vendorId', 'productId', 'deviceSubClass', 'deviceProtocol'],
  );

const usbSpecific = (keyword: string, deviceSubClass: number): DevicePathRow =>
  row(MESSAGING, 15, keyword, {
    vendorId: hex(2, '0xffff'),
    productId: hex(2, '0xffff'),
    deviceClass: constant(254n, 1),
    deviceSubClass: constant(BigInt(deviceSubClass), 1),
    deviceProtocol: hex(1, '0xff'),
  });

const ramDisk = (keyword: string, kind: keyof typeof WellKnownGuid): DevicePathRow =>
  row(MEDIA, 9, keyword, {
    start: hex(8),
    end: hex(8),
    diskType: constantGuid(WellKnownGuid[kind]),
    instance: dec(2),
  });

const vendor = (type: number, subType: number, keyword: string): DevicePathRow =>
  row(type, subType, keyword, { vendorGuid: GUID, data: REST_HEX });

const IP_PROTOCOL = choice(2, { 6: 'TCP', 17: 'UDP' }, true);

/**
 * Every form with a text of its own. Forms of one type and subtype are tried in this order; bytes that none of them
 * fits are written in the generic form of section 10.6.
 */
export const DEVICE_PATH_ROWS: readonly DevicePathRow[] = Object.freeze([
  row(HARDWARE, 1, 'Pci', { function: hex(1), device: hex(1) }, ['device', 'function']),
  row(HARDWARE, 2, 'PcCard', { function: hex(1) }),
  row(HARDWARE, 3, 'MemoryMapped', { memoryType: hex(4), start: hex(8), end: hex(8) }),
  vendor(HARDWARE, 4, 'VenHw'),
  row(HARDWARE, 5, 'Ctrl', { controller: hex(4) }),
  row(HARDWARE, 6, 'BMC', { interfaceType: hex(1), baseAddress: hex(8) }),

  acpi('PciRoot', 0x0a03),
  acpi('PcieRoot', 0x0a08),
  acpi('Floppy', 0x0604),
  acpi('Keyboard', 0x0301),
  acpi('Serial', 0x0501),
  acpi('ParallelPort', 0x0401),
  row(ACPI, 1, 'Acpi', { hid: EISA_ID, uid: hex(4, '0') }),
  row(
    ACPI,
    2,
    'AcpiEx',
    { hid: EISA_ID, uid: hex(4), cid: EISA_ID, hidStr: ASCIIZ, uidStr: ASCIIZ, cidStr: ASCIIZ },
    ['hid', 'cid', 'uid', 'hidStr', 'cidStr', 'uidStr'],
  ),
  row(ACPI, 3, 'AcpiAdr', { displayDevices: REST_NUMBERS }),

  row(MESSAGING, 1, 'Ata', {
    controller: choice(1, { 0: 'Primary', 1: 'Secondary' }),
    drive: choice(1, { 0: 'Master', 1: 'Slave' }),
    lun: hex(2),
  }),
  row(MESSAGING, 2, 'Scsi', { pun: hex(2), lun: hex(2) }),
  row(MESSAGING, 3, 'Fibre', { reserved: constant(0n, 4), wwn: hex(8), lun: hex(8) }),
  row(MESSAGING, 4, 'I1394', { reserved: constant(0n, 4), guid: hexDigits(8) }),
  row(MESSAGING, 5, 'USB', { port: hex(1), interface: hex(1) }),
  row(MESSAGING, 6, 'I2O', { tid: hex(4) }),
  row(MESSAGING, 9, 'Infiniband', {
    flags: hex(4),
    portGid: GUID,
    serviceId: hex(8),
    targetPortId: hex(8),
    deviceId: hex(8),
  }),
  row(MESSAGING, 10, 'VenPcAnsi', { vendorGuid: constantGuid(WellKnownGuid.EFI_PC_ANSI_GUID) }),
  row(MESSAGING, 10, 'VenVt100', { vendorGuid: constantGuid(WellKnownGuid.EFI_VT_100_GUID) }),
  row(MESSAGING, 10, 'VenVt100Plus', {
    vendorGuid: constantGuid(WellKnownGuid.EFI_VT_100_PLUS_GUID),
  }),
  row(MESSAGING, 10, 'VenUtf8', { vendorGuid: constantGuid(WellKnownGuid.EFI_VT_UTF8_GUID) }),
  row(MESSAGING, 10, 'UartFlowCtrl', {
    vendorGuid: constantGuid(WellKnownGuid.DEVICE_PATH_MESSAGING_UART_FLOW_CONTROL),
    value: choice(4, { 0: 'None', 1: 'Hardware', 2: 'XonXoff' }),
  }),
  row(MESSAGING, 10, 'DebugPort', {
    vendorGuid: constantGuid(WellKnownGuid.EFI_DEBUGPORT_PROTOCOL_GUID),
  }),
  vendor(MESSAGING, 10, 'VenMsg'),
  row(
    MESSAGING,
    11,
    'MAC',
    { address: hexBytes(6), padding: constant(0n, 26), ifType: choice(1, { 0: '0x0', 1: '0x1' }) },
    ['address', 'ifType'],
  ),
  row(MESSAGING, 11, 'MAC', { address: hexBytes(32), ifType: hex(1) }),
  row(
    MESSAGING,
    12,
    'IPv4',
    {
      local: ipv4(),
      remote: ipv4(),
      localPort: constant(0n, 2),
      remotePort: constant(0n, 2),
      protocol: IP_PROTOCOL,
      origin: choice(1, { 0: 'DHCP', 1: 'Static' }),
      gateway: ipv4('0.0.0.0'),
      subnetMask: ipv4('0.0.0.0'),
    },
    ['remote', 'protocol', 'origin', 'local', 'gateway', 'subnetMask'],
  ),
  row(
    MESSAGING,
    13,
    'IPv6',
    {
      local: ipv6(),
      remote: ipv6(),
      localPort: constant(0n, 2),
      remotePort: constant(0n, 2),
      protocol: IP_PROTOCOL,
      origin: choice(1, { 0: 'Static', 1: 'StatelessAutoConfigure', 2: 'StatefulAutoConfigure' }),
      prefixLength: hex(1, '0'),
      gateway: ipv6('0:0:0:0:0:0:0:0'),
    },
    ['remote', 'protocol', 'origin', 'local', 'gateway', 'prefixLength'],
  ),
  row(MESSAGING, 14, 'Uart', {
    reserved: constant(0n, 4),
    baud: dec(8),
    dataBits: dec(1),
    parity: choice(1, { 0: 'D', 1: 'N', 2: 'E', 3: 'O', 4: 'M', 5: 'S' }),
    stopBits: choice(1, { 0: 'D', 1: '1', 2: '1.5', 3: '2' }),
  }),
  usbClass('UsbAudio', 1),
  usbClass('UsbCDCControl', 2),
  usbClass('UsbHID', 3),
  usbClass('UsbImage', 6),
  usbClass('UsbPrinter', 7),
  usbClass('UsbMassStorage', 8),
  usbClass('UsbHub', 9),
  usbClass('UsbCDCData', 10),
  usbClass('UsbSmartCard', 11),
  usbClass('UsbVideo', 14),
  usbClass('UsbDiagnostic', 220),
  usbClass('UsbWireless', 224),
  usbSpecific('UsbDeviceFirmwareUpdate', 1),
  usbSpecific('UsbIrdaBridge', 2),
  usbSpecific('UsbTestAndMeasurement', 3),
  row(MESSAGING, 15, 'UsbClass', {
    vendorId: hex(2, '0xffff'),
    productId: hex(2, '0xffff'),
    deviceClass: hex(1, '0xff'),
    deviceSubClass: hex(1, '0xff'),
    deviceProtocol: hex(1, '0xff'),
  }),
  row(
    MESSAGING,
    16,
    'UsbWwid',
    { interface: hex(2), vendorId: hex(2), productId: hex(2), serial: REST_QUOTED_CHAR16 },
    ['vendorId', 'productId', 'interface', 'serial'],
  ),
  row(MESSAGING, 17, 'Unit', { lun: hex(1) }),
  row(MESSAGING, 18, 'Sata', { hbaPort: hex(2), portMultiplierPort: hex(2), lun: hex(2) }),
  row(
    MESSAGING,
    19,
    'iSCSI',
    {
      protocol: choice(2, { 0: 'TCP' }),
      options: ISCSI_OPTIONS,
      lun: hexBytes(8, '0x'),
      portalGroup: hex(2),
      targetName: REST_ASCII_WORD,
    },
    ['targetName', 'portalGroup', 'lun', 'options', 'protocol'],
  ),
  row(MESSAGING, 20, 'Vlan', { vlanId: dec(2) }),
  row(MESSAGING, 21, 'FibreEx', {
    reserved: constant(0n, 4),
    wwn: hexBytes(8, '0x'),
    lun: hexBytes(8, '0x'),
  }),
  row(MESSAGING, 23, 'NVMe', { namespaceId: hex(4), eui64: dashedReverse(8) }),
  row(MESSAGING, 24, 'Uri', { uri: REST_ASCII }),
  row(MESSAGING, 25, 'UFS', { pun: hex(1), lun: hex(1) }),
  row(MESSAGING, 26, 'SD', { slot: hex(1) }),
  row(MESSAGING, 27, 'Bluetooth', { address: hexBytes(6) }),
  row(MESSAGING, 28, 'Wi-Fi', { ssid: asciiPadded(32) }),
  row(MESSAGING, 29, 'eMMC', { slot: hex(1) }),
  row(MESSAGING, 30, 'BluetoothLE', { address: hexBytes(6), addressType: hex(1) }),
  row(MESSAGING, 32, 'NVDIMM', { uuid: GUID }),

  row(
    MEDIA,
    1,
    'HD',
    {
      partition: dec(4),
      start: hex(8),
      size: hex(8),
      signature: GUID,
      format: choice(1, { 2: 'GPT' }),
      signatureType: constant(2n, 1),
    },
    ['partition', 'format', 'signature', 'start', 'size'],
  ),
  row(
    MEDIA,
    1,
    'HD',
    {
      partition: dec(4),
      start: hex(8),
      size: hex(8),
      signature: hex(4),
      padding: constant(0n, 12),
      format: choice(1, { 1: 'MBR' }),
      signatureType: constant(1n, 1),
    },
    ['partition', 'format', 'signature', 'start', 'size'],
  ),
  row(MEDIA, 2, 'CDROM', { bootEntry: hex(4), start: hex(8), size: hex(8) }),
  vendor(MEDIA, 3, 'VenMedia'),
  row(MEDIA, 5, 'Media', { protocol: GUID }),
  row(MEDIA, 6, 'FvFile', { file: GUID }),
  row(MEDIA, 7, 'Fv', { volume: GUID }),
  row(MEDIA, 8, 'Offset', { reserved: constant(0n, 4), start: hex(8), end: hex(8) }),
  ramDisk('VirtualDisk', 'EFI_VIRTUAL_DISK_GUID'),
  ramDisk('VirtualCD', 'EFI_VIRTUAL_CD_GUID'),
  ramDisk('PersistentVirtualDisk', 'EFI_PERSISTENT_VIRTUAL_DISK_GUID'),
  ramDisk('PersistentVirtualCD', 'EFI_PERSISTENT_VIRTUAL_CD_GUID'),
  row(MEDIA, 9, 'RamDisk', { start: hex(8), end: hex(8), diskType: GUID, instance: dec(2) }, [
    'start',
    'end',
    'instance',
    'diskType',
  ]),
  row(
    BIOS_BOOT,
    1,
    'BBS',
    {
      deviceType: choice(
        2,
        { 1: 'Floppy', 2: 'HD', 3: 'CDROM', 4: 'PCMCIA', 5: 'USB', 6: 'Network' },
        true,
      ),
      statusFlag: hex(2, '0'),
      description: ASCIIZ,
    },
    ['deviceType', 'description', 'statusFlag'],
  ),
]);
