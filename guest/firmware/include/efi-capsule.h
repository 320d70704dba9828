// Capsules and the system resource table. UEFI 2.10, 8.5.3 and 23.4.
#pragma once
#include "efi-base.h"

#define CAPSULE_FLAGS_PERSIST_ACROSS_RESET 0x00010000u
#define CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE 0x00020000u
#define CAPSULE_FLAGS_INITIATE_RESET 0x00040000u

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

#define ESRT_FW_TYPE_SYSTEMFIRMWARE 1
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
