// Memory, GUID and checksum routines shared by core and runtime driver.
#pragma once
#include "efi-base.h"

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

// CRC-32 of IEEE 802.3 (polynomial 0xedb88320 reflected), as every UEFI table header has it (4.2).
UINT32 crc32(const void *bytes, UINTN count);

// Sets the CRC32 field of a table that begins with EFI_TABLE_HEADER.
void seal_table(void *table);

static inline bool same_guid(const EFI_GUID *left, const EFI_GUID *right) {
  return memcmp(left, right, sizeof(EFI_GUID)) == 0;
}
