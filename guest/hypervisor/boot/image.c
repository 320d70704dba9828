// This program's own PE image in memory: sections that were added to it, and its relocations.
#include "loader.h"
#include "pe-image.h"

static const PE_FILE_HEADER *file_header(void) {
  const UINT8 *base = loaded_image->ImageBase;
  UINT32 offset;
  memcpy(&offset, base + PE_LFANEW_OFFSET, sizeof(offset));
  return (const PE_FILE_HEADER *)(base + offset);
}

static const PE_OPTIONAL_HEADER *optional_header(void) {
  return (const PE_OPTIONAL_HEADER *)(file_header() + 1);
}

bool find_section(const char *name, UINT8 **start, UINTN *size) {
  const PE_FILE_HEADER *header = file_header();
  const PE_SECTION_HEADER *section = (const void *)((const UINT8 *)optional_header() + header->SizeOfOptionalHeader);
  for (UINTN i = 0; i < header->NumberOfSections; i++, section++) {
    UINTN length = 0;
    while (length < sizeof(section->Name) && section->Name[length] && section->Name[length] == (UINT8)name[length]) length++;
    if (name[length] || (length < sizeof(section->Name) && section->Name[length])) continue;
    if (section->VirtualAddress + (UINT64)section->VirtualSize > loaded_image->ImageSize) return false;
    *start = (UINT8 *)loaded_image->ImageBase + section->VirtualAddress;
    *size = section->VirtualSize;
    return true;
  }
  return false;
}

bool relocate_image(UINT64 delta) {
  UINT8 *base = loaded_image->ImageBase;
  PE_DATA_DIRECTORY directory = optional_header()->DataDirectory[PE_DIRECTORY_BASE_RELOCATION];
  if ((UINT64)directory.VirtualAddress + directory.Size > loaded_image->ImageSize) return false;
  for (UINTN at = 0; at + sizeof(PE_RELOCATION_BLOCK) <= directory.Size;) {
    const PE_RELOCATION_BLOCK *block = (const void *)(base + directory.VirtualAddress + at);
    if (block->BlockSize < sizeof(*block) || block->BlockSize > directory.Size - at) return false;
    const UINT16 *entries = (const UINT16 *)(block + 1);
    for (UINTN i = 0; i < (block->BlockSize - sizeof(*block)) / sizeof(UINT16); i++) {
      UINT16 type = entries[i] >> 12;
      if (type == PE_REL_ABSOLUTE) continue;
      if (type != PE_REL_DIR64) return false;
      UINT8 *place = base + block->PageRva + (entries[i] & 0xfff);
      UINT64 value;
      memcpy(&value, place, sizeof(value));
      value += delta;
      memcpy(place, &value, sizeof(value));
    }
    at += block->BlockSize;
  }
  return true;
}
