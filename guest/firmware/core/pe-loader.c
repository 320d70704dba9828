// Loads PE images (Microsoft PE/COFF specification) into memory of the type their subsystem asks for (UEFI 2.10, 7.4).
#include "pe-image.h"
#include "firmware.h"

static const PE_FILE_HEADER *file_header_of(const UINT8 *base) {
  return (const void *)(base + *(const UINT32 *)(base + PE_LFANEW_OFFSET));
}

static const PE_SECTION_HEADER *sections_of(const PE_FILE_HEADER *header) {
  return (const void *)((const UINT8 *)(header + 1) + header->SizeOfOptionalHeader);
}

// Everything the loader relies on: sizes, machine, sections inside file and image.
static EFI_STATUS check(const UINT8 *file, UINTN size) {
  if (size < PE_LFANEW_OFFSET + 4 || *(const UINT16 *)file != PE_MZ) return EFI_UNSUPPORTED;
  UINTN offset = *(const UINT32 *)(file + PE_LFANEW_OFFSET);
  if (offset > size || size - offset < sizeof(PE_FILE_HEADER) + sizeof(PE_OPTIONAL_HEADER)) return EFI_UNSUPPORTED;
  const PE_FILE_HEADER *header = file_header_of(file);
  const PE_OPTIONAL_HEADER *optional = (const void *)(header + 1);
  if (header->Signature != PE_SIGNATURE || header->Machine != PE_NATIVE_MACHINE ||
      optional->Magic != PE_NATIVE_MAGIC)
    return EFI_UNSUPPORTED;
  if (optional->Subsystem < PE_SUBSYSTEM_EFI_APPLICATION || optional->Subsystem > PE_SUBSYSTEM_EFI_RUNTIME_DRIVER)
    return EFI_UNSUPPORTED;
  UINTN table = (UINTN)((const UINT8 *)sections_of(header) - file);
  if (table > size || (size - table) / sizeof(PE_SECTION_HEADER) < header->NumberOfSections) return EFI_LOAD_ERROR;
  if (optional->SizeOfHeaders > size || optional->SizeOfHeaders > optional->SizeOfImage ||
      optional->AddressOfEntryPoint >= optional->SizeOfImage)
    return EFI_LOAD_ERROR;
  const PE_SECTION_HEADER *section = sections_of(header);
  for (UINTN i = 0; i < header->NumberOfSections; i++, section++) {
    if (section->SizeOfRawData && (section->PointerToRawData > size || size - section->PointerToRawData < section->SizeOfRawData))
      return EFI_LOAD_ERROR;
    if (section->VirtualAddress > optional->SizeOfImage ||
        optional->SizeOfImage - section->VirtualAddress < section->VirtualSize)
      return EFI_LOAD_ERROR;
  }
  return EFI_SUCCESS;
}

static bool relocate(const PeImage *image, UINTN delta) {
  UINTN at = 0;
  while (image->relocations_size - at >= sizeof(PE_RELOCATION_BLOCK)) {
    const PE_RELOCATION_BLOCK *block = (const void *)(image->relocations + at);
    if (block->BlockSize < sizeof(*block) || block->BlockSize > image->relocations_size - at) return false;
    const UINT16 *entry = (const UINT16 *)(block + 1);
    for (UINTN n = (block->BlockSize - sizeof(*block)) / 2; n; n--, entry++) {
      UINTN rva = block->PageRva + (*entry & 0xfff);
      UINT16 kind = *entry >> 12;
      if (kind == PE_REL_ABSOLUTE) continue;
      if (rva > image->size - sizeof(UINTN)) return false;
      if (kind == PE_REL_DIR64) *(UINT64 *)(image->base + rva) += delta;
      else if (kind == PE_REL_HIGHLOW) *(UINT32 *)(image->base + rva) += (UINT32)delta;
      else return false;
    }
    at += block->BlockSize;
  }
  return true;
}

static UINT32 code_type(UINT16 subsystem) {
  if (subsystem == PE_SUBSYSTEM_EFI_RUNTIME_DRIVER) return EfiRuntimeServicesCode;
  return subsystem == PE_SUBSYSTEM_EFI_APPLICATION ? EfiLoaderCode : EfiBootServicesCode;
}

EFI_STATUS pe_load(const UINT8 *file, UINTN size, PeImage *image) {
  EFI_STATUS status = check(file, size);
  if (EFI_ERROR(status)) return status;
  const PE_FILE_HEADER *header = file_header_of(file);
  const PE_OPTIONAL_HEADER *optional = (const void *)(header + 1);
  bool fixed = (header->Characteristics & PE_FILE_RELOCS_STRIPPED) != 0;
  EFI_PHYSICAL_ADDRESS base = optional->ImageBase;
  image->pages = EFI_SIZE_TO_PAGES((UINTN)optional->SizeOfImage);
  status = allocate_pages(fixed ? AllocateAddress : AllocateAnyPages, code_type(optional->Subsystem), image->pages, &base);
  if (EFI_ERROR(status)) return fixed ? EFI_LOAD_ERROR : status;
  image->base = (UINT8 *)(UINTN)base;
  image->size = optional->SizeOfImage;
  image->entry = (UINTN)base + optional->AddressOfEntryPoint;
  image->subsystem = optional->Subsystem;
  memset(image->base, 0, image->pages << EFI_PAGE_SHIFT);
  memcpy(image->base, file, optional->SizeOfHeaders);
  const PE_SECTION_HEADER *section = sections_of(header);
  for (UINTN i = 0; i < header->NumberOfSections; i++, section++)
    memcpy(image->base + section->VirtualAddress, file + section->PointerToRawData,
           section->SizeOfRawData < section->VirtualSize ? section->SizeOfRawData : section->VirtualSize);
  const PE_DATA_DIRECTORY *directory = &optional->DataDirectory[PE_DIRECTORY_BASE_RELOCATION];
  bool present = optional->NumberOfRvaAndSizes > PE_DIRECTORY_BASE_RELOCATION;
  image->relocations_size = present ? directory->Size : 0;
  image->relocations = image->base + (present ? directory->VirtualAddress : 0);
  bool inside = !present || (directory->VirtualAddress <= image->size &&
                             image->size - directory->VirtualAddress >= directory->Size);
  if (!inside || !relocate(image, (UINTN)base - (UINTN)optional->ImageBase)) {
    free_pages(base, image->pages);
    return EFI_LOAD_ERROR;
  }
  return EFI_SUCCESS;
}

// The most fixups that the relocations can hold.
static UINTN fixup_limit(const PeImage *image) {
  return image->relocations_size / sizeof(UINT16);
}

static void record_loaded_values(const PeImage *image, UINTN *values) {
  for (UINTN at = 0; image->relocations_size - at >= sizeof(PE_RELOCATION_BLOCK);) {
    const PE_RELOCATION_BLOCK *block = (const void *)(image->relocations + at);
    const UINT16 *entry = (const UINT16 *)(block + 1);
    for (UINTN n = (block->BlockSize - sizeof(*block)) / 2; n; n--, entry++)
      if (*entry >> 12 != PE_REL_ABSOLUTE)
        *values++ = *(const UINTN *)(image->base + block->PageRva + (*entry & 0xfff));
    at += block->BlockSize;
  }
}

bool pe_keep_for_runtime(const PeImage *image) {
  RuntimeImage *kept = allocate_pool_of(EfiRuntimeServicesData, sizeof(RuntimeImage));
  UINTN *values = allocate_pool_of(EfiRuntimeServicesData, fixup_limit(image) * sizeof(UINTN));
  if (!kept || !values) return false;
  record_loaded_values(image, values);
  *kept = (RuntimeImage){
      .next = handover->images,
      .base = image->base,
      .size = image->pages << EFI_PAGE_SHIFT,
      .relocations = image->relocations,
      .relocations_size = image->relocations_size,
      .loaded_values = values,
  };
  handover->images = kept;
  return true;
}

UINTN pe_memory_attributes(const RuntimeImage *image, EFI_MEMORY_DESCRIPTOR *to, UINTN capacity) {
  const PE_FILE_HEADER *header = file_header_of(image->base);
  const PE_SECTION_HEADER *section = sections_of(header);
  UINTN next = 0, count = 0;
  // Pages that no section fills, the headers first of all, are data.
  for (UINTN i = 0; i <= header->NumberOfSections && count + 2 <= capacity; i++, section++) {
    bool last = i == header->NumberOfSections;
    UINTN start = last ? image->size : section->VirtualAddress;
    UINTN end = last ? start : (start + section->VirtualSize + EFI_PAGE_MASK) & ~(UINTN)EFI_PAGE_MASK;
    if (start > next)
      to[count++] = (EFI_MEMORY_DESCRIPTOR){
          .PhysicalStart = (UINTN)image->base + next,
          .NumberOfPages = (start - next) >> EFI_PAGE_SHIFT,
          .Attribute = EFI_MEMORY_XP | EFI_MEMORY_RO,
      };
    if (end > start)
      to[count++] = (EFI_MEMORY_DESCRIPTOR){
          .PhysicalStart = (UINTN)image->base + start,
          .NumberOfPages = (end - start) >> EFI_PAGE_SHIFT,
          .Attribute = (section->Characteristics & PE_SCN_MEM_EXECUTE ? 0 : EFI_MEMORY_XP) |
                       (section->Characteristics & PE_SCN_MEM_WRITE ? 0 : EFI_MEMORY_RO),
      };
    next = end;
  }
  return count;
}
