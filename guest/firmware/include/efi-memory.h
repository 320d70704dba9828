// Memory types, attributes and descriptors. UEFI 2.10, 7.2.
#pragma once
#include "efi-base.h"

enum {
  EfiReservedMemoryType,
  EfiLoaderCode,
  EfiLoaderData,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiConventionalMemory,
  EfiUnusableMemory,
  EfiACPIReclaimMemory,
  EfiACPIMemoryNVS,
  EfiMemoryMappedIO,
  EfiMemoryMappedIOPortSpace,
  EfiPalCode,
  EfiPersistentMemory,
  EfiUnacceptedMemoryType,
  EfiMaxMemoryType,
};
// Types from here on belong to manufacturers (0x7...) and operating systems (0x8...).
#define EFI_MEMORY_TYPE_OPEN 0x70000000u

#define EFI_MEMORY_UC 0x1ull
#define EFI_MEMORY_WC 0x2ull
#define EFI_MEMORY_WT 0x4ull
#define EFI_MEMORY_WB 0x8ull
#define EFI_MEMORY_XP 0x4000ull
#define EFI_MEMORY_RO 0x20000ull
#define EFI_MEMORY_RUNTIME 0x8000000000000000ull
#define EFI_MEMORY_CACHEABLE (EFI_MEMORY_UC | EFI_MEMORY_WC | EFI_MEMORY_WT | EFI_MEMORY_WB)

#define EFI_MEMORY_DESCRIPTOR_VERSION 1

typedef struct {
  UINT32 Type;
  UINT32 Pad;
  EFI_PHYSICAL_ADDRESS PhysicalStart;
  EFI_VIRTUAL_ADDRESS VirtualStart;
  UINT64 NumberOfPages;
  UINT64 Attribute;
} EFI_MEMORY_DESCRIPTOR;

enum { AllocateAnyPages, AllocateMaxAddress, AllocateAddress, MaxAllocateType };

// 4.6.4
#define EFI_MEMORY_ATTRIBUTES_TABLE_VERSION 2
typedef struct {
  UINT32 Version;
  UINT32 NumberOfEntries;
  UINT32 DescriptorSize;
  UINT32 Flags;
} EFI_MEMORY_ATTRIBUTES_TABLE;
