// The public names of the package, one line group per file; `test/exports.test.ts` pins them.
// Longer than most files: it is a list, and names each export, since a wildcard would hide what is public.

export {
  ACPI_BGRT,
  ACPI_RSDP_1,
  ACPI_RSDP_2,
  ACPI_RSDP_SIGNATURE,
  ACPI_TABLE_HEADER,
  bgrtFaults,
  decodeAcpiRsdp,
  decodeAcpiTable,
} from './acpi.ts';
export type { AcpiRoot, AcpiRsdp1, AcpiRsdp2, AcpiTableHeader, Bgrt, BgrtFault } from './acpi.ts';
export {
  EFI_PAGE_SHIFT,
  EFI_PAGE_SIZE,
  PHYS_ADDR_LIMIT,
  formatAddress,
  pageStart,
  pagesFor,
  pagesToBytes,
  physAdd,
  physAddr,
  virtAddr,
} from './address.ts';
export type { PhysAddr, PhysRange, VirtAddr } from './address.ts';
export { byteSum } from './byte-sum.ts';
export {
  CapsuleFlag,
  EFI_CAPSULE_BLOCK_DESCRIPTOR,
  EFI_CAPSULE_HEADER,
  EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER,
  EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER,
  areCapsuleFlagsLegal,
  decodeCapsule,
  decodeCapsuleBlocks,
  encodeCapsule,
  encodeCapsuleBlocks,
} from './capsule.ts';
export type {
  Capsule,
  CapsuleBlock,
  CapsuleBlockList,
  CapsuleHeader,
  FmpCapsuleHeader,
  FmpCapsuleImageHeader,
} from './capsule.ts';
export {
  char16Buffer,
  char16Size,
  decodeChar16,
  decodeChar16Z,
  encodeChar16,
  encodeChar16Z,
} from './char16.ts';
export type { Char16Z } from './char16.ts';
export { crc32 } from './crc32.ts';
export { decoded, formatDecodeError, malformed } from './decoded.ts';
export type { DecodeError, Decoded, Outcome } from './decoded.ts';
export {
  DEVICE_PATH_END_ENTIRE,
  DEVICE_PATH_END_INSTANCE,
  DEVICE_PATH_END_TYPE,
  EFI_DEVICE_PATH_PROTOCOL,
  decodeDevicePath,
  encodeDevicePath,
} from './device-path/node.ts';
export type {
  DevicePath,
  DevicePathHeader,
  DevicePathInstance,
  DevicePathNode,
  LocatedDevicePath,
} from './device-path/node.ts';
export type { DevicePathPiece } from './device-path/piece.ts';
export { DEVICE_PATH_ROWS } from './device-path/rows.ts';
export type { DevicePathRow } from './device-path/rows.ts';
export {
  describeDevicePathNode,
  formatDevicePath,
  formatDevicePathNode,
  parseDevicePath,
} from './device-path/text.ts';
export type { DevicePathField, DevicePathNodeText } from './device-path/text.ts';
export { createEfi } from './efi.ts';
export type { Efi, SecureBootMode } from './efi.ts';
export { Errno, efiStatusToErrno } from './errno.ts';
export type { ErrnoEra, ErrnoName } from './errno.ts';
export {
  EFI_SYSTEM_RESOURCE_ENTRY,
  EFI_SYSTEM_RESOURCE_TABLE,
  EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION,
  decodeEsrt,
  encodeEsrt,
  esrtSize,
} from './esrt.ts';
export type { EsrtEntry, EsrtHeader, EsrtTable } from './esrt.ts';
export { EfiFacility, createFacilitySet } from './facility.ts';
export type { FacilityChange, FacilitySet } from './facility.ts';
export {
  GLOBAL_VARIABLES,
  findGlobalVariable,
  nameNumber,
  numberedName,
} from './global-variables.ts';
export type { GlobalVariable, GlobalVariableShape } from './global-variables.ts';
export { EFI_GUID, GUID_SIZE, guid, guidFromBytes, guidToBytes, parseGuid } from './guid.ts';
export type { Guid } from './guid.ts';
export { bytesToHex, hexToBytes } from './hex.ts';
export {
  LINUX_EFI_INITRD,
  LINUX_EFI_MEMRESERVE,
  LINUX_EFI_MEMRESERVE_ENTRY,
  LINUX_EFI_MOKVAR_ENTRY,
  LINUX_EFI_RANDOM_SEED,
  LINUX_EFI_TPM_EVENTLOG,
  LINUX_EFI_UNACCEPTED_MEMORY,
  decodeMemReserve,
  decodeMokVariables,
  decodeRandomSeed,
} from './linux-tables.ts';
export type {
  InitrdTable,
  MemReserveEntry,
  MemReserveHeader,
  MemReservePage,
  MokVariable,
  MokVariableHeader,
  RandomSeedHeader,
  TpmEventLogHeader,
  UnacceptedMemoryHeader,
} from './linux-tables.ts';
export {
  EFI_LOAD_OPTION,
  LoadOptionAttribute,
  decodeLoadOption,
  decodeLoadOrder,
  encodeLoadOption,
  encodeLoadOrder,
} from './load-option.ts';
export type { LoadOption, LoadOptionHeader } from './load-option.ts';
export { EFI_LOADED_IMAGE_PROTOCOL } from './loaded-image.ts';
export type { LoadedImage } from './loaded-image.ts';
export {
  EFI_MEMORY_ATTRIBUTES_FLAGS_RT_FORWARD_CONTROL_FLOW_GUARD,
  EFI_MEMORY_ATTRIBUTES_TABLE,
  EFI_MEMORY_ATTRIBUTES_TABLE_VERSION,
  decodeMemoryAttributesTable,
  encodeMemoryAttributesTable,
  memoryAttributesSize,
} from './memory-attributes.ts';
export type { MemoryAttributesHeader, MemoryAttributesTable } from './memory-attributes.ts';
export {
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_VERSION,
  decodeMemoryMap,
  encodeMemoryMap,
  findMemoryDescriptor,
  findMemoryRange,
  isRuntimeDescriptor,
  memoryAttributesAt,
  memoryDescriptorEnd,
  memoryDescriptorFaults,
  memoryOverlaps,
  memoryTypeAt,
} from './memory-map.ts';
export type {
  MemoryDescriptor,
  MemoryDescriptorFault,
  MemoryMap,
  MemoryMapShape,
  MemoryOverlap,
} from './memory-map.ts';
export {
  MEMORY_ATTRIBUTE_ISA_MASK,
  MemoryAttribute,
  MemoryType,
  isBootServicesMemory,
  isRuntimeServicesMemory,
  memoryAttributeNames,
  memoryTypeName,
} from './memory-type.ts';
export type { MemoryAttributeName } from './memory-type.ts';
export { callFailure, neutralCallOps } from './ops/call-ops.ts';
export type { EfiCallOps, EfiCallOutcome, MachineOutcome } from './ops/call-ops.ts';
export { defaultOf, generic, notNeeded, notNeededValue, unsupported } from './ops/default.ts';
export type { OpDefault } from './ops/default.ts';
export { neutralInitOps } from './ops/init-ops.ts';
export type {
  EfiInitOps,
  MemoryMapLocation,
  SystemTableLocation,
  VirtualModePlan,
} from './ops/init-ops.ts';
export { neutralMachineOps } from './ops/machine-ops.ts';
export type { MachineOps } from './ops/machine-ops.ts';
export { neutralMemoryOps } from './ops/memory-ops.ts';
export type { MemoryOps, PageMapping, PageRequest } from './ops/memory-ops.ts';
export { bindPlatform, overriddenMembers, selectPlatform } from './ops/platform.ts';
export type {
  BoundPlatform,
  MemberOrigin,
  PlatformBackend,
  PlatformScore,
  PlatformSelection,
  PlatformTables,
  SelectionError,
  TableName,
} from './ops/platform.ts';
export { ResetType, neutralRuntimeOps } from './ops/runtime-ops.ts';
export type {
  CapsuleCapabilities,
  EfiRuntimeOps,
  GetTimeValue,
  GetVariableFailure,
  NextVariableName,
  NullOut,
  VariableInfo,
  VariableValue,
  WakeupTime,
} from './ops/runtime-ops.ts';
export { EFI_DONE, efiFail, efiOk, efiResult, mapResult, statusOf } from './result.ts';
export type { EfiFailure, EfiFailureDetail, EfiResult, EfiSuccess } from './result.ts';
export {
  EFI_RT_PROPERTIES_TABLE,
  RT_SUPPORTED_ALL,
  RuntimeSupported,
  decodeRtProperties,
  supportedServices,
} from './rt-properties.ts';
export type { RtPropertiesTable } from './rt-properties.ts';
export {
  EFI_SIGNATURE_LIST,
  decodeSignatureLists,
  encodeSignatureLists,
  signatureList,
  signaturePayloadSize,
} from './signature-list.ts';
export type { EfiSignature, EfiSignatureList, EfiSignatureListHeader } from './signature-list.ts';
export { SMBIOS3_ENTRY_POINT, SMBIOS_ENTRY_POINT, decodeSmbiosAnchor } from './smbios.ts';
export type { Smbios3EntryPoint, SmbiosAnchor, SmbiosEntryPoint } from './smbios.ts';
export {
  EfiStatus,
  efiStatus,
  efiStatusFromNative,
  efiStatusName,
  efiStatusToNative,
  formatEfiStatus,
  isEfiError,
  isEfiWarning,
} from './status.ts';
export type { EfiStatusName } from './status.ts';
export {
  BOOLEAN,
  INT16,
  POINTER,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
  UINTN,
  asciiArray,
  byteArray,
  defineStruct,
  nested,
  viewOf,
} from './struct.ts';
export type { FieldLayout, FieldType, Fields, Struct, StructOptions, Width } from './struct.ts';
export { BOOT_SERVICES, EFI_BOOT_SERVICES } from './table/boot.ts';
export type { BootServiceName, EfiBootServicesTable } from './table/boot.ts';
export {
  EFI_CONFIGURATION_TABLE,
  decodeConfigurationTables,
  findConfigurationTable,
} from './table/configuration.ts';
export type { EfiConfigurationTable } from './table/configuration.ts';
export {
  EFI_BOOT_SERVICES_SIGNATURE,
  EFI_RUNTIME_SERVICES_SIGNATURE,
  EFI_SYSTEM_TABLE_SIGNATURE,
  EFI_TABLE_HEADER,
  efiRevision,
  efiTableCrc,
  formatEfiRevision,
  sealEfiTable,
  splitEfiRevision,
  verifyEfiTableCrc,
} from './table/header.ts';
export type { EfiRevision, EfiTableHeader } from './table/header.ts';
export { SERVICE_PARAMETERS } from './table/parameters.ts';
export type { EfiServiceName, ServiceParameter } from './table/parameters.ts';
export {
  EFI_2_00_REVISION,
  EFI_RUNTIME_SERVICES,
  RUNTIME_SERVICES,
  decodeRuntimeServices,
} from './table/runtime.ts';
export type { EfiRuntimeServicesTable, RuntimeServiceName } from './table/runtime.ts';
export { EFI_SYSTEM_TABLE, decodeSystemTable } from './table/system.ts';
export type { EfiSystemTable } from './table/system.ts';
export {
  EFI_TIME,
  EFI_TIME_ADJUST_DAYLIGHT,
  EFI_TIME_CAPABILITIES,
  EFI_TIME_IN_DAYLIGHT,
  EFI_TIME_ZERO,
  EFI_UNSPECIFIED_TIMEZONE,
  compareEfiTime,
  dayOfWeek,
  daysInMonth,
  efiTime,
  efiTimeFaults,
  efiTimeFromUnix,
  efiTimeToUnix,
  formatEfiTime,
  isLeapYear,
} from './time.ts';
export type { EfiTime, EfiTimeCapabilities, EfiTimeField, EfiTimeZone, UnixTime } from './time.ts';
export {
  EFI_TCG2_FINAL_EVENTS_TABLE,
  EV_NO_ACTION,
  TCG_ALGORITHM_SIZE,
  TCG_PCR_EVENT,
  TCG_SPEC_ID_EVENT,
  TCG_SPEC_ID_SIGNATURE,
  TPM_ALG_SHA1,
  decodeFinalEvents,
  decodeTcgLog,
  decodeTcgPcrEvent,
  decodeTcgPcrEvent2,
  decodeTcgSpecId,
} from './tpm-log.ts';
export type {
  FinalEvents,
  FinalEventsHeader,
  TcgAlgorithm,
  TcgDigest,
  TcgEvent,
  TcgLog,
  TcgPcrEventHeader,
  TcgSpecIdHeader,
} from './tpm-log.ts';
export {
  EFI_VARIABLE_AUTHENTICATION_2,
  WIN_CERTIFICATE_UEFI_GUID,
  WIN_CERT_REVISION_2_0,
  WIN_CERT_TYPE_EFI_GUID,
  authTimeStampFaults,
  authenticatedDigestInput,
  decodeAuthenticatedPayload,
  encodeAuthenticatedPayload,
  pkcs7Payload,
} from './variable-auth.ts';
export type {
  AuthenticatedPayload,
  AuthenticatedWrite,
  EfiVariableAuthentication2,
  WinCertificateUefiGuid,
} from './variable-auth.ts';
export {
  decodeDmpstore,
  decodeEfivarExport,
  decodeEfivarfs,
  efivarfsFileName,
  encodeDmpstore,
  encodeEfivarExport,
  encodeEfivarfs,
  parseVariableLabel,
} from './variable-file.ts';
export type { EfivarfsContent, VariableLabel } from './variable-file.ts';
export { variablesFromJson, variablesToJson } from './variable-json.ts';
export type { VariableJson, VariableListJson } from './variable-json.ts';
export { VOLUME_GEOMETRY, blankVariableVolume } from './variable-store/blank.ts';
export type { VolumeGeometry } from './variable-store/blank.ts';
export {
  deleteStoredVariable,
  reclaimStore,
  setStoredVariable,
  storedVariables,
} from './variable-store/edit.ts';
export type { StoreEdit, StoreError } from './variable-store/edit.ts';
export {
  EFI_FAULT_TOLERANT_WORKING_BLOCK_HEADER,
  EFI_FAULT_TOLERANT_WRITE_HEADER,
  EFI_FAULT_TOLERANT_WRITE_RECORD,
  decodeWorkingBlock,
  encodeWorkingBlockHeader,
} from './variable-store/fault-tolerant-write.ts';
export type {
  FaultTolerantWrite,
  FaultTolerantWriteHeader,
  FaultTolerantWriteRecord,
  WorkingBlock,
  WorkingBlockHeader,
} from './variable-store/fault-tolerant-write.ts';
export {
  EFI_FIRMWARE_VOLUME_HEADER,
  EFI_FVH_SIGNATURE,
  EFI_FV_BLOCK_MAP_ENTRY,
  decodeFirmwareVolumeHeader,
  encodeFirmwareVolumeHeader,
  firmwareVolumeSum,
} from './variable-store/firmware-volume.ts';
export type {
  FirmwareVolumeBlocks,
  FirmwareVolumeFields,
  FirmwareVolumeHeader,
} from './variable-store/firmware-volume.ts';
export {
  AUTHENTICATED_VARIABLE_HEADER,
  VARIABLE_HEADER,
  VARIABLE_START_ID,
  VariableState,
  decodeRecord,
  encodeRecord,
  newRecord,
  recordHeader,
  recordPadding,
  recordSize,
} from './variable-store/record.ts';
export type {
  AuthenticatedVariableHeader,
  NewRecord,
  StoreFormat,
  StoreRecord,
  VariableHeader,
} from './variable-store/record.ts';
export { createStoreServices } from './variable-store/services.ts';
export type { StoreServices } from './variable-store/services.ts';
export {
  VARIABLE_STORE_FORMATTED,
  VARIABLE_STORE_HEADER,
  VARIABLE_STORE_HEALTHY,
  decodeVariableVolume,
  encodeVariableVolume,
  findRecord,
  liveRecords,
  placeRecords,
  storeSpace,
} from './variable-store/volume.ts';
export type {
  PlacedRecord,
  StoreSpace,
  VariableStoreHeader,
  VariableVolume,
} from './variable-store/volume.ts';
export {
  VariableAttribute,
  variableAttributeFaults,
  variableAttributeNames,
  variableLabel,
  variableNameFaults,
  variableNameSize,
} from './variable.ts';
export type {
  EfiVariable,
  VariableAttributeFault,
  VariableAttributeName,
  VariableAttributes,
  VariableNameFault,
} from './variable.ts';
export { WellKnownGuid, wellKnownGuidName } from './well-known-guids.ts';
export type { WellKnownGuidName } from './well-known-guids.ts';
