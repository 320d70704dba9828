// The capsule of this firmware's class, and its entry in the ESRT. UEFI 2.10, 23.4. What an update changes is what the firmware says of
// itself: its version, and the lowest one that may follow. The code flash is read-only to the machine.
#include "runtime.h"

#define RESOURCE u"FirmwareResource"
#define OWN_ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)

const EFI_GUID firmware_class = SYSTAB_FIRMWARE_CLASS_GUID;

void firmware_resource_start(void) {
  FirmwareResource *resource = &handover->resource;
  if (!firmware_variable_get(RESOURCE, resource, sizeof(*resource)))
    *resource = (FirmwareResource){.version = SYSTAB_FIRMWARE_VERSION, .lowest_version = SYSTAB_FIRMWARE_VERSION};
}

static void refresh_table(void) {
  if (!handover->resource_table) return;
  const FirmwareResource *resource = &handover->resource;
  EFI_SYSTEM_RESOURCE_ENTRY *entry = handover->resource_table->Entries;
  entry->LastAttemptVersion = resource->last_attempt_version;
  entry->LastAttemptStatus = resource->last_attempt_status;
}

// Checks an update; gives its header.
static EFI_STATUS check_update(const UINT8 *body, UINTN size, SystabFirmwareUpdate *update) {
  memset(update, 0, sizeof(*update));
  if (size < sizeof(*update)) return EFI_INVALID_PARAMETER;
  memcpy(update, body, sizeof(*update));
  if (update->Signature != SYSTAB_FIRMWARE_UPDATE_SIGNATURE || update->HeaderSize != sizeof(*update) ||
      update->PayloadSize != size - sizeof(*update) || update->LowestSupportedVersion > update->Version) {
    update->Version = 0;
    return EFI_INVALID_PARAMETER;
  }
  if (crc32(body + sizeof(*update), update->PayloadSize) != update->PayloadCrc) return EFI_CRC_ERROR;
  return update->Version < handover->resource.lowest_version ? EFI_INCOMPATIBLE_VERSION : EFI_SUCCESS;
}

static UINT32 attempt_status(EFI_STATUS status) {
  switch (status) {
    case EFI_SUCCESS:
      return LAST_ATTEMPT_STATUS_SUCCESS;
    case EFI_INCOMPATIBLE_VERSION:
      return LAST_ATTEMPT_STATUS_ERROR_INCORRECT_VERSION;
    case EFI_OUT_OF_RESOURCES:
      return LAST_ATTEMPT_STATUS_ERROR_INSUFFICIENT_RESOURCES;
    default:
      return LAST_ATTEMPT_STATUS_ERROR_INVALID_FORMAT;
  }
}

EFI_STATUS firmware_update(const UINT8 *body, UINTN size) {
  FirmwareResource *resource = &handover->resource;
  FirmwareResource next = *resource;
  SystabFirmwareUpdate update;
  EFI_STATUS status = check_update(body, size, &update);
  next.last_attempt_version = update.Version;
  next.last_attempt_status = attempt_status(status);
  if (!EFI_ERROR(status)) {
    next.version = update.Version;
    next.lowest_version = update.LowestSupportedVersion;
  }
  if (EFI_ERROR(firmware_variable_set(RESOURCE, OWN_ATTRIBUTES, &next, sizeof(next)))) {
    // The version stays what it is; the attempt is at least told until the next start.
    resource->last_attempt_version = update.Version;
    resource->last_attempt_status = LAST_ATTEMPT_STATUS_ERROR_INSUFFICIENT_RESOURCES;
    status = EFI_OUT_OF_RESOURCES;
  } else {
    *resource = next;
  }
  refresh_table();
  return status;
}
