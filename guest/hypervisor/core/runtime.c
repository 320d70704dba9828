// How the firmware's runtime services are called: in physical mode, on a page table that maps them where they are, with the guest's
// floating point state out of the way.
#include "hypervisor.h"

// Attributes that the reference firmware has no use for (UEFI 2.10, 7.2.3).
#define EFI_MEMORY_UCE 0x10ull
#define EFI_MEMORY_WP 0x1000ull
#define FXSAVE_SIZE 512
#define CONTROL_WORD 0x37f
#define MXCSR_DEFAULT 0x1f80
#define NO_CACHEABILITY UINT64_MAX

static UINT64 root_address;
static UINT64 guest_root;
static bool inside;
static UINT8 guest_fpu[FXSAVE_SIZE] __attribute__((aligned(16)));

static const struct {
  UINT64 attribute;
  UINT64 flags;
} cacheability[] = {
    {EFI_MEMORY_WB, 0},
    {EFI_MEMORY_WT, PTE_PWT},
    {EFI_MEMORY_WC, PTE_PAT_4K},
    {EFI_MEMORY_UC | EFI_MEMORY_UCE, PTE_PWT | PTE_PCD},
    {EFI_MEMORY_WP, PTE_PAT_4K | PTE_PWT},
};

static UINT64 flags_of(const EFI_MEMORY_DESCRIPTOR *descriptor) {
  UINT64 flags = PTE_MEMORY;
  UINTN i = 0;
  while (i < ARRAY_LENGTH(cacheability) && !(descriptor->Attribute & cacheability[i].attribute)) i++;
  if (i < ARRAY_LENGTH(cacheability)) flags |= cacheability[i].flags;
  else if (options.map_uncached) flags |= PTE_PWT | PTE_PCD;
  else return NO_CACHEABILITY;
  if (descriptor->Attribute & EFI_MEMORY_RO) flags &= ~PTE_WRITABLE;
  if (descriptor->Attribute & EFI_MEMORY_XP) flags |= PTE_NX;
  return flags;
}

static bool is_boot_services(UINT32 type) {
  return type == EfiBootServicesCode || type == EfiBootServicesData;
}

static void map_both(UINT64 start, UINT64 end, UINT64 flags) {
  start = ROUND_DOWN(start, PAGE_SIZE);
  end = ROUND_UP(end, PAGE_SIZE);
  map_range(machine_pointer(root_address), DIRECTMAP_VIRT_START + start, start, end - start, flags);
  map_range(machine_pointer(root_address), start, start, end - start, flags);
}

// RAM and tables by the map of the host, so that what lies in one piece is mapped by large pages.
static void map_host_memory(void) {
  for (UINTN i = 0; i < host_e820.count; i++) {
    const E820Entry *entry = &host_e820.entries[i];
    if (entry->type == E820_RAM || entry->type == E820_ACPI || entry->type == E820_NVS)
      map_both(entry->addr, entry->addr + entry->size, PTE_MEMORY);
  }
}

static void map_descriptor(const EFI_MEMORY_DESCRIPTOR *descriptor) {
  bool kept = is_boot_services(descriptor->Type) && options.map_boot_services;
  bool runtime = descriptor->Type == EfiRuntimeServicesCode || descriptor->Type == EfiRuntimeServicesData;
  UINT64 start = descriptor->PhysicalStart, end = memory_descriptor_end(descriptor);
  if (runtime && !(descriptor->Attribute & EFI_MEMORY_RUNTIME))
    printk("Setting RUNTIME attribute for %013llx-%013llx", start, end - 1);
  if (!runtime && !kept && !(descriptor->Attribute & EFI_MEMORY_RUNTIME)) return;
  UINT64 flags = flags_of(descriptor);
  if (flags == NO_CACHEABILITY) {
    printk("Unknown cachability for MFNs %llx-%llx", start >> PAGE_SHIFT, (end - 1) >> PAGE_SHIFT);
    return;
  }
  map_both(start, end, flags);
}

void runtime_memory_start(void) {
  root_address = (UINT64)new_table() - direct_base;
  map_host_memory();
  // The local APIC, for the end of an interrupt.
  map_range(machine_pointer(root_address), DIRECTMAP_VIRT_START + LOCAL_APIC, LOCAL_APIC, PAGE_SIZE,
            PTE_MEMORY | PTE_PWT | PTE_PCD);
  printk("EFI memory map:%s", options.map_boot_services ? " (mapping BootServices)" : "");
  for (UINTN i = 0; i < memory_descriptor_count(); i++) {
    const EFI_MEMORY_DESCRIPTOR *descriptor = memory_descriptor(i);
    printk(" %013llx-%013llx type=%u attr=%016llx", descriptor->PhysicalStart, memory_descriptor_end(descriptor) - 1,
           descriptor->Type, descriptor->Attribute);
    if (descriptor->NumberOfPages) map_descriptor(descriptor);
  }
}

UINT64 runtime_root(void) {
  return root_address;
}

bool runtime_enter(void) {
  // Inside already: the firmware faulted, and must not be asked again.
  if (!options.runtime_services || !root_address || inside) return false;
  inside = true;
  UINT16 control_word = CONTROL_WORD;
  UINT32 mxcsr = MXCSR_DEFAULT;
  __asm__ volatile("fxsave64 %0; fnclex; fldcw %1; ldmxcsr %2"
                   : "=m"(guest_fpu)
                   : "m"(control_word), "m"(mxcsr)
                   : "memory");
  guest_root = current_root();
  load_root(runtime_root());
  return true;
}

void runtime_leave(void) {
  load_root(guest_root);
  inside = false;
  __asm__ volatile("cli; cld; fxrstor64 %0" : : "m"(guest_fpu) : "memory");
}
