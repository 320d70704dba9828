// Capsules and the system resource table. UEFI 2.10, 8.5.3 and 23.4.
#pragma once
#include "efi-time.h"

#define CAPSULE_FLAGS_PERSIST_ACROSS_RESET 0x00010000u
#define CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE 0x00020000u
#define CAPSULE_FLAGS_INITIATE_RESET 0x00040000u
// The upper half of the flags is the specification's, the lower half its type's own.
#define CAPSULE_FLAGS_RESERVED 0xfff80000u

typedef struct {
  EFI_GUID CapsuleGuid;
  UINT32 HeaderSize;
  UINT32 Flags;
  UINT32 CapsuleImageSize;
} EFI_CAPSULE_HEADER;

typedef struct {
  UINT64 Length;
  EFI_PHYSICAL_ADDRESS Union;
} EFI_CAPSULE_BLOCK_DESCRIPTOR;

// What a configuration table points to after CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE.
typedef struct {
  UINT32 CapsuleArrayNumber;
  void *CapsulePtr[];
} EFI_CAPSULE_TABLE;

// Results of capsules (8.5.6).
#define EFI_CAPSULE_REPORT_GUID \
  {0x39b68c46, 0xf7fb, 0x441b, {0xb6, 0xec, 0x16, 0xb0, 0xf6, 0x98, 0x21, 0xf3}}

typedef struct {
  UINT32 VariableTotalSize;
  UINT32 Reserved;
  EFI_GUID CapsuleGuid;
  EFI_TIME CapsuleProcessed;
  EFI_STATUS CapsuleStatus;
} EFI_CAPSULE_RESULT_VARIABLE_HEADER;

#define EFI_OS_INDICATIONS_CAPSULE_RESULT_VAR_SUPPORTED 0x10u

#define ESRT_FW_TYPE_SYSTEMFIRMWARE 1
#define LAST_ATTEMPT_STATUS_SUCCESS 0
#define LAST_ATTEMPT_STATUS_ERROR_INSUFFICIENT_RESOURCES 2
#define LAST_ATTEMPT_STATUS_ERROR_INCORRECT_VERSION 3
#define LAST_ATTEMPT_STATUS_ERROR_INVALID_FORMAT 4
#define EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION 1

typedef struct {
  EFI_GUID FwClass;
  UINT32 FwType;
  UINT32 FwVersion;
  UINT32 LowestSupportedFwVersion;
  UINT32 CapsuleFlags;
  UINT32 LastAttemptVersion;
  UINT32 LastAttemptStatus;
} EFI_SYSTEM_RESOURCE_ENTRY;

typedef struct {
  UINT32 FwResourceCount;
  UINT32 FwResourceCountMax;
  UINT64 FwResourceVersion;
  EFI_SYSTEM_RESOURCE_ENTRY Entries[1];
} EFI_SYSTEM_RESOURCE_TABLE;

// The class of this firmware in its ESRT; a capsule that carries it is meant for us.
#define SYSTAB_FIRMWARE_CLASS_GUID \
  {0x6f1d5a34, 0x0c7e, 0x4b52, {0x9e, 0x21, 0x53, 0x59, 0x53, 0x54, 0x41, 0x42}}
#define SYSTAB_FIRMWARE_VERSION 0x00010000u

// Body of a capsule of that class, in front of its payload.
typedef struct {
  UINT32 Signature;
  UINT32 HeaderSize;
  UINT32 Version;
  UINT32 LowestSupportedVersion;
  UINT32 PayloadSize;
  // crc32 of the payload.
  UINT32 PayloadCrc;
} SystabFirmwareUpdate;
#define SYSTAB_FIRMWARE_UPDATE_SIGNATURE SIGNATURE_32('S', 'f', 'w', 'U')
