// Capsules that have come through a reset in memory. UEFI 2.10, 8.5.3. They are put together before anything else takes memory that an
// operating system could have used: until then only runtime memory is allocated, which begins at the same address at each start.
#include "capsule-list.h"
#include "firmware.h"

#define HIGHEST 0xffffffffull
#define MAX_TRIES 256

// What one call of UpdateCapsule handed over, in one piece.
typedef struct {
  const PendingCapsules *pending;
  UINT8 *bytes;
  UINT64 size;
} Delivery;

static PendingCapsules pending[MAX_PENDING_CAPSULES];
static UINTN pending_count;

const UINT8 *intact_memory(UINT64 start, UINT64 length) {
  return memory_map_is_free(start, length) ? (const UINT8 *)(UINTN)start : NULL;
}

static UINT64 conflict_of(UINT64 start, UINT64 length) {
  UINT64 lowest = UINT64_MAX;
  for (UINTN i = 0; i < pending_count; i++) {
    UINT64 conflict = capsule_list_conflict(pending[i].list, start, length);
    if (conflict < lowest) lowest = conflict;
  }
  return lowest;
}

// Pages that no list speaks of; NULL when there are none. Each try ends below the one before, so lists of pages that lie anywhere
// need few; one made to need many is given up.
static UINT8 *allocate_apart(UINT64 size) {
  UINTN pages = EFI_SIZE_TO_PAGES((UINTN)size);
  EFI_PHYSICAL_ADDRESS limit = HIGHEST;
  for (UINTN tries = 0; tries < MAX_TRIES; tries++) {
    EFI_PHYSICAL_ADDRESS memory = limit;
    if (EFI_ERROR(allocate_pages(AllocateMaxAddress, EfiBootServicesData, pages, &memory))) return NULL;
    // Free while the lists are read, for what is allocated does not count as intact.
    free_pages(memory, pages);
    UINT64 conflict = conflict_of(memory, (UINT64)pages << EFI_PAGE_SHIFT);
    if (conflict == UINT64_MAX)
      return EFI_ERROR(allocate_pages(AllocateAddress, EfiBootServicesData, pages, &memory)) ? NULL
                                                                                             : (UINT8 *)(UINTN)memory;
    limit = conflict - 1;
  }
  return NULL;
}

static EFI_STATUS collect(const PendingCapsules *from, Delivery *delivery) {
  UINT64 size;
  EFI_STATUS status = capsule_list_measure(from->list, &size);
  if (EFI_ERROR(status)) return status;
  // Not what the call was about: memory has lost power since.
  if (size < from->size) return EFI_NOT_FOUND;
  UINT8 *bytes = allocate_apart(size);
  if (!bytes) return EFI_OUT_OF_RESOURCES;
  capsule_list_copy(from->list, bytes);
  EFI_CAPSULE_HEADER header;
  if (!capsule_header_at(bytes, size, &header) || !same_guid(&header.CapsuleGuid, &from->guid)) {
    free_pages((UINTN)bytes, EFI_SIZE_TO_PAGES((UINTN)size));
    return EFI_NOT_FOUND;
  }
  *delivery = (Delivery){from, bytes, size};
  return EFI_SUCCESS;
}

// Calls `visit` with each capsule of a delivery; false when something else than a capsule stands between them.
static bool each_capsule(const Delivery *delivery, void (*visit)(const EFI_CAPSULE_HEADER *, const UINT8 *)) {
  EFI_CAPSULE_HEADER header;
  for (UINT64 at = 0; at < delivery->pending->size; at += header.CapsuleImageSize) {
    if (!capsule_header_at(delivery->bytes + at, delivery->size - at, &header)) return false;
    visit(&header, delivery->bytes + at);
  }
  return true;
}

static bool is_for_table(const EFI_CAPSULE_HEADER *header) {
  return (header->Flags & CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE) != 0;
}

static void process(const EFI_CAPSULE_HEADER *header, const UINT8 *capsule) {
  log_value("capsule", header->CapsuleImageSize);
  if (!is_for_table(header)) handover->process_capsule(capsule);
}

static const EFI_CAPSULE_TABLE *table_of(const EFI_GUID *guid) {
  for (UINTN i = 0; i < system_table->NumberOfTableEntries; i++) {
    const EFI_CONFIGURATION_TABLE *entry = &system_table->ConfigurationTable[i];
    if (same_guid(&entry->VendorGuid, guid)) return entry->VendorTable;
  }
  return NULL;
}

// One table for all capsules of a GUID; it is made anew for each that joins.
static void publish(const EFI_CAPSULE_HEADER *header, const UINT8 *capsule) {
  if (!is_for_table(header)) return;
  const EFI_CAPSULE_TABLE *old = table_of(&header->CapsuleGuid);
  UINT32 count = old ? old->CapsuleArrayNumber : 0;
  EFI_CAPSULE_TABLE *table =
      allocate_pool_of(EfiRuntimeServicesData, sizeof(EFI_CAPSULE_TABLE) + (count + 1) * sizeof(void *));
  UINT8 *copy = allocate_pool_of(EfiRuntimeServicesData, header->CapsuleImageSize);
  EFI_STATUS status = EFI_OUT_OF_RESOURCES;
  if (table && copy) {
    memcpy(copy, capsule, header->CapsuleImageSize);
    if (old) memcpy(table->CapsulePtr, old->CapsulePtr, count * sizeof(void *));
    table->CapsulePtr[count] = copy;
    table->CapsuleArrayNumber = count + 1;
    status = install_configuration_table(&header->CapsuleGuid, table);
  }
  if (EFI_ERROR(status)) handover->report_capsule(&header->CapsuleGuid, status);
}

void capsules_deliver(void) {
  static Delivery deliveries[MAX_PENDING_CAPSULES];
  UINTN count = 0;
  pending_count = handover->take_pending_capsules(pending);
  for (UINTN i = 0; i < pending_count; i++) {
    EFI_STATUS status = collect(&pending[i], &deliveries[count]);
    if (EFI_ERROR(status)) handover->report_capsule(&pending[i].guid, status);
    else count++;
  }
  for (UINTN i = 0; i < count; i++) {
    const Delivery *delivery = &deliveries[i];
    bool whole = each_capsule(delivery, process) && each_capsule(delivery, publish);
    if (!whole) handover->report_capsule(&delivery->pending->guid, EFI_INVALID_PARAMETER);
    free_pages((UINTN)delivery->bytes, EFI_SIZE_TO_PAGES((UINTN)delivery->size));
  }
  // An update is in force at once.
  system_table->FirmwareRevision = handover->resource.version;
}
