// SetVirtualAddressMap and ConvertPointer. UEFI 2.10, 8.4. This image is relocated like every runtime driver while it
// runs: from relocate_images on nothing global is touched any more.
#include "pe-image.h"
#include "runtime.h"

typedef struct {
  const UINT8 *entries;
  UINTN size;
  UINTN step;
} AddressMap;

static AddressMap map;
static bool is_virtual;

static const EFI_MEMORY_DESCRIPTOR *entry_of(const AddressMap *in, UINT64 address, bool runtime_only) {
  for (UINTN at = 0; at < in->size; at += in->step) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const void *)(in->entries + at);
    if (runtime_only && !(entry->Attribute & EFI_MEMORY_RUNTIME)) continue;
    if (address >= entry->PhysicalStart && address - entry->PhysicalStart < entry->NumberOfPages << EFI_PAGE_SHIFT)
      return entry;
  }
  return NULL;
}

static bool convert(const AddressMap *in, UINTN *address) {
  const EFI_MEMORY_DESCRIPTOR *entry = entry_of(in, *address, true);
  if (!entry) return false;
  *address = (UINTN)(entry->VirtualStart + (*address - entry->PhysicalStart));
  return true;
}

EFI_STATUS EFIAPI convert_pointer(UINTN disposition, void **address) {
  if (!address) return EFI_INVALID_PARAMETER;
  if (!*address) return disposition & EFI_OPTIONAL_PTR ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
  return convert(&map, (UINTN *)address) ? EFI_SUCCESS : EFI_NOT_FOUND;
}

// Every page of the regions that need a mapping has one.
static bool is_complete(const AddressMap *in) {
  for (UINTN i = 0; i < handover->region_count; i++) {
    UINT64 at = handover->regions[i].start;
    UINT64 end = at + (handover->regions[i].pages << EFI_PAGE_SHIFT);
    while (at < end) {
      const EFI_MEMORY_DESCRIPTOR *entry = entry_of(in, at, true);
      if (!entry || entry->VirtualStart == 0) return false;
      at = entry->PhysicalStart + (entry->NumberOfPages << EFI_PAGE_SHIFT);
    }
  }
  return true;
}

// No runtime mapping is given for what is not in the memory map. It may well be given for memory of other types: Linux
// does so for boot services memory that it keeps.
static bool is_known(const AddressMap *in) {
  for (UINTN offset = 0; offset < in->size; offset += in->step) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const void *)(in->entries + offset);
    if (!(entry->Attribute & EFI_MEMORY_RUNTIME)) continue;
    UINT64 at = entry->PhysicalStart;
    UINT64 end = at + (entry->NumberOfPages << EFI_PAGE_SHIFT);
    while (at < end) {
      UINTN i = 0;
      const RuntimeRegion *region = handover->known;
      while (i < handover->known_count &&
             (at < region[i].start || at - region[i].start >= region[i].pages << EFI_PAGE_SHIFT))
        i++;
      if (i == handover->known_count) return false;
      at = region[i].start + (region[i].pages << EFI_PAGE_SHIFT);
    }
  }
  return true;
}

// What the fixups point to moves with the image; a pointer that its driver has converted by itself has another value
// than after loading and stays.
static void relocate(const RuntimeImage *image, UINTN delta) {
  const UINTN *loaded = image->loaded_values;
  for (UINTN at = 0; image->relocations_size - at >= sizeof(PE_RELOCATION_BLOCK);) {
    const PE_RELOCATION_BLOCK *block = (const void *)(image->relocations + at);
    const UINT16 *entry = (const UINT16 *)(block + 1);
    for (UINTN n = (block->BlockSize - sizeof(*block)) / 2; n; n--, entry++) {
      UINTN *value = (UINTN *)(image->base + block->PageRva + (*entry & 0xfff));
      if (*entry >> 12 == PE_REL_ABSOLUTE) continue;
      if (*value == *loaded++) *value += delta;
    }
    at += block->BlockSize;
  }
}

static void relocate_images(const AddressMap *in, const RuntimeImage *images) {
  for (const RuntimeImage *image = images; image; image = image->next) {
    UINTN base = (UINTN)image->base;
    if (convert(in, &base)) relocate(image, base - (UINTN)image->base);
  }
}

// Converts what this driver and its tables point to.
static void convert_tables(void) {
  EFI_SYSTEM_TABLE *system_table = handover->system_table;
  EFI_RUNTIME_SERVICES *services = system_table->RuntimeServices;
  void **functions = (void **)(services + 1) - (sizeof(*services) - sizeof(services->Hdr)) / sizeof(void *);
  for (; functions < (void **)(services + 1); functions++) convert_pointer(0, functions);
  seal_table(services);
  // Each table's own address stays physical: the operating system has it from here (4.6).
  convert_pointer(0, (void **)&system_table->FirmwareVendor);
  convert_pointer(0, (void **)&system_table->ConfigurationTable);
  convert_pointer(0, (void **)&system_table->RuntimeServices);
  seal_table(system_table);
  variables_convert();
  convert_pointer(0, (void **)&handover->scratch);
  convert_pointer(0, (void **)&handover);
}

EFI_STATUS EFIAPI set_virtual_address_map(UINTN size, UINTN step, UINT32 version, EFI_MEMORY_DESCRIPTOR *entries) {
  if (!at_runtime || is_virtual) return EFI_UNSUPPORTED;
  if (version != EFI_MEMORY_DESCRIPTOR_VERSION || step < sizeof(EFI_MEMORY_DESCRIPTOR) || !entries || size % step != 0)
    return EFI_INVALID_PARAMETER;
  AddressMap given = {(const UINT8 *)entries, size, step};
  if (!is_complete(&given)) return EFI_NO_MAPPING;
  if (!is_known(&given)) return EFI_NOT_FOUND;
  is_virtual = true;
  map = given;
  const RuntimeImage *images = handover->images;
  for (const AddressChangeEvent *event = handover->address_change; event; event = event->next)
    event->notify(event->event, event->context);
  convert_tables();
  map = (AddressMap){0};
  relocate_images(&given, images);
  return EFI_SUCCESS;
}
