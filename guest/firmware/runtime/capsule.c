// Capsule services. UEFI 2.10, 8.5.3. A capsule that persists is data in memory and a list that says where, by physical addresses that
// nobody can read here any more once addresses are virtual: only where the list begins is kept, and the core reads it at the next start.
#include "runtime.h"

// A capsule that persists has to fit into memory a second time; the others are processed where they are.
#define MAX_CAPSULE_SIZE 0x1000000u
#define PENDING u"PendingCapsules"
#define OWN_ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)

static bool persists(const EFI_CAPSULE_HEADER *capsule) {
  return (capsule->Flags & CAPSULE_FLAGS_PERSIST_ACROSS_RESET) != 0;
}

static EFI_STATUS check_header(const EFI_CAPSULE_HEADER *capsule) {
  if (!capsule || capsule->HeaderSize < sizeof(*capsule) || capsule->HeaderSize > capsule->CapsuleImageSize)
    return EFI_INVALID_PARAMETER;
  UINT32 needs_persistence = CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE | CAPSULE_FLAGS_INITIATE_RESET;
  if (capsule->Flags & CAPSULE_FLAGS_RESERVED || (capsule->Flags & needs_persistence && !persists(capsule)))
    return EFI_INVALID_PARAMETER;
  return EFI_SUCCESS;
}

// Whether a capsule with a good header can be taken now. One for the system table may be of any type: its receiver is the next
// operating system.
static EFI_STATUS check_type(const EFI_CAPSULE_HEADER *capsule) {
  bool for_table = (capsule->Flags & CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE) != 0;
  if (!for_table && !same_guid(&capsule->CapsuleGuid, &firmware_class)) return EFI_UNSUPPORTED;
  return at_runtime && !persists(capsule) ? EFI_OUT_OF_RESOURCES : EFI_SUCCESS;
}

static EFI_STATUS check_headers(EFI_CAPSULE_HEADER **capsules, UINTN count) {
  if (!capsules || count == 0) return EFI_INVALID_PARAMETER;
  EFI_STATUS status = EFI_SUCCESS;
  for (UINTN i = 0; i < count && !EFI_ERROR(status); i++) status = check_header(capsules[i]);
  return status;
}

static EFI_STATUS check_types(EFI_CAPSULE_HEADER **capsules, UINTN count) {
  EFI_STATUS status = EFI_SUCCESS;
  for (UINTN i = 0; i < count && !EFI_ERROR(status); i++) status = check_type(capsules[i]);
  return status;
}

static EFI_STATUS remember(const PendingCapsules *one) {
  PendingCapsules pending[MAX_PENDING_CAPSULES];
  UINTN size = firmware_variable_read(PENDING, pending, sizeof(pending));
  if (size == sizeof(pending)) return EFI_OUT_OF_RESOURCES;
  pending[size / sizeof(*one)] = *one;
  return firmware_variable_set(PENDING, OWN_ATTRIBUTES, pending, size + sizeof(*one));
}

UINTN EFIAPI capsules_take_pending(PendingCapsules *to) {
  UINTN size = firmware_variable_read(PENDING, to, MAX_PENDING_CAPSULES * sizeof(*to));
  // Before anything is done with them: one that brings the firmware down is not met again.
  if (size) firmware_variable_set(PENDING, OWN_ATTRIBUTES, NULL, 0);
  return size / sizeof(*to);
}

EFI_STATUS EFIAPI capsule_process(const UINT8 *capsule) {
  EFI_CAPSULE_HEADER header;
  memcpy(&header, capsule, sizeof(header));
  EFI_STATUS status = EFI_UNSUPPORTED;
  if (same_guid(&header.CapsuleGuid, &firmware_class))
    status = firmware_update(capsule + header.HeaderSize, header.CapsuleImageSize - header.HeaderSize);
  capsule_report(&header.CapsuleGuid, status);
  return status;
}

// The capsules of a call that persist, as one.
static PendingCapsules pending_of(EFI_CAPSULE_HEADER **capsules, UINTN count, EFI_PHYSICAL_ADDRESS list) {
  PendingCapsules pending = {.list = list};
  for (UINTN i = 0; i < count; i++) {
    if (!persists(capsules[i])) continue;
    if (pending.size == 0) pending.guid = capsules[i]->CapsuleGuid;
    pending.size += capsules[i]->CapsuleImageSize;
  }
  return pending;
}

EFI_STATUS EFIAPI update_capsule(EFI_CAPSULE_HEADER **capsules, UINTN count, EFI_PHYSICAL_ADDRESS list) {
  EFI_STATUS status = check_headers(capsules, count);
  if (EFI_ERROR(status)) return status;
  PendingCapsules pending = pending_of(capsules, count, list);
  if (pending.size && list == 0) return EFI_INVALID_PARAMETER;
  status = check_types(capsules, count);
  if (EFI_ERROR(status)) return status;
  if (pending.size > MAX_CAPSULE_SIZE) return EFI_OUT_OF_RESOURCES;
  if (pending.size) status = remember(&pending);
  UINT32 flags = 0;
  for (UINTN i = 0; i < count && !EFI_ERROR(status); i++) {
    flags |= capsules[i]->Flags;
    if (!persists(capsules[i])) status = capsule_process((const UINT8 *)capsules[i]);
  }
  if (!EFI_ERROR(status) && flags & CAPSULE_FLAGS_INITIATE_RESET) reset_system(EfiResetWarm, EFI_SUCCESS, 0, NULL);
  return status;
}

EFI_STATUS EFIAPI query_capsule_capabilities(EFI_CAPSULE_HEADER **capsules, UINTN count, UINT64 *max_size, UINT32 *reset) {
  if (!max_size || !reset) return EFI_INVALID_PARAMETER;
  EFI_STATUS status = check_headers(capsules, count);
  if (!EFI_ERROR(status)) status = check_types(capsules, count);
  if (EFI_ERROR(status)) return status;
  *max_size = MAX_CAPSULE_SIZE;
  // Memory has to keep what is in it.
  *reset = pending_of(capsules, count, 0).size ? EfiResetWarm : EfiResetCold;
  return EFI_SUCCESS;
}
