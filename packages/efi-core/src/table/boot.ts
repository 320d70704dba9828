import { defineStruct, nested, POINTER } from '../struct.ts';
import type { Struct } from '../struct.ts';
import { EFI_TABLE_HEADER } from './header.ts';
import type { EfiTableHeader } from './header.ts';

/** Boot services in table order (UEFI 2.10, section 4.4); `Reserved` is a slot, not a service. */
export const BOOT_SERVICES = [
  'RaiseTPL',
  'RestoreTPL',
  'AllocatePages',
  'FreePages',
  'GetMemoryMap',
  'AllocatePool',
  'FreePool',
  'CreateEvent',
  'SetTimer',
  'WaitForEvent',
  'SignalEvent',
  'CloseEvent',
  'CheckEvent',
  'InstallProtocolInterface',
  'ReinstallProtocolInterface',
  'UninstallProtocolInterface',
  'HandleProtocol',
  'Reserved',
  'RegisterProtocolNotify',
  'LocateHandle',
  'LocateDevicePath',
  'InstallConfigurationTable',
  'LoadImage',
  'StartImage',
  'Exit',
  'UnloadImage',
  'ExitBootServices',
  'GetNextMonotonicCount',
  'Stall',
  'SetWatchdogTimer',
  'ConnectController',
  'DisconnectController',
  'OpenProtocol',
  'CloseProtocol',
  'OpenProtocolInformation',
  'ProtocolsPerHandle',
  'LocateHandleBuffer',
  'LocateProtocol',
  'InstallMultipleProtocolInterfaces',
  'UninstallMultipleProtocolInterfaces',
  'CalculateCrc32',
  'CopyMem',
  'SetMem',
  'CreateEventEx',
] as const;

/** Name of a boot services slot. */
export type BootServiceName = (typeof BOOT_SERVICES)[number];

/** EFI_BOOT_SERVICES (UEFI 2.10, section 4.4): the header and one raw pointer per slot. */
export type EfiBootServicesTable = { readonly hdr: EfiTableHeader } & Readonly<
  Record<BootServiceName, bigint>
>;

const pointers = Object.fromEntries(BOOT_SERVICES.map((name) => [name, POINTER])) as Record<
  BootServiceName,
  typeof POINTER
>;

export const EFI_BOOT_SERVICES: Struct<EfiBootServicesTable> = defineStruct<EfiBootServicesTable>(
  'EFI_BOOT_SERVICES',
  'UEFI 2.10, 4.4',
  { hdr: nested(EFI_TABLE_HEADER), ...pointers },
);
