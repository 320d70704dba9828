// Capsule services. UEFI 2.10, 8.5.3. No capsule is processed by this firmware: after the checks that the
// specification asks for, each is one whose type is not supported.
#include "runtime.h"

static EFI_STATUS check(EFI_CAPSULE_HEADER **capsules, UINTN count) {
  if (!capsules || count == 0) return EFI_INVALID_PARAMETER;
  for (UINTN i = 0; i < count; i++) {
    if (!capsules[i]) return EFI_INVALID_PARAMETER;
    UINT32 flags = capsules[i]->Flags;
    bool persist = (flags & CAPSULE_FLAGS_PERSIST_ACROSS_RESET) != 0;
    if (flags & (CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE | CAPSULE_FLAGS_INITIATE_RESET) && !persist)
      return EFI_INVALID_PARAMETER;
  }
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI update_capsule(EFI_CAPSULE_HEADER **capsules, UINTN count, EFI_PHYSICAL_ADDRESS list) {
  EFI_STATUS status = check(capsules, count);
  if (EFI_ERROR(status)) return status;
  for (UINTN i = 0; i < count; i++)
    if (capsules[i]->Flags & CAPSULE_FLAGS_PERSIST_ACROSS_RESET && list == 0) return EFI_INVALID_PARAMETER;
  return EFI_UNSUPPORTED;
}

EFI_STATUS EFIAPI query_capsule_capabilities(EFI_CAPSULE_HEADER **capsules, UINTN count, UINT64 *max_size, UINT32 *reset) {
  if (!max_size || !reset) return EFI_INVALID_PARAMETER;
  EFI_STATUS status = check(capsules, count);
  return EFI_ERROR(status) ? status : EFI_UNSUPPORTED;
}
