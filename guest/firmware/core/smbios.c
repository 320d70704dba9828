// SMBIOS: the machine's structures with their entry point completed. DMTF DSP0134, 5.2.1 and 5.2.2.
#include "firmware.h"

#define ANCHOR_V21_LENGTH 0x1f
#define ANCHOR_V21_INTERMEDIATE 0x10
#define ANCHOR_V30_LENGTH 0x18

static const EFI_GUID smbios_guid = {0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
static const EFI_GUID smbios3_guid = {0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};

static void seal(UINT8 *bytes, UINTN count, UINTN checksum) {
  UINT8 sum = 0;
  bytes[checksum] = 0;
  for (UINTN i = 0; i < count; i++) sum -= bytes[i];
  bytes[checksum] = sum;
}

void smbios_start(void) {
  UINT16 anchor_item, tables_item;
  UINT32 anchor_size, tables_size;
  if (!fw_cfg_find("etc/smbios/smbios-anchor", &anchor_item, &anchor_size) ||
      !fw_cfg_find("etc/smbios/smbios-tables", &tables_item, &tables_size))
    return;
  UINT8 *anchor = allocate_pages_of(EfiRuntimeServicesData, EFI_SIZE_TO_PAGES(64 + tables_size));
  if (!anchor || anchor_size > 64) return;
  UINT8 *tables = anchor + 64;
  fw_cfg_read(anchor_item, anchor, anchor_size);
  fw_cfg_read(tables_item, tables, tables_size);
  if (anchor_size == ANCHOR_V21_LENGTH && memcmp(anchor, "_SM_", 4) == 0) {
    UINT32 address = (UINT32)(UINTN)tables;
    memcpy(anchor + 0x18, &address, sizeof(address));
    seal(anchor + ANCHOR_V21_INTERMEDIATE, ANCHOR_V21_LENGTH - ANCHOR_V21_INTERMEDIATE, 5);
    seal(anchor, ANCHOR_V21_LENGTH, 4);
    install_configuration_table(&smbios_guid, anchor);
  } else if (anchor_size == ANCHOR_V30_LENGTH && memcmp(anchor, "_SM3_", 5) == 0) {
    UINT64 address = (UINTN)tables;
    memcpy(anchor + 0x10, &address, sizeof(address));
    seal(anchor, ANCHOR_V30_LENGTH, 5);
    install_configuration_table(&smbios3_guid, anchor);
  }
}
