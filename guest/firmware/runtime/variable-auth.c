// This build authenticates no variables: they cannot be made (UEFI 2.10, 8.2.3).
#include "variable-auth.h"

EFI_STATUS auth_start(void) {
  return EFI_SUCCESS;
}

bool auth_is_read_only(const CHAR16 *name, const EFI_GUID *vendor) {
  (void)name;
  (void)vendor;
  return false;
}

bool auth_needs_authentication(const CHAR16 *name, const EFI_GUID *vendor) {
  (void)name;
  (void)vendor;
  return false;
}

EFI_STATUS auth_check(const VariableRecord *old, VariableValue *value, EFI_TIME *timestamp) {
  (void)old;
  (void)value;
  (void)timestamp;
  return EFI_INVALID_PARAMETER;
}

void auth_after_update(const CHAR16 *name, const EFI_GUID *vendor) {
  (void)name;
  (void)vendor;
}
