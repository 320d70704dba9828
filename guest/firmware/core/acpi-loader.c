// ACPI tables: QEMU's table-loader script (docs/specs, bios-linker-loader) places them; then RSDP and XSDT of ACPI 2.0
// and the FACS in NVS memory are added (ACPI 6.4, 5.2.5, 5.2.8, 5.2.10; 15.4 for the memory types).
#include "firmware.h"

#define NAME_LENGTH 56
#define MAX_FILES 8
#define FADT_FIRMWARE_CTRL 36
#define RSDP_V1_LENGTH 20
#define RSDP_V2_LENGTH 36
#define FACS_LENGTH 64

enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER, LOADER_ADD_CHECKSUM };

typedef struct {
  UINT32 command;
  union {
    struct {
      char file[NAME_LENGTH];
      UINT32 alignment;
      UINT8 zone;
    } __attribute__((packed)) allocate;
    struct {
      char target[NAME_LENGTH];
      char source[NAME_LENGTH];
      UINT32 offset;
      UINT8 size;
    } __attribute__((packed)) pointer;
    struct {
      char file[NAME_LENGTH];
      UINT32 offset;
      UINT32 start;
      UINT32 length;
    } __attribute__((packed)) checksum;
    UINT8 whole[124];
  };
} __attribute__((packed)) LoaderEntry;

_Static_assert(sizeof(LoaderEntry) == 128, "table-loader entry");

typedef struct {
  UINT8 signature[4];
  UINT32 length;
  UINT8 revision;
  UINT8 checksum;
  UINT8 oem_id[6];
  UINT8 oem_table_id[8];
  UINT32 oem_revision;
  UINT32 creator_id;
  UINT32 creator_revision;
} AcpiHeader;

typedef struct {
  UINT8 signature[8];
  UINT8 checksum;
  UINT8 oem_id[6];
  UINT8 revision;
  UINT32 rsdt;
  UINT32 length;
  uint64_t xsdt;
  UINT8 extended_checksum;
  UINT8 reserved[3];
} __attribute__((packed)) Rsdp;

typedef struct {
  const char *name;
  UINT8 *memory;
  UINT32 size;
} LoadedFile;

static const EFI_GUID acpi_10 = {0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
static const EFI_GUID acpi_20 = {0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};

static LoadedFile files[MAX_FILES];

static bool same_name(const char *left, const char *right) {
  UINTN i = 0;
  while (i < NAME_LENGTH - 1 && left[i] && left[i] == right[i]) i++;
  return left[i] == right[i];
}

static LoadedFile *loaded(const char *name) {
  for (UINTN i = 0; i < MAX_FILES; i++)
    if (files[i].memory && same_name(files[i].name, name)) return &files[i];
  return NULL;
}

static UINT8 negative_sum(const UINT8 *bytes, UINTN count) {
  UINT8 sum = 0;
  while (count--) sum -= *bytes++;
  return sum;
}

static void place(const char *name) {
  UINT16 item;
  UINT32 size;
  UINTN slot = 0;
  while (slot < MAX_FILES && files[slot].memory) slot++;
  if (slot == MAX_FILES || !fw_cfg_find(name, &item, &size)) return;
  // Tables may be reclaimed once they are read; other files go on being used by the machine.
  bool table = same_name(name, "etc/acpi/tables") || same_name(name, "etc/acpi/rsdp");
  UINT8 *memory = allocate_pages_of(table ? EfiACPIReclaimMemory : EfiACPIMemoryNVS, EFI_SIZE_TO_PAGES(size));
  if (!memory) return;
  fw_cfg_read(item, memory, size);
  files[slot] = (LoadedFile){name, memory, size};
}

static void add_pointer(const LoaderEntry *entry) {
  LoadedFile *target = loaded(entry->pointer.target);
  LoadedFile *source = loaded(entry->pointer.source);
  UINT32 offset = entry->pointer.offset;
  UINT8 size = entry->pointer.size;
  if (!target || !source || (size != 4 && size != 8) || offset > target->size || target->size - offset < size) return;
  UINT64 value = 0;
  memcpy(&value, target->memory + offset, size);
  value += (UINTN)source->memory;
  memcpy(target->memory + offset, &value, size);
}

static void add_checksum(const LoaderEntry *entry) {
  LoadedFile *file = loaded(entry->checksum.file);
  UINT32 start = entry->checksum.start;
  UINT32 length = entry->checksum.length;
  if (!file || entry->checksum.offset >= file->size || start > file->size || file->size - start < length) return;
  file->memory[entry->checksum.offset] += negative_sum(file->memory + start, length);
}

static void seal(AcpiHeader *table) {
  table->checksum = 0;
  table->checksum = negative_sum((const UINT8 *)table, table->length);
}

static AcpiHeader *table_named(const AcpiHeader *rsdt, const char *signature) {
  const UINT32 *entries = (const UINT32 *)(rsdt + 1);
  for (UINTN i = 0; i < (rsdt->length - sizeof(*rsdt)) / 4; i++) {
    AcpiHeader *table = (AcpiHeader *)(UINTN)entries[i];
    if (memcmp(table->signature, signature, 4) == 0) return table;
  }
  return NULL;
}

// The FACS is written by firmware and operating system both: it has to be in NVS memory.
static void move_facs(const AcpiHeader *rsdt) {
  AcpiHeader *fadt = table_named(rsdt, "FACP");
  if (!fadt) return;
  UINT32 *pointer = (UINT32 *)((UINT8 *)fadt + FADT_FIRMWARE_CTRL);
  UINT8 *facs = allocate_pages_of(EfiACPIMemoryNVS, 1);
  if (!*pointer || !facs) return;
  memcpy(facs, (const void *)(UINTN)*pointer, FACS_LENGTH);
  *pointer = (UINT32)(UINTN)facs;
  seal(fadt);
}

// RSDP of ACPI 2.0 with an XSDT that repeats the RSDT.
static Rsdp *make_rsdp(const Rsdp *old, const AcpiHeader *rsdt) {
  UINTN count = (rsdt->length - sizeof(*rsdt)) / 4;
  UINT8 *page = allocate_pages_of(EfiACPIReclaimMemory, EFI_SIZE_TO_PAGES(RSDP_V2_LENGTH + 28 + sizeof(*rsdt) + 8 * count));
  if (!page) return NULL;
  Rsdp *rsdp = (Rsdp *)page;
  AcpiHeader *xsdt = (AcpiHeader *)(page + 64);
  *xsdt = *rsdt;
  memcpy(xsdt->signature, "XSDT", 4);
  xsdt->length = (UINT32)(sizeof(*xsdt) + 8 * count);
  for (UINTN i = 0; i < count; i++) {
    UINT64 address = ((const UINT32 *)(rsdt + 1))[i];
    memcpy((UINT8 *)(xsdt + 1) + 8 * i, &address, 8);
  }
  seal(xsdt);
  *rsdp = *old;
  rsdp->revision = 2;
  rsdp->length = RSDP_V2_LENGTH;
  rsdp->xsdt = (UINTN)xsdt;
  rsdp->checksum = rsdp->extended_checksum = 0;
  memset(rsdp->reserved, 0, sizeof(rsdp->reserved));
  rsdp->checksum = negative_sum(page, RSDP_V1_LENGTH);
  rsdp->extended_checksum = negative_sum(page, RSDP_V2_LENGTH);
  return rsdp;
}

void acpi_start(void) {
  UINT16 item;
  UINT32 size;
  if (!fw_cfg_find("etc/table-loader", &item, &size)) return;
  LoaderEntry *script = allocate_pool_of(EfiBootServicesData, size);
  if (!script) return;
  fw_cfg_read(item, script, size);
  for (UINTN i = 0; i < size / sizeof(LoaderEntry); i++) {
    const LoaderEntry *entry = &script[i];
    switch (entry->command) {
      case LOADER_ALLOCATE:
        place(entry->allocate.file);
        break;
      case LOADER_ADD_POINTER:
        add_pointer(entry);
        break;
      case LOADER_ADD_CHECKSUM:
        add_checksum(entry);
        break;
      default:
        break;
    }
  }
  LoadedFile *file = loaded("etc/acpi/rsdp");
  if (!file || file->size < RSDP_V1_LENGTH) return;
  Rsdp *rsdp = (Rsdp *)file->memory;
  const AcpiHeader *rsdt = (const AcpiHeader *)(UINTN)rsdp->rsdt;
  if (rsdt) {
    move_facs(rsdt);
    if (rsdp->revision < 2) {
      install_configuration_table(&acpi_10, rsdp);
      rsdp = make_rsdp(rsdp, rsdt);
    }
  }
  if (rsdp) install_configuration_table(&acpi_20, rsdp);
}
