// memory_op and update_va_mapping (Xen 4.17, arch/x86/mm.c).
#include "hypervisor.h"

// What a guest may say in an entry of its last level: present, writable, user, caching, accessed, dirty, global (which changes
// nothing), software bits, no execute.
#define PTE_GLOBAL 0x100ull
#define ALLOWED_FLAGS                                                                                               \
  (PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_PWT | PTE_PCD | PTE_ACCESSED | PTE_DIRTY | PTE_PAT_4K | PTE_GLOBAL | \
   0xe00 | PTE_NX)

// Messages for local APICs are written to all of this (SDM Vol. 3A, 11.11.1).
#define MESSAGE_RANGE 0x100000ull

// Device memory that stays with the hypervisor.
static const struct {
  UINT64 start;
  UINT64 size;
} private_ranges[] = {{IO_APIC, PAGE_SIZE}, {LOCAL_APIC, MESSAGE_RANGE}};

typedef struct {
  XenMemoryMap map;
  UINT32 count;
} Writer;

static INTN write_entry(Writer *writer, UINT64 start, UINT64 end, UINT32 type) {
  E820Entry entry = {start, end - start, type};
  if (writer->map.nr_entries && writer->map.buffer) {
    if (writer->count >= writer->map.nr_entries) return -XEN_EINVAL;
    if (!copy_to_guest(writer->map.buffer + writer->count * sizeof(entry), &entry, sizeof(entry))) return -XEN_EFAULT;
  }
  writer->count++;
  return 0;
}

// What of the gap between two entries no domain may touch is reserved.
static INTN write_gap(Writer *writer, UINT64 start, UINT64 end) {
  for (UINTN i = 0; i < ARRAY_LENGTH(private_ranges); i++) {
    if (private_ranges[i].start < start || private_ranges[i].start >= end) continue;
    INTN result =
        write_entry(writer, private_ranges[i].start, private_ranges[i].start + private_ranges[i].size, E820_RESERVED);
    if (result) return result;
  }
  return 0;
}

static INTN machine_memory_map(GuestHandle argument) {
  Writer writer = {.count = 0};
  if (!domain.privileged) return -XEN_EPERM;
  if (!copy_from_guest(&writer.map, argument, sizeof(writer.map))) return -XEN_EFAULT;
  if (writer.map.buffer && writer.map.nr_entries < host_e820.count + 1) return -XEN_EINVAL;
  UINT64 previous = 0;
  for (UINTN i = 0; i < host_e820.count; i++) {
    const E820Entry *entry = &host_e820.entries[i];
    INTN result = write_gap(&writer, previous, entry->addr);
    if (!result) result = write_entry(&writer, entry->addr, entry->addr + entry->size, entry->type);
    if (result) return result;
    previous = entry->addr + entry->size;
  }
  INTN result = write_gap(&writer, previous, UINT64_MAX);
  if (result) return result;
  writer.map.nr_entries = writer.count;
  return copy_to_guest(argument, &writer.map, sizeof(writer.map)) ? 0 : -XEN_EFAULT;
}

INTN do_memory_op(UINT32 command, GuestHandle argument) {
  switch (command) {
    case XENMEM_machine_memory_map:
      return machine_memory_map(argument);
    case XENMEM_machphys_mapping: {
      UINT64 last = max_frame() - 1;
      XenMachphysMapping mapping = {MACH2PHYS_VIRT_START, MACH2PHYS_VIRT_START + (last + 1) * sizeof(UINT64), last};
      return copy_to_guest(argument, &mapping, sizeof(mapping)) ? 0 : -XEN_EFAULT;
    }
    // The initial domain has no map of its own: it takes the machine's.
    case XENMEM_memory_map:
    default:
      return -XEN_ENOSYS;
  }
}

// RAM below 1 MiB counts as a device, since the times of the BIOS.
static bool is_device(UINT64 address) {
  return address < LOW_MEMORY_END || e820_type_at(address) != E820_RAM;
}

static bool is_private(UINT64 address) {
  for (UINTN i = 0; i < ARRAY_LENGTH(private_ranges); i++)
    if (address >= private_ranges[i].start && address - private_ranges[i].start < private_ranges[i].size) return true;
  return false;
}

INTN do_update_va_mapping(UINT64 virtual, UINT64 entry, UINT64 flags) {
  (void)flags;
  UINT64 *place = virtual < HYPERVISOR_VIRT_START || virtual >= HYPERVISOR_VIRT_END ? find_page_entry(domain.root, virtual) : NULL;
  if (!place) return -XEN_EINVAL;
  if (entry & PTE_PRESENT) {
    UINT64 address = entry & PTE_ADDRESS;
    if (entry & ~PTE_ADDRESS & ~ALLOWED_FLAGS) return -XEN_EINVAL;
    bool is_table = address >= domain.tables_start && address < domain.tables_end;
    if (domain_owns(address)) {
      // A guest that writes its own page tables could map anything.
      if (is_table && entry & PTE_WRITABLE) return -XEN_EINVAL;
    } else if (address != domain.shared_info_address) {
      // Memory that is nobody's business but the hypervisor's; devices and tables of the firmware are the control domain's.
      if (!domain.privileged || !is_device(address) || is_private(address)) return -XEN_EINVAL;
      entry |= PTE_PWT | PTE_PCD;
    }
    entry = (entry | PTE_USER) & ~PTE_GLOBAL;
  }
  *place = entry;
  __asm__ volatile("invlpg (%0)" : : "r"(virtual) : "memory");
  return 0;
}
