// The way an operating system takes: ExitBootServices, runtime services at physical addresses, SetVirtualAddressMap,
// runtime services at virtual addresses with the physical ones of the firmware taken out of the page tables.
#include "report.h"

#define MAP_SIZE 0x4000

static UINT8 map[MAP_SIZE];
static UINT8 virtual_map[MAP_SIZE];
static UINTN notified_exit;

static void EFIAPI on_exit(EFI_EVENT event, void *context) {
  (void)event;
  (void)context;
  notified_exit++;
}

static UINT64 virtual_of(UINT64 physical);

#if UINTPTR_MAX == UINT64_MAX
#define ALIAS_SLOT 510
#define SPLIT_TABLES 16
static UINT64 *tables;

static UINT64 virtual_of(UINT64 physical) {
  return 0xffffff0000000000ull + physical;
}

static void allocate_tables(void) {
  EFI_PHYSICAL_ADDRESS memory = 0;
  bs->AllocatePages(AllocateAnyPages, EfiLoaderData, 5 + SPLIT_TABLES, &memory);
  tables = (UINT64 *)(UINTN)memory;
}

static UINT64 *table_in(UINT64 *entry) {
  return (UINT64 *)(UINTN)(*entry & 0x000ffffffffff000ull);
}

// 4 GiB once more at virtual_of, on tables of their own.
static void map_alias(UINT64 *root) {
  UINT64 *pointers = tables;
  memset(pointers, 0, EFI_PAGE_SIZE);
  for (UINT64 i = 0; i < 4; i++) pointers[i] = ((UINTN)tables + (i + 1) * EFI_PAGE_SIZE) | 3;
  for (UINT64 i = 0; i < 2048; i++) tables[512 + i] = i << 21 | 0x83;
  root[ALIAS_SLOT] = (UINTN)pointers | 3;
}

static void unmap(UINT64 *root, UINT64 address) {
  static UINTN used;
  UINT64 *directory = table_in(&table_in(&root[0])[address >> 30]) + (address >> 21 & 511);
  if (*directory & 0x80) {
    UINT64 *split = tables + (5 + used++) * 512;
    for (UINT64 i = 0; i < 512; i++) split[i] = (*directory & ~0x80ull & 0x000fffffffffffffull) + (i << 12);
    *directory = (UINTN)split | 3;
  }
  table_in(directory)[address >> 12 & 511] = 0;
}

static UINT64 *root_table(void) {
  UINT64 *root;
  __asm__ volatile("mov %%cr3, %0" : "=r"(root));
  return root;
}

static void enter_paging(void) {
  map_alias(root_table());
  __asm__ volatile("mov %0, %%cr3" : : "r"(root_table()) : "memory");
}

static void remove_physical(UINTN size, UINTN step) {
  for (UINTN at = 0; at < size; at += step) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const void *)(virtual_map + at);
    for (UINT64 i = 0; i < entry->NumberOfPages; i++) unmap(root_table(), entry->PhysicalStart + (i << EFI_PAGE_SHIFT));
  }
  __asm__ volatile("mov %0, %%cr3" : : "r"(root_table()) : "memory");
}
#else
// Pages of 4 MiB: RAM again at 2 GiB, the flash again at 1.75 GiB.
static UINT32 directory[1024] __attribute__((aligned(4096)));

static UINT64 virtual_of(UINT64 physical) {
  return physical < 0x40000000 ? 0x80000000 + physical : 0x70000000 + (physical & 0x3fffff);
}

static void allocate_tables(void) {}

static void enter_paging(void) {
  for (UINT32 i = 0; i < 1024; i++) directory[i] = i << 22 | 0x83;
  for (UINT32 i = 0; i < 256; i++) directory[0x200 + i] = i << 22 | 0x83;
  directory[0x1c0] = 0xffc00083;
  __asm__ volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4; mov %0, %%cr3; mov %%cr0, %%eax;"
                   "or $0x80000000, %%eax; mov %%eax, %%cr0"
                   :
                   : "r"(directory)
                   : "eax", "memory");
}

static void remove_physical(UINTN size, UINTN step) {
  (void)size;
  (void)step;
}
#endif

static void leave_boot_services(EFI_HANDLE image, UINTN *size, UINTN *step) {
  EFI_EVENT event;
  UINTN key;
  UINT32 version;
  bs->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, on_exit, NULL, &event);
  *size = sizeof(map);
  bs->GetMemoryMap(size, (void *)map, &key, step, &version);
  expect_status("ExitBootServices without an image", bs->ExitBootServices(NULL, key), EFI_INVALID_PARAMETER);
  expect_status("ExitBootServices with an old key", bs->ExitBootServices(image, key - 1), EFI_INVALID_PARAMETER);
  expect_true("nobody is notified", notified_exit == 0);
  expect_status("SetVirtualAddressMap too early", rs->SetVirtualAddressMap(0, *step, 1, (void *)map), EFI_UNSUPPORTED);
  EFI_STATUS status = bs->ExitBootServices(image, key);
  expect_status("ExitBootServices", status, EFI_SUCCESS);
  expect_true("notifies", notified_exit == 1);
  expect_true("console and boot services are gone", !st->ConOut && !st->StdErr && !st->ConIn && !st->BootServices && !st->ConsoleOutHandle);
  UINT32 stored = st->Hdr.CRC32;
  seal_table(st);
  expect_true("CRC of the system table", stored == st->Hdr.CRC32);
}

// Copies the runtime descriptors, with virtual addresses.
static UINTN make_virtual_map(UINTN size, UINTN step) {
  UINTN length = 0;
  for (UINTN at = 0; at < size; at += step) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const void *)(map + at);
    if (!(entry->Attribute & EFI_MEMORY_RUNTIME)) continue;
    EFI_MEMORY_DESCRIPTOR *copy = (void *)(virtual_map + length);
    *copy = *entry;
    copy->VirtualStart = virtual_of(entry->PhysicalStart);
    length += step;
  }
  return length;
}

static void set_virtual_addresses(UINTN size, UINTN step) {
  EFI_MEMORY_DESCRIPTOR *first = (void *)virtual_map;
  void *pointer = NULL;
  expect_status("SetVirtualAddressMap of another version", rs->SetVirtualAddressMap(size, step, 2, first), EFI_INVALID_PARAMETER);
  expect_status("SetVirtualAddressMap of short descriptors", rs->SetVirtualAddressMap(size, 32, 1, first), EFI_INVALID_PARAMETER);
  expect_status("SetVirtualAddressMap without a region", rs->SetVirtualAddressMap(size - step, step, 1, first), EFI_NO_MAPPING);
  EFI_MEMORY_DESCRIPTOR *extra = (void *)(virtual_map + size);
  *extra = *first;
  extra->PhysicalStart = 0xf0000000;
  expect_status("SetVirtualAddressMap of unknown memory", rs->SetVirtualAddressMap(size + step, step, 1, first), EFI_NOT_FOUND);
  // Linux keeps boot services memory, and asks for a mapping of it.
  extra->PhysicalStart = 0x800000;
  extra->NumberOfPages = 1;
  size += step;
  expect_status("ConvertPointer of nothing", rs->ConvertPointer(0, NULL), EFI_INVALID_PARAMETER);
  expect_status("ConvertPointer of NULL", rs->ConvertPointer(0, &pointer), EFI_INVALID_PARAMETER);
  expect_status("ConvertPointer of an optional NULL", rs->ConvertPointer(EFI_OPTIONAL_PTR, &pointer), EFI_SUCCESS);
  EFI_RUNTIME_SERVICES *physical = rs;
  UINTN old_service = (UINTN)rs->GetTime;
  expect_status("SetVirtualAddressMap", rs->SetVirtualAddressMap(size, step, 1, first), EFI_SUCCESS);
  expect_true("RuntimeServices is virtual", (UINTN)st->RuntimeServices == (UINTN)virtual_of((UINTN)physical));
  expect_true("so are its functions", (UINTN)rs->GetTime == (UINTN)virtual_of(old_service));
  UINT32 stored = st->Hdr.CRC32, runtime_stored = rs->Hdr.CRC32;
  seal_table(st);
  seal_table(rs);
  expect_true("CRCs", stored == st->Hdr.CRC32 && runtime_stored == rs->Hdr.CRC32);
}

void virtual_mode_test(EFI_HANDLE image) {
  UINTN size, step;
  allocate_tables();
  report_section("exit of boot services");
  leave_boot_services(image, &size, &step);
  report_section("runtime services, physical");
  runtime_services_test(true);
  report_section("virtual addresses");
  UINTN length = make_virtual_map(size, step);
  enter_paging();
  set_virtual_addresses(length, step);
  st = (EFI_SYSTEM_TABLE *)(UINTN)virtual_of((UINTN)st);
  remove_physical(length, step);
  rs = st->RuntimeServices;
  expect_true("FirmwareVendor", st->FirmwareVendor[0] == 'S');
  expect_status("SetVirtualAddressMap again", rs->SetVirtualAddressMap(length, step, 1, (void *)virtual_map), EFI_UNSUPPORTED);
  runtime_services_test(true);
}
