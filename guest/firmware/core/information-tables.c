// The tables that describe this firmware: runtime properties (UEFI 2.10, 4.6.5), system resources (23.4), memory
// attributes (4.6.4).
#include "firmware.h"

// Descriptors of the attributes table are as long as those of the memory map (4.6.4).
#define DESCRIPTOR_SIZE 48
#define MAX_DESCRIPTORS ((EFI_PAGE_SIZE - sizeof(EFI_MEMORY_ATTRIBUTES_TABLE)) / DESCRIPTOR_SIZE)
#define MAX_PARTS 16

static const EFI_GUID properties_guid = {
    0xeb66918a, 0x7eef, 0x402a, {0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9}};
static const EFI_GUID resource_guid = {0xb122a263, 0x3661, 0x4f68, {0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80}};
static const EFI_GUID attributes_guid = {
    0xdcfa911d, 0x26eb, 0x469f, {0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20}};

static EFI_MEMORY_ATTRIBUTES_TABLE *attributes;

static EFI_MEMORY_DESCRIPTOR *descriptor_at(UINTN index) {
  return (EFI_MEMORY_DESCRIPTOR *)((UINT8 *)(attributes + 1) + index * DESCRIPTOR_SIZE);
}

// Keeps the table in ascending order.
static void add_descriptor(UINT32 type, EFI_MEMORY_DESCRIPTOR descriptor) {
  UINTN at = attributes->NumberOfEntries;
  if (at == MAX_DESCRIPTORS) return;
  for (; at > 0 && descriptor_at(at - 1)->PhysicalStart > descriptor.PhysicalStart; at--)
    *descriptor_at(at) = *descriptor_at(at - 1);
  descriptor.Type = type;
  descriptor.Attribute |= EFI_MEMORY_RUNTIME;
  *descriptor_at(at) = descriptor;
  attributes->NumberOfEntries++;
}

void memory_attributes_refresh(void) {
  static EFI_MEMORY_DESCRIPTOR parts[MAX_PARTS];
  static RuntimeRegion data[MAX_RUNTIME_REGIONS];
  if (!attributes) return;
  *attributes = (EFI_MEMORY_ATTRIBUTES_TABLE){
      .Version = EFI_MEMORY_ATTRIBUTES_TABLE_VERSION,
      .DescriptorSize = DESCRIPTOR_SIZE,
  };
  for (const RuntimeImage *image = handover->images; image; image = image->next) {
    UINTN count = pe_memory_attributes(image, parts, MAX_PARTS);
    for (UINTN i = 0; i < count; i++) add_descriptor(EfiRuntimeServicesCode, parts[i]);
  }
  UINTN count = memory_map_regions_of(EfiRuntimeServicesData, data, MAX_RUNTIME_REGIONS);
  for (UINTN i = 0; i < count; i++)
    add_descriptor(EfiRuntimeServicesData, (EFI_MEMORY_DESCRIPTOR){
                                               .PhysicalStart = data[i].start,
                                               .NumberOfPages = data[i].pages,
                                               .Attribute = EFI_MEMORY_XP,
                                           });
}

void information_tables_start(void) {
  EFI_RT_PROPERTIES_TABLE *properties = allocate_pool_of(EfiRuntimeServicesData, sizeof(*properties));
  EFI_SYSTEM_RESOURCE_TABLE *resources = allocate_pool_of(EfiRuntimeServicesData, sizeof(*resources));
  attributes = allocate_pages_of(EfiBootServicesData, 1);
  if (!properties || !resources || !attributes) platform_halt("no memory for information tables");
  *properties = (EFI_RT_PROPERTIES_TABLE){
      .Version = 1,
      .Length = sizeof(*properties),
      .RuntimeServicesSupported = EFI_RT_SUPPORTED_ALL,
  };
  *resources = (EFI_SYSTEM_RESOURCE_TABLE){
      .FwResourceCount = 1,
      .FwResourceCountMax = 1,
      .FwResourceVersion = EFI_SYSTEM_RESOURCE_TABLE_FIRMWARE_RESOURCE_VERSION,
      .Entries = {{
          .FwClass = SYSTAB_FIRMWARE_CLASS_GUID,
          .FwType = ESRT_FW_TYPE_SYSTEMFIRMWARE,
          .FwVersion = handover->resource.version,
          .LowestSupportedFwVersion = handover->resource.lowest_version,
          .CapsuleFlags = CAPSULE_FLAGS_PERSIST_ACROSS_RESET,
          .LastAttemptVersion = handover->resource.last_attempt_version,
          .LastAttemptStatus = handover->resource.last_attempt_status,
      }},
  };
  handover->resource_table = resources;
  install_configuration_table(&properties_guid, properties);
  install_configuration_table(&resource_guid, resources);
  install_configuration_table(&attributes_guid, attributes);
  memory_attributes_refresh();
}
