#include "memory.h"
#include "efi-tables.h"

#ifndef HOST_TEST
void *memcpy(void *to, const void *from, size_t count) {
  void *cursor = to;
  __asm__ volatile("rep movsb" : "+D"(cursor), "+S"(from), "+c"(count) : : "memory");
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  if ((UINTN)to - (UINTN)from >= count) return memcpy(to, from, count);
  UINT8 *target = (UINT8 *)to + count - 1;
  const UINT8 *source = (const UINT8 *)from + count - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
  return to;
}

void *memset(void *to, int value, size_t count) {
  void *cursor = to;
  __asm__ volatile("rep stosb" : "+D"(cursor), "+c"(count) : "a"(value) : "memory");
  return to;
}

int memcmp(const void *left, const void *right, size_t count) {
  const UINT8 *a = left;
  const UINT8 *b = right;
  for (size_t i = 0; i < count; i++)
    if (a[i] != b[i]) return a[i] - b[i];
  return 0;
}
#endif

UINT32 crc32(const void *bytes, UINTN count) {
  // One entry for each value of four bits.
  static const UINT32 table[16] = {
      0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
  };
  const UINT8 *at = bytes;
  UINT32 crc = ~0u;
  while (count--) {
    crc ^= *at++;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

void seal_table(void *table) {
  EFI_TABLE_HEADER *header = table;
  header->CRC32 = 0;
  header->CRC32 = crc32(header, header->HeaderSize);
}
