// The system table and its array of configuration tables. UEFI 2.10, 4.3 and 4.6. All of it is runtime services data.
#include "firmware.h"

#define MAX_CONFIGURATION_TABLES 16
#define VOLATILE_STORE_PAGES 16
#define SCRATCH_PAGES 16

typedef struct {
  EFI_SYSTEM_TABLE system_table;
  EFI_RUNTIME_SERVICES runtime_services;
  EFI_CONFIGURATION_TABLE configuration[MAX_CONFIGURATION_TABLES];
  CHAR16 vendor[8];
  Handover handover;
} RuntimeTables;

_Static_assert(sizeof(RuntimeTables) <= EFI_PAGE_SIZE, "the tables fill one page");

EFI_SYSTEM_TABLE *system_table;
Handover *handover;

void system_table_start(void) {
  RuntimeTables *tables = allocate_pages_of(EfiRuntimeServicesData, 1);
  UINT8 *store = allocate_pages_of(EfiRuntimeServicesData, VOLATILE_STORE_PAGES);
  UINT8 *scratch = allocate_pages_of(EfiRuntimeServicesData, SCRATCH_PAGES);
  if (!tables || !store || !scratch) platform_halt("no memory for the system table");
  memcpy(tables->vendor, u"Systab", sizeof(u"Systab"));
  tables->runtime_services.Hdr = (EFI_TABLE_HEADER){
      .Signature = EFI_RUNTIME_SERVICES_SIGNATURE,
      .Revision = EFI_2_100_SYSTEM_TABLE_REVISION,
      .HeaderSize = sizeof(EFI_RUNTIME_SERVICES),
  };
  system_table = &tables->system_table;
  *system_table = (EFI_SYSTEM_TABLE){
      .Hdr =
          {
              .Signature = EFI_SYSTEM_TABLE_SIGNATURE,
              .Revision = EFI_2_100_SYSTEM_TABLE_REVISION,
              .HeaderSize = sizeof(EFI_SYSTEM_TABLE),
          },
      .FirmwareVendor = tables->vendor,
      .RuntimeServices = &tables->runtime_services,
      .BootServices = &boot_services,
      .ConfigurationTable = tables->configuration,
  };
  handover = &tables->handover;
  *handover = (Handover){
      .system_table = system_table,
      .variable_flash = (UINT8 *)(UINTN)FLASH_WINDOW,
      .volatile_store = store,
      .volatile_store_size = VOLATILE_STORE_PAGES * EFI_PAGE_SIZE,
      .scratch = scratch,
      .scratch_size = SCRATCH_PAGES * EFI_PAGE_SIZE,
  };
}

EFI_STATUS EFIAPI install_configuration_table(const EFI_GUID *guid, void *table) {
  if (!guid) return EFI_INVALID_PARAMETER;
  EFI_CONFIGURATION_TABLE *tables = system_table->ConfigurationTable;
  UINTN count = system_table->NumberOfTableEntries;
  UINTN at = 0;
  while (at < count && !same_guid(&tables[at].VendorGuid, guid)) at++;
  if (table) {
    if (at == MAX_CONFIGURATION_TABLES) return EFI_OUT_OF_RESOURCES;
    tables[at] = (EFI_CONFIGURATION_TABLE){*guid, table};
    if (at == count) system_table->NumberOfTableEntries++;
  } else {
    if (at == count) return EFI_NOT_FOUND;
    memmove(&tables[at], &tables[at + 1], (count - at - 1) * sizeof(*tables));
    system_table->NumberOfTableEntries--;
  }
  seal_table(system_table);
  return EFI_SUCCESS;
}
