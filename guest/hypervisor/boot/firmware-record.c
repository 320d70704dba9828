// What a guest or the hypervisor will ask about the firmware, recorded while boot services can answer.
#include "loader.h"

#define ESRT_GUID {0xb122a263, 0x3661, 0x4f68, {0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80}}
#define ACPI_20_GUID {0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}}
#define ACPI_10_GUID {0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}}
#define PCI_IO_GUID {0x4cf5b200, 0x68b8, 0x4ca5, {0x9e, 0xec, 0xb2, 0x3e, 0x3f, 0x50, 0x02, 0x9a}}
#define APPLE_PROPERTIES_GUID {0x91bd12fe, 0xf6c3, 0x44fb, {0xa5, 0xb7, 0x51, 0x22, 0xab, 0x30, 0x3a, 0xe0}}
#define APPLE_PROPERTIES_VERSION 0x10000
#define MAX_ESRT_ENTRIES 0x1000
#define NON_VOLATILE_BOTH 7

Firmware firmware;

// EFI_PCI_IO_PROTOCOL as far as it is used here (UEFI 2.10, 14.4).
typedef struct PciIo PciIo;
struct PciIo {
  void *memory_and_io[6];
  EFI_STATUS(EFIAPI *PciRead)(PciIo *, UINT32 width, UINT32 offset, UINTN count, void *buffer);
  void *configuration_and_dma[7];
  EFI_STATUS(EFIAPI *GetLocation)(PciIo *, UINTN *segment, UINTN *bus, UINTN *device, UINTN *function);
  void *attributes[3];
  UINT64 RomSize;
  void *RomImage;
};
#define PCI_IO_WIDTH_UINT16 1
_Static_assert(offsetof(PciIo, RomSize) == 144, "14.4");

// Apple's device properties: a version, three functions for one property, and one for all of them.
typedef struct AppleProperties AppleProperties;
struct AppleProperties {
  UINT32 version;
  void *single[3];
  EFI_STATUS(EFIAPI *get_all)(AppleProperties *, void *buffer, UINT32 *size);
};

static UINT64 find_table(const EFI_GUID *guid) {
  for (UINTN i = 0; i < system_table->NumberOfTableEntries; i++)
    if (same_guid(&system_table->ConfigurationTable[i].VendorGuid, guid))
      return (UINTN)system_table->ConfigurationTable[i].VendorTable;
  return 0;
}

static UINT32 type_at(UINT64 address) {
  UINTN size = 0, key, step;
  UINT32 version, type = EfiMaxMemoryType;
  UINT8 *map;
  boot_services->GetMemoryMap(&size, NULL, &key, &step, &version);
  size += 8 * step;
  if (EFI_ERROR(boot_services->AllocatePool(EfiLoaderData, size, (void **)&map))) return type;
  if (!EFI_ERROR(boot_services->GetMemoryMap(&size, (void *)map, &key, &step, &version)))
    for (UINTN at = 0; at < size; at += step) {
      const EFI_MEMORY_DESCRIPTOR *descriptor = (const void *)(map + at);
      UINT64 start = descriptor->PhysicalStart;
      if (start <= address && (address - start) >> EFI_PAGE_SHIFT < descriptor->NumberOfPages) type = descriptor->Type;
    }
  boot_services->FreePool(map);
  return type;
}

// A system resource table in memory that will be given away moves to where a guest can read it.
static void keep_resource_table(void) {
  static const EFI_GUID guid = ESRT_GUID;
  const EFI_SYSTEM_RESOURCE_TABLE *table = (const void *)(UINTN)find_table(&guid);
  if (!table || table->FwResourceCount > MAX_ESRT_ENTRIES) return;
  UINT32 type = type_at((UINTN)table);
  if (type == EfiRuntimeServicesData || type == EfiACPIReclaimMemory) return;
  UINTN size = offsetof(EFI_SYSTEM_RESOURCE_TABLE, Entries) + table->FwResourceCount * sizeof(EFI_SYSTEM_RESOURCE_ENTRY);
  void *copy;
  if (EFI_ERROR(boot_services->AllocatePool(EfiACPIReclaimMemory, size, &copy))) return;
  memcpy(copy, table, size);
  boot_services->InstallConfigurationTable(&guid, copy);
}

static void record_variables(void) {
  VariableSnapshot *to = &firmware.variables;
  to->status = firmware.runtime->Hdr.Revision >> 16 < 2
                   ? EFI_UNSUPPORTED
                   : firmware.runtime->QueryVariableInfo(NON_VOLATILE_BOTH, &to->max_store_size, &to->remain_store_size,
                                                         &to->max_size);
  if (EFI_ERROR(to->status)) to->max_store_size = to->remain_store_size = to->max_size = 0;
}

static void record_pci_rom(PciIo *device) {
  UINTN segment, bus, slot, function;
  UINT16 ids[2];
  UINT64 pages = allocate_loader_pages(EFI_SIZE_TO_PAGES(device->RomSize));
  if (!pages || EFI_ERROR(device->GetLocation(device, &segment, &bus, &slot, &function)) ||
      EFI_ERROR(device->PciRead(device, PCI_IO_WIDTH_UINT16, 0, 2, ids)))
    return;
  memcpy(machine_pointer(pages), device->RomImage, device->RomSize);
  firmware.pci_roms[firmware.pci_rom_count++] = (PciRom){
      (UINT16)segment, (UINT8)bus, (UINT8)(slot << 3 | function), ids[0], ids[1], pages, device->RomSize};
}

static void record_pci_roms(void) {
  static const EFI_GUID guid = PCI_IO_GUID;
  EFI_HANDLE *handles;
  UINTN count;
  if (EFI_ERROR(boot_services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) return;
  for (UINTN i = 0; i < count && firmware.pci_rom_count < MAX_PCI_ROMS; i++) {
    PciIo *device;
    if (EFI_ERROR(boot_services->HandleProtocol(handles[i], &guid, (void **)&device))) continue;
    if (device->RomImage && device->RomSize) record_pci_rom(device);
  }
  boot_services->FreePool(handles);
}

static void record_apple_properties(void) {
  static const EFI_GUID guid = APPLE_PROPERTIES_GUID;
  AppleProperties *protocol;
  UINT32 size = 0;
  void *copy;
  if (EFI_ERROR(boot_services->LocateProtocol(&guid, NULL, (void **)&protocol))) return;
  if (protocol->version != APPLE_PROPERTIES_VERSION) return;
  if (protocol->get_all(protocol, NULL, &size) != EFI_BUFFER_TOO_SMALL || size == 0) return;
  if (EFI_ERROR(boot_services->AllocatePool(EfiRuntimeServicesData, size, &copy))) return;
  if (EFI_ERROR(protocol->get_all(protocol, copy, &size))) return;
  firmware.apple_properties = (UINTN)copy;
  firmware.apple_properties_size = size;
}

void firmware_record(void) {
  static const EFI_GUID acpi_20 = ACPI_20_GUID, acpi_10 = ACPI_10_GUID;
  firmware.revision = system_table->Hdr.Revision;
  firmware.firmware_revision = system_table->FirmwareRevision;
  firmware.vendor = (UINTN)system_table->FirmwareVendor;
  firmware.runtime = system_table->RuntimeServices;
  UINT64 extended = find_table(&acpi_20);
  firmware.acpi_root = extended ? extended : find_table(&acpi_10);
  record_pci_roms();
  record_variables();
  record_apple_properties();
  keep_resource_table();
  firmware.configuration = (UINTN)system_table->ConfigurationTable;
  firmware.configuration_count = (UINT32)system_table->NumberOfTableEntries;
}
