// System table, configuration tables and memory map as an operating system finds them.
#include "report.h"

#define MAP_SIZE 0x4000

static UINT8 map[MAP_SIZE];

static bool is_sealed(EFI_TABLE_HEADER *header) {
  UINT32 stored = header->CRC32, computed;
  header->CRC32 = 0;
  bs->CalculateCrc32(header, header->HeaderSize, &computed);
  header->CRC32 = stored;
  return stored == computed;
}

static const void *table_of(EFI_GUID guid) {
  for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
    if (same_guid(&st->ConfigurationTable[i].VendorGuid, &guid)) return st->ConfigurationTable[i].VendorTable;
  return NULL;
}

static UINT8 sum(const UINT8 *bytes, UINTN count) {
  UINT8 total = 0;
  while (count--) total += *bytes++;
  return total;
}

static void configuration_test(void) {
  const UINT8 *rsdp = table_of(
      (EFI_GUID){0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}});
  expect_true("RSDP of ACPI 2.0", rsdp && memcmp(rsdp, "RSD PTR ", 8) == 0 && sum(rsdp, 20) == 0 && sum(rsdp, 36) == 0);
  if (rsdp) {
    const UINT8 *xsdt = *(const UINT8 *const *)(rsdp + 24);
    expect_true("XSDT", memcmp(xsdt, "XSDT", 4) == 0 && sum(xsdt, *(const UINT32 *)(xsdt + 4)) == 0);
    UINTN count = (*(const UINT32 *)(xsdt + 4) - 36) / 8;
    bool all = count > 0, fadt = false;
    for (UINTN i = 0; i < count; i++) {
      UINT64 address;
      memcpy(&address, xsdt + 36 + 8 * i, 8);
      const UINT8 *table = (const UINT8 *)(UINTN)address;
      all = all && sum(table, *(const UINT32 *)(table + 4)) == 0;
      if (memcmp(table, "FACP", 4) != 0) continue;
      fadt = memcmp((const void *)(UINTN) * (const UINT32 *)(table + 36), "FACS", 4) == 0 &&
             memcmp((const void *)(UINTN) * (const UINT32 *)(table + 40), "DSDT", 4) == 0;
    }
    expect_true("checksums of the ACPI tables", all);
    expect_true("FADT leads to FACS and DSDT", fadt);
  }
  const UINT8 *smbios = table_of(
      (EFI_GUID){0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}});
  expect_true("SMBIOS anchor", smbios && memcmp(smbios, "_SM_", 4) == 0 && sum(smbios, 31) == 0 && sum(smbios + 16, 15) == 0);
  const EFI_RT_PROPERTIES_TABLE *properties = table_of(
      (EFI_GUID){0xeb66918a, 0x7eef, 0x402a, {0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9}});
  expect_true("RT properties", properties && properties->Version == 1 && properties->Length == 8 &&
                                   properties->RuntimeServicesSupported == EFI_RT_SUPPORTED_ALL);
  const EFI_SYSTEM_RESOURCE_TABLE *resources = table_of(
      (EFI_GUID){0xb122a263, 0x3661, 0x4f68, {0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80}});
  expect_true("ESRT", resources && resources->FwResourceVersion == 1 && resources->FwResourceCount == 1);
  const EFI_MEMORY_ATTRIBUTES_TABLE *attributes = table_of(
      (EFI_GUID){0xdcfa911d, 0x26eb, 0x469f, {0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20}});
  expect_true("memory attributes", attributes && attributes->Version == 2 && attributes->NumberOfEntries >= 4);
  if (attributes) {
    const UINT8 *at = (const UINT8 *)(attributes + 1);
    bool ordered = true, writable_code = false;
    UINT64 last = 0;
    for (UINTN i = 0; i < attributes->NumberOfEntries; i++, at += attributes->DescriptorSize) {
      const EFI_MEMORY_DESCRIPTOR *entry = (const void *)at;
      ordered = ordered && entry->PhysicalStart >= last;
      last = entry->PhysicalStart + (entry->NumberOfPages << EFI_PAGE_SHIFT);
      writable_code = writable_code || !(entry->Attribute & (EFI_MEMORY_RO | EFI_MEMORY_XP));
    }
    expect_true("memory attributes in order", ordered);
    expect_true("no memory is writable and executable", !writable_code);
  }
}

static void memory_map_test(void) {
  UINTN size = sizeof(map), key, step;
  UINT32 version;
  expect_status("GetMemoryMap", bs->GetMemoryMap(&size, (void *)map, &key, &step, &version), EFI_SUCCESS);
  expect_true("descriptors are longer than their structure", step > sizeof(EFI_MEMORY_DESCRIPTOR) && version == 1);
  UINT32 types = 0;
  UINT64 last = 0;
  bool ordered = true, table_covered = false, runtime_marked = true;
  for (UINTN at = 0; at < size; at += step) {
    const EFI_MEMORY_DESCRIPTOR *entry = (const void *)(map + at);
    UINT64 end = entry->PhysicalStart + (entry->NumberOfPages << EFI_PAGE_SHIFT);
    types |= 1u << entry->Type;
    ordered = ordered && entry->PhysicalStart >= last && entry->NumberOfPages;
    last = end;
    bool runtime = (entry->Attribute & EFI_MEMORY_RUNTIME) != 0;
    if (entry->Type == EfiRuntimeServicesCode || entry->Type == EfiRuntimeServicesData) runtime_marked = runtime_marked && runtime;
    if ((UINTN)st >= entry->PhysicalStart && (UINTN)st < end && (UINTN)rs < end) table_covered = runtime;
  }
  expect_true("memory map in order, without overlap", ordered);
  expect_true("runtime memory is marked", runtime_marked && table_covered);
  expect_true("every memory type of a PC", (types & 0xefb) == 0xefb);
  report_text("     types ");
  report_hex(types);
  report_text("\n");
}

void tables_test(void) {
  report_section("tables");
  expect_true("system table", st->Hdr.Signature == EFI_SYSTEM_TABLE_SIGNATURE && st->Hdr.HeaderSize == sizeof(*st));
  expect_true("revision 2.10", st->Hdr.Revision == EFI_2_100_SYSTEM_TABLE_REVISION && rs->Hdr.Revision == st->Hdr.Revision);
  expect_true("CRC of the system table", is_sealed(&st->Hdr));
  expect_true("CRC of the runtime services", is_sealed(&rs->Hdr) && rs->Hdr.HeaderSize == sizeof(*rs));
  expect_true("CRC of the boot services", is_sealed(&bs->Hdr) && bs->Hdr.HeaderSize == sizeof(*bs));
  configuration_test();
  memory_map_test();
}
