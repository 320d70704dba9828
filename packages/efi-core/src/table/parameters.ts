import type { BootServiceName } from './boot.ts';
import type { RuntimeServiceName } from './runtime.ts';

/** Name of a service of either table. */
export type EfiServiceName = RuntimeServiceName | Exclude<BootServiceName, 'Reserved'>;

/** One parameter of a service as its caller passes it. */
export interface ServiceParameter {
  readonly name: string;
  /** `UINT64` takes two stack slots on 32-bit firmware, everything else one. */
  readonly type: 'BOOLEAN' | 'UINT8' | 'UINT32' | 'UINT64' | 'UINTN' | 'HANDLE' | 'POINTER';
  /** For a pointer: who reads and who writes what it points to; `in` for values. */
  readonly direction: 'in' | 'out' | 'in out';
  /** Whether the specification allows NULL. */
  readonly optional: boolean;
}

// One line per service: `out X` and so on are pointers, `?` marks those that may be NULL, `TYPE X` is passed by value.
const LINES: Readonly<Record<EfiServiceName, string>> = {
  // Runtime services (UEFI 2.10, chapter 8).
  GetTime: 'out Time, out? Capabilities',
  SetTime: 'in Time',
  GetWakeupTime: 'out Enabled, out Pending, out Time',
  SetWakeupTime: 'BOOLEAN Enable, in? Time',
  SetVirtualAddressMap:
    'UINTN MemoryMapSize, UINTN DescriptorSize, UINT32 DescriptorVersion, in VirtualMap',
  ConvertPointer: 'UINTN DebugDisposition, inout Address',
  GetVariable: 'in VariableName, in VendorGuid, out? Attributes, inout DataSize, out? Data',
  GetNextVariableName: 'inout VariableNameSize, inout VariableName, inout VendorGuid',
  SetVariable: 'in VariableName, in VendorGuid, UINT32 Attributes, UINTN DataSize, in Data',
  GetNextHighMonotonicCount: 'out HighCount',
  ResetSystem: 'UINT32 ResetType, UINTN ResetStatus, UINTN DataSize, in? ResetData',
  UpdateCapsule: 'in CapsuleHeaderArray, UINTN CapsuleCount, UINT64 ScatterGatherList',
  QueryCapsuleCapabilities:
    'in CapsuleHeaderArray, UINTN CapsuleCount, out MaximumCapsuleSize, out ResetType',
  QueryVariableInfo:
    'UINT32 Attributes, out MaximumVariableStorageSize, out RemainingVariableStorageSize, out MaximumVariableSize',
  // Boot services (UEFI 2.10, chapter 7).
  RaiseTPL: 'UINTN NewTpl',
  RestoreTPL: 'UINTN OldTpl',
  AllocatePages: 'UINT32 Type, UINT32 MemoryType, UINTN Pages, inout Memory',
  FreePages: 'UINT64 Memory, UINTN Pages',
  GetMemoryMap:
    'inout MemoryMapSize, out MemoryMap, out MapKey, out DescriptorSize, out DescriptorVersion',
  AllocatePool: 'UINT32 PoolType, UINTN Size, out Buffer',
  FreePool: 'in Buffer',
  CreateEvent: 'UINT32 Type, UINTN NotifyTpl, in? NotifyFunction, in? NotifyContext, out Event',
  SetTimer: 'HANDLE Event, UINT32 Type, UINT64 TriggerTime',
  WaitForEvent: 'UINTN NumberOfEvents, in Event, out Index',
  SignalEvent: 'HANDLE Event',
  CloseEvent: 'HANDLE Event',
  CheckEvent: 'HANDLE Event',
  InstallProtocolInterface: 'inout Handle, in Protocol, UINT32 InterfaceType, in? Interface',
  ReinstallProtocolInterface: 'HANDLE Handle, in Protocol, in? OldInterface, in? NewInterface',
  UninstallProtocolInterface: 'HANDLE Handle, in Protocol, in? Interface',
  HandleProtocol: 'HANDLE Handle, in Protocol, out Interface',
  RegisterProtocolNotify: 'in Protocol, HANDLE Event, out Registration',
  LocateHandle: 'UINT32 SearchType, in? Protocol, in? SearchKey, inout BufferSize, out Buffer',
  LocateDevicePath: 'in Protocol, inout DevicePath, out Device',
  InstallConfigurationTable: 'in Guid, in? Table',
  LoadImage:
    'BOOLEAN BootPolicy, HANDLE ParentImageHandle, in? DevicePath, in? SourceBuffer, UINTN SourceSize, out ImageHandle',
  StartImage: 'HANDLE ImageHandle, out ExitDataSize, out? ExitData',
  Exit: 'HANDLE ImageHandle, UINTN ExitStatus, UINTN ExitDataSize, in? ExitData',
  UnloadImage: 'HANDLE ImageHandle',
  ExitBootServices: 'HANDLE ImageHandle, UINTN MapKey',
  GetNextMonotonicCount: 'out Count',
  Stall: 'UINTN Microseconds',
  SetWatchdogTimer: 'UINTN Timeout, UINT64 WatchdogCode, UINTN DataSize, in? WatchdogData',
  ConnectController:
    'HANDLE ControllerHandle, in? DriverImageHandle, in? RemainingDevicePath, BOOLEAN Recursive',
  DisconnectController: 'HANDLE ControllerHandle, HANDLE? DriverImageHandle, HANDLE? ChildHandle',
  OpenProtocol:
    'HANDLE Handle, in Protocol, out? Interface, HANDLE AgentHandle, HANDLE? ControllerHandle, UINT32 Attributes',
  CloseProtocol: 'HANDLE Handle, in Protocol, HANDLE AgentHandle, HANDLE? ControllerHandle',
  OpenProtocolInformation: 'HANDLE Handle, in Protocol, out EntryBuffer, out EntryCount',
  ProtocolsPerHandle: 'HANDLE Handle, out ProtocolBuffer, out ProtocolBufferCount',
  LocateHandleBuffer: 'UINT32 SearchType, in? Protocol, in? SearchKey, out NoHandles, out Buffer',
  LocateProtocol: 'in Protocol, in? Registration, out Interface',
  // The two with a variable number of parameters: pairs of protocol and interface follow, then NULL.
  InstallMultipleProtocolInterfaces: 'inout Handle',
  UninstallMultipleProtocolInterfaces: 'HANDLE Handle',
  CalculateCrc32: 'in Data, UINTN DataSize, out Crc32',
  CopyMem: 'out Destination, in Source, UINTN Length',
  SetMem: 'out Buffer, UINTN Size, UINT8 Value',
  CreateEventEx:
    'UINT32 Type, UINTN NotifyTpl, in? NotifyFunction, in? NotifyContext, in? EventGroup, out Event',
};

const DIRECTIONS: ReadonlyMap<string, ServiceParameter['direction']> = new Map([
  ['in', 'in'],
  ['out', 'out'],
  ['inout', 'in out'],
]);

const parameter = (text: string): ServiceParameter => {
  const [kind = '', name = ''] = text.trim().split(' ');
  const word = kind.replace('?', '');
  const direction = DIRECTIONS.get(word);
  return Object.freeze({
    name,
    type: direction === undefined ? (word as ServiceParameter['type']) : 'POINTER',
    direction: direction ?? 'in',
    optional: kind.endsWith('?'),
  });
};

/** Parameters of every service in the order of its prototype. */
export const SERVICE_PARAMETERS: Readonly<Record<EfiServiceName, readonly ServiceParameter[]>> =
  Object.freeze(
    Object.fromEntries(
      Object.entries(LINES).map(([name, line]) => [name, line.split(',').map(parameter)]),
    ) as unknown as Record<EfiServiceName, readonly ServiceParameter[]>,
  );
