// The hypervisor as an EFI application: takes over from the firmware and starts the initial domain.
#include "loader.h"

#define TABLE_POOL_PAGES 512
#define BOUNCE_PAGES 256
#define MAX_FRAMES (1ull << 24)

EFI_HANDLE image_handle;
EFI_SYSTEM_TABLE *system_table;
EFI_BOOT_SERVICES *boot_services;
EFI_LOADED_IMAGE_PROTOCOL *loaded_image;

static UINT64 kernel_address;
static UINTN kernel_size;
static UINT64 machine_to_phys;

EFI_STATUS EFIAPI hypervisor_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

EFI_STATUS give_up(const CHAR16 *why, EFI_STATUS status) {
  EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *out = system_table->ConOut;
  out->OutputString(out, why);
  out->OutputString(out, u"\r\n");
  return status;
}

UINT64 allocate_loader_pages(UINTN pages) {
  EFI_PHYSICAL_ADDRESS memory;
  if (EFI_ERROR(boot_services->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &memory))) return 0;
  // What is below 1 MiB the control domain may write to.
  return memory < LOW_MEMORY_END ? 0 : memory;
}

// First frame after all that may become RAM.
static UINT64 frames_of_machine(void) {
  UINT64 end = 0;
  for (UINTN i = 0; i < memory_descriptor_count(); i++) {
    const EFI_MEMORY_DESCRIPTOR *descriptor = memory_descriptor(i);
    bool is_memory = descriptor->Type <= EfiACPIMemoryNVS && descriptor->Attribute & EFI_MEMORY_WB;
    if (is_memory && memory_descriptor_end(descriptor) > end) end = memory_descriptor_end(descriptor);
  }
  return end >> PAGE_SHIFT;
}

// With some room: what is allocated between two calls makes the map longer.
static EFI_STATUS read_memory_map(UINTN *key) {
  UINT32 version;
  static UINTN capacity;
  if (!firmware.memory_map) {
    boot_services->GetMemoryMap(&capacity, NULL, key, &firmware.descriptor_size, &version);
    capacity += 32 * firmware.descriptor_size;
    firmware.memory_map = allocate_loader_pages(EFI_SIZE_TO_PAGES(capacity));
    if (!firmware.memory_map) return EFI_OUT_OF_RESOURCES;
    capacity = ROUND_UP(capacity, PAGE_SIZE);
  }
  firmware.memory_map_size = capacity;
  return boot_services->GetMemoryMap(&firmware.memory_map_size, machine_pointer(firmware.memory_map), key,
                                     &firmware.descriptor_size, &version);
}

// With one retry: the end of boot services may itself change the map.
static EFI_STATUS exit_boot(void) {
  EFI_STATUS status = EFI_INVALID_PARAMETER;
  for (UINTN attempt = 0; attempt < 2 && status == EFI_INVALID_PARAMETER; attempt++) {
    UINTN key;
    status = read_memory_map(&key);
    if (EFI_ERROR(status) || options.keep_boot_services) return status;
    status = boot_services->ExitBootServices(image_handle, key);
  }
  return status;
}

static const CHAR16 *reserve_memory(void) {
  UINTN key;
  UINT64 pool = allocate_loader_pages(TABLE_POOL_PAGES);
  UINT64 bounce = allocate_loader_pages(BOUNCE_PAGES);
  domain.shared_info_address = allocate_loader_pages(1);
  domain.frames = options.dom0_bytes >> PAGE_SHIFT;
  domain.start = domain.frames ? allocate_loader_pages(domain.frames) : 0;
  if (!domain.start) return u"Not enough RAM for domain 0 allocation.";
  if (!pool || !bounce || !domain.shared_info_address || EFI_ERROR(read_memory_map(&key))) return u"Out of memory.";
  UINT64 frames = frames_of_machine();
  if (frames > MAX_FRAMES) return u"More memory than expected: at most 64 GiB.";
  machine_to_phys = allocate_loader_pages(EFI_SIZE_TO_PAGES(frames * sizeof(UINT64)));
  if (!machine_to_phys) return u"Out of memory.";
  page_pool_start(pool, TABLE_POOL_PAGES);
  bounce_start(bounce, BOUNCE_PAGES * PAGE_SIZE);
  return NULL;
}

// At the hypervisor's own addresses, while the firmware's are mapped as well.
static _Noreturn void start_high(void) {
  if (!relocate_image(DIRECTMAP_VIRT_START)) machine_halt();
  direct_base = DIRECTMAP_VIRT_START;
  descriptors_start();
  machine_to_phys_start(machine_to_phys);
  domain_build(kernel_address, kernel_size);
  wallclock_start();
  load_root((UINT64)domain.root - direct_base);
  printk("*** Serial input to DOM0");
  enter_guest(domain.entry, domain.stack, domain.start_info);
}

EFI_STATUS EFIAPI hypervisor_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table) {
  static const EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
  image_handle = image;
  system_table = table;
  boot_services = table->BootServices;
  EFI_STATUS status = boot_services->HandleProtocol(image, &loaded_image_guid, (void **)&loaded_image);
  if (EFI_ERROR(status)) return give_up(u"No Loaded Image Protocol", status);
  const CHAR16 *trouble = options_read();
  if (trouble) return give_up(trouble, EFI_INVALID_PARAMETER);
  UINT8 *kernel;
  if (!find_section(".kernel", &kernel, &kernel_size))
    return give_up(u"The image has no initial domain kernel: no section .kernel.", EFI_NOT_FOUND);
  kernel_address = (UINTN)kernel;
  trouble = reserve_memory();
  if (trouble) return give_up(trouble, EFI_OUT_OF_RESOURCES);
  firmware_record();
  status = exit_boot();
  if (EFI_ERROR(status)) return give_up(u"Cannot exit boot services", status);

  __asm__ volatile("cli");
  console_start();
  printk("Systab hypervisor, Xen ABI %s", "4.17");
  printk("Bootloader: EFI");
  printk("Command line: %s", options.command_line);
  printk("Xen image load base address: 0x%llx", (UINT64)(UINTN)loaded_image->ImageBase);
  e820_build();
  e820_print();
  processor_features_start();
  runtime_memory_start();
  enter_high(runtime_root(), (UINT8 *)start_high + DIRECTMAP_VIRT_START, hypervisor_stack_top + DIRECTMAP_VIRT_START);
}
