// The firmware's memory map, and the map of the host that follows from it.
#include "hypervisor.h"

E820Map host_e820;

UINTN memory_descriptor_count(void) {
  return firmware.memory_map_size / firmware.descriptor_size;
}

const EFI_MEMORY_DESCRIPTOR *memory_descriptor(UINTN index) {
  return machine_pointer(firmware.memory_map + index * firmware.descriptor_size);
}

UINT64 memory_descriptor_end(const EFI_MEMORY_DESCRIPTOR *descriptor) {
  UINT64 end = descriptor->PhysicalStart + (descriptor->NumberOfPages << EFI_PAGE_SHIFT);
  bool wraps = descriptor->NumberOfPages >> (64 - EFI_PAGE_SHIFT) || (end && end < descriptor->PhysicalStart);
  return wraps || (!end && descriptor->PhysicalStart) ? UINT64_MAX : end;
}

static UINT32 e820_type(const EFI_MEMORY_DESCRIPTOR *descriptor) {
  switch (descriptor->Type) {
    case EfiACPIReclaimMemory:
      return E820_ACPI;
    case EfiACPIMemoryNVS:
      return E820_NVS;
    case EfiUnusableMemory:
      return E820_UNUSABLE;
    case EfiBootServicesCode:
    case EfiBootServicesData:
      if (options.map_boot_services) return E820_RESERVED;
      break;
    case EfiConventionalMemory:
    case EfiLoaderCode:
    case EfiLoaderData:
      break;
    default:
      return E820_RESERVED;
  }
  if (descriptor->Attribute & EFI_MEMORY_RUNTIME) return E820_RESERVED;
  return descriptor->Attribute & EFI_MEMORY_WB ? E820_RAM : E820_UNUSABLE;
}

static void insert(E820Entry entry) {
  if (host_e820.count == MAX_E820) return;
  UINTN at = host_e820.count++;
  for (; at > 0 && host_e820.entries[at - 1].addr > entry.addr; at--) host_e820.entries[at] = host_e820.entries[at - 1];
  host_e820.entries[at] = entry;
}

static void merge_neighbours(void) {
  UINTN kept = 0;
  for (UINTN i = 1; i < host_e820.count; i++) {
    E820Entry *last = &host_e820.entries[kept], *next = &host_e820.entries[i];
    if (last->type == next->type && last->addr + last->size == next->addr) last->size += next->size;
    else host_e820.entries[++kept] = *next;
  }
  if (host_e820.count) host_e820.count = kept + 1;
}

void e820_build(void) {
  host_e820.count = 0;
  for (UINTN i = 0; i < memory_descriptor_count(); i++) {
    const EFI_MEMORY_DESCRIPTOR *descriptor = memory_descriptor(i);
    UINT64 start = descriptor->PhysicalStart, end = memory_descriptor_end(descriptor);
    if (end <= start) continue;
    insert((E820Entry){start, end - start, e820_type(descriptor)});
    // A long map of small pieces fits when neighbours join.
    if (host_e820.count == MAX_E820) merge_neighbours();
  }
  merge_neighbours();
}

void e820_print(void) {
  static const char *const names[] = {"", "usable", "reserved", "ACPI data", "ACPI NVS", "unusable"};
  UINT64 ram = 0;
  printk("EFI RAM map:");
  for (UINTN i = 0; i < host_e820.count; i++) {
    const E820Entry *entry = &host_e820.entries[i];
    printk(" [%016llx, %016llx] (%s)", entry->addr, entry->addr + entry->size - 1, names[entry->type]);
    if (entry->type == E820_RAM) ram += entry->size;
  }
  printk("System RAM: %lluMB (%llukB)", ram >> 20, ram >> 10);
}

UINT32 e820_type_at(UINT64 address) {
  for (UINTN i = 0; i < host_e820.count; i++) {
    const E820Entry *entry = &host_e820.entries[i];
    if (entry->addr <= address && address - entry->addr < entry->size) return entry->type;
  }
  return 0;
}

UINT64 max_frame(void) {
  UINT64 end = 0;
  for (UINTN i = 0; i < host_e820.count; i++) {
    const E820Entry *entry = &host_e820.entries[i];
    if (entry->type == E820_RAM && entry->addr + entry->size > end) end = entry->addr + entry->size;
  }
  return end >> PAGE_SHIFT;
}
