// The memory map and the page services. UEFI 2.10, 7.2.1 to 7.2.3.
#include "firmware.h"

#define MAX_REGIONS 256
// Larger than the structure, so that callers have to step by what they are told (7.2.3).
#define DESCRIPTOR_SIZE 48
// Memory for AllocateAnyPages comes from below this, where 32-bit tables can point to it.
#define ANY_PAGES_LIMIT 0xffffffffull
#define LEGACY_START 0xa0000
#define LEGACY_END 0x100000
#define E820_RAM 1
#define E820_RESERVED 2

typedef struct {
  UINT32 type;
  UINT64 start;
  UINT64 pages;
  UINT64 attribute;
} Region;

// In ascending order, without overlap; neighbours of one kind are one region.
static Region regions[MAX_REGIONS];
static UINTN region_count;
static UINTN map_key = 1;

static UINT64 end_of(const Region *region) {
  return region->start + (region->pages << EFI_PAGE_SHIFT);
}

static bool joins(const Region *left, const Region *right) {
  return left->type == right->type && left->attribute == right->attribute && end_of(left) == right->start;
}

static void remove_region(UINTN index) {
  memmove(&regions[index], &regions[index + 1], (region_count - index - 1) * sizeof(Region));
  region_count--;
}

static void insert_region(UINTN index, Region region) {
  memmove(&regions[index + 1], &regions[index], (region_count - index) * sizeof(Region));
  regions[index] = region;
  region_count++;
}

void memory_map_add(UINT32 type, UINT64 start, UINT64 pages, UINT64 attribute) {
  if (pages == 0) return;
  if (region_count == MAX_REGIONS) platform_halt("memory map is full");
  UINTN at = 0;
  while (at < region_count && regions[at].start < start) at++;
  insert_region(at, (Region){type, start, pages, attribute});
  if (at + 1 < region_count && joins(&regions[at], &regions[at + 1])) {
    regions[at].pages += regions[at + 1].pages;
    remove_region(at + 1);
  }
  if (at > 0 && joins(&regions[at - 1], &regions[at])) {
    regions[at - 1].pages += regions[at].pages;
    remove_region(at);
  }
  map_key++;
}

static Region *region_at(UINT64 address) {
  for (UINTN i = 0; i < region_count; i++)
    if (regions[i].start <= address && address < end_of(&regions[i])) return &regions[i];
  return NULL;
}

static UINT64 attributes_of(UINT32 type) {
  bool runtime = type == EfiRuntimeServicesCode || type == EfiRuntimeServicesData;
  return EFI_MEMORY_CACHEABLE | (runtime ? EFI_MEMORY_RUNTIME : 0);
}

// Gives pages of one region another type. The range lies inside the region.
static bool retype(Region *region, UINT64 start, UINT64 pages, UINT32 type) {
  // A split adds up to two regions.
  if (region_count + 2 > MAX_REGIONS) return false;
  Region old = *region;
  UINT64 end = start + (pages << EFI_PAGE_SHIFT);
  remove_region((UINTN)(region - regions));
  memory_map_add(old.type, old.start, (start - old.start) >> EFI_PAGE_SHIFT, old.attribute);
  memory_map_add(old.type, end, (end_of(&old) - end) >> EFI_PAGE_SHIFT, old.attribute);
  memory_map_add(type, start, pages, attributes_of(type));
  return true;
}

static void claim(UINT32 type, UINT64 start, UINT64 end) {
  Region *region = region_at(start);
  if (!region || end > end_of(region)) platform_halt("firmware memory is missing");
  retype(region, start, (end - start) >> EFI_PAGE_SHIFT, type);
}

typedef struct {
  uint64_t start;
  uint64_t length;
  UINT32 type;
} __attribute__((packed)) E820Entry;

static void add_ram(UINT64 start, UINT64 end) {
  start = (start + EFI_PAGE_MASK) & ~(UINT64)EFI_PAGE_MASK;
  if (end > start)
    memory_map_add(EfiConventionalMemory, start, (end - start) >> EFI_PAGE_SHIFT, attributes_of(EfiConventionalMemory));
}

void memory_map_start(void) {
  static E820Entry entries[32];
  UINT16 item;
  UINT32 size;
  if (!fw_cfg_find("etc/e820", &item, &size)) platform_halt("fw_cfg has no etc/e820");
  if (size > sizeof(entries)) size = sizeof(entries);
  fw_cfg_read(item, entries, size);
  for (UINTN i = 0; i < size / sizeof(E820Entry); i++) {
    UINT64 start = entries[i].start;
    UINT64 end = start + entries[i].length;
    if (entries[i].type == E820_RESERVED)
      memory_map_add(EfiReservedMemoryType, start, entries[i].length >> EFI_PAGE_SHIFT, 0);
    if (entries[i].type != E820_RAM) continue;
    // RAM below the display and the ROM copies is not reachable.
    if (start < LEGACY_START) {
      add_ram(start, end < LEGACY_START ? end : LEGACY_START);
      start = LEGACY_END;
    }
    add_ram(start, end);
  }
  memory_map_add(EfiMemoryMappedIO, FLASH_WINDOW, FLASH_WINDOW_PAGES, EFI_MEMORY_UC | EFI_MEMORY_RUNTIME);
  // Page 0 stays out of the way of null pointers until the operating system has the machine.
  claim(EfiBootServicesCode, 0, EFI_PAGE_SIZE);
  UINT64 code_end = ((UINTN)core_code_end + EFI_PAGE_MASK) & ~(UINTN)EFI_PAGE_MASK;
  claim(EfiBootServicesData, (UINTN)core_stack_top - 0x20000, (UINTN)core_start);
  claim(EfiBootServicesCode, (UINTN)core_start, code_end);
  claim(EfiBootServicesData, code_end, (UINTN)core_end);
}

// The highest free pages that end at or below `limit` + 1; 0 when there are none.
static UINT64 find_free(UINT64 pages, UINT64 limit) {
  UINT64 size = pages << EFI_PAGE_SHIFT;
  for (UINTN i = region_count; i-- > 0;) {
    const Region *region = &regions[i];
    if (region->type != EfiConventionalMemory || region->start > limit) continue;
    UINT64 end = end_of(region);
    if (end > limit + 1) end = (limit + 1) & ~(UINT64)EFI_PAGE_MASK;
    if (end >= region->start + size && end - size != 0) return end - size;
  }
  return 0;
}

EFI_STATUS EFIAPI allocate_pages(UINT32 how, UINT32 type, UINTN pages, EFI_PHYSICAL_ADDRESS *memory) {
  if (how >= MaxAllocateType || !memory) return EFI_INVALID_PARAMETER;
  if ((type >= EfiMaxMemoryType && type < EFI_MEMORY_TYPE_OPEN) || type == EfiConventionalMemory ||
      type == EfiPersistentMemory || type == EfiUnacceptedMemoryType)
    return EFI_INVALID_PARAMETER;
  if (pages == 0) return EFI_INVALID_PARAMETER;
  if (pages > UINT32_MAX) return how == AllocateAddress ? EFI_NOT_FOUND : EFI_OUT_OF_RESOURCES;
  UINT64 start;
  if (how == AllocateAddress) {
    start = *memory;
    Region *region = region_at(start);
    UINT64 size = (UINT64)pages << EFI_PAGE_SHIFT;
    if (start & EFI_PAGE_MASK || !region || region->type != EfiConventionalMemory || end_of(region) - start < size)
      return EFI_NOT_FOUND;
  } else {
    UINT64 limit = how == AllocateMaxAddress && *memory < UINT64_MAX ? *memory : UINT64_MAX - 1;
    if (how == AllocateAnyPages || sizeof(UINTN) == 4) limit = limit < ANY_PAGES_LIMIT ? limit : ANY_PAGES_LIMIT;
    start = find_free(pages, limit);
    if (start == 0) return EFI_OUT_OF_RESOURCES;
  }
  if (!retype(region_at(start), start, pages, type)) return EFI_OUT_OF_RESOURCES;
  *memory = start;
  return EFI_SUCCESS;
}

void *allocate_pages_of(UINT32 type, UINTN pages) {
  EFI_PHYSICAL_ADDRESS memory;
  if (EFI_ERROR(allocate_pages(AllocateAnyPages, type, pages, &memory))) return NULL;
  memset((void *)(UINTN)memory, 0, pages << EFI_PAGE_SHIFT);
  return (void *)(UINTN)memory;
}

EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS memory, UINTN pages) {
  if (memory & EFI_PAGE_MASK || pages == 0) return EFI_INVALID_PARAMETER;
  Region *region = region_at(memory);
  if (!region || region->type == EfiConventionalMemory || region->type == EfiMemoryMappedIO) return EFI_NOT_FOUND;
  if ((end_of(region) - memory) >> EFI_PAGE_SHIFT < pages) return EFI_NOT_FOUND;
  return retype(region, memory, pages, EfiConventionalMemory) ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *descriptor_size,
                                 UINT32 *descriptor_version) {
  if (!size) return EFI_INVALID_PARAMETER;
  UINTN needed = region_count * DESCRIPTOR_SIZE;
  UINTN given = *size;
  if (descriptor_size) *descriptor_size = DESCRIPTOR_SIZE;
  if (descriptor_version) *descriptor_version = EFI_MEMORY_DESCRIPTOR_VERSION;
  *size = needed;
  if (given < needed) return EFI_BUFFER_TOO_SMALL;
  if (!map) return EFI_INVALID_PARAMETER;
  memset(map, 0, needed);
  for (UINTN i = 0; i < region_count; i++) {
    EFI_MEMORY_DESCRIPTOR *descriptor = (void *)((UINT8 *)map + i * DESCRIPTOR_SIZE);
    descriptor->Type = regions[i].type;
    descriptor->PhysicalStart = regions[i].start;
    descriptor->NumberOfPages = regions[i].pages;
    descriptor->Attribute = regions[i].attribute;
  }
  if (key) *key = map_key;
  return EFI_SUCCESS;
}

bool memory_map_key_is(UINTN key) {
  return key == map_key;
}

bool memory_map_is_free(UINT64 start, UINT64 length) {
  const Region *region = region_at(start);
  if (length == 0 || !region || region->type != EfiConventionalMemory || length > end_of(region) - start) return false;
  return start + length - 1 <= UINTPTR_MAX;
}

UINTN memory_map_runtime_regions(RuntimeRegion *to, UINTN capacity) {
  UINTN count = 0;
  for (UINTN i = 0; i < region_count && count < capacity; i++)
    if (regions[i].attribute & EFI_MEMORY_RUNTIME) to[count++] = (RuntimeRegion){regions[i].start, regions[i].pages};
  return count;
}

UINTN memory_map_known_regions(RuntimeRegion *to, UINTN capacity) {
  UINTN count = 0;
  for (UINTN i = 0; i < region_count; i++) {
    if (i > 0 && end_of(&regions[i - 1]) == regions[i].start) to[count - 1].pages += regions[i].pages;
    else if (count == capacity) break;
    else to[count++] = (RuntimeRegion){regions[i].start, regions[i].pages};
  }
  return count;
}

UINTN memory_map_regions_of(UINT32 type, RuntimeRegion *to, UINTN capacity) {
  UINTN count = 0;
  for (UINTN i = 0; i < region_count && count < capacity; i++)
    if (regions[i].type == type) to[count++] = (RuntimeRegion){regions[i].start, regions[i].pages};
  return count;
}

// Where the highest conventional memory ends.
UINT64 memory_map_end(void) {
  for (UINTN i = region_count; i-- > 0;)
    if (regions[i].type == EfiConventionalMemory) return end_of(&regions[i]);
  return 0;
}
