// Authentication of variables: what the variable services ask, and what they offer to it. UEFI 2.10, 8.2.2 and 32.3.
#pragma once
#include "variable-store.h"

// Sets SetupMode, SecureBoot and their like from what is stored.
EFI_STATUS auth_start(void);
// Variables of this firmware's own state that nobody may set.
bool auth_is_read_only(const CHAR16 *name, const EFI_GUID *vendor);
// PK, KEK, db and their like exist as authenticated variables only.
bool auth_needs_authentication(const CHAR16 *name, const EFI_GUID *vendor);
// Checks the descriptor at the begin of the data, takes it off, and gives the timestamp to store.
EFI_STATUS auth_check(const VariableRecord *old, VariableValue *value, EFI_TIME *timestamp);
// A variable has changed: a new or deleted PK changes the mode, a private variable that is gone has no owner.
void auth_after_update(const CHAR16 *name, const EFI_GUID *vendor);

// variable-services.c, free of the rules for callers.
const VariableRecord *auth_variable_find(const CHAR16 *name, const EFI_GUID *vendor);
