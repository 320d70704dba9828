// Variables that report what became of capsules. UEFI 2.10, 8.5.6: Capsule0000 and on, CapsuleLast with the name of the newest one,
// CapsuleMax with that of the last one before names begin again.
#include "runtime.h"
#include "variable-store.h"

#define NAME u"Capsule0000"
#define NAME_LENGTH (sizeof(NAME) / sizeof(CHAR16) - 1)
#define NAME_SIZE (NAME_LENGTH * sizeof(CHAR16))
#define DIGITS 4
#define MAX_RESULT 9
#define READABLE (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define LASTING (EFI_VARIABLE_NON_VOLATILE | READABLE)

static const EFI_GUID report_guid = EFI_CAPSULE_REPORT_GUID;
static const EFI_GUID global_guid = EFI_GLOBAL_VARIABLE_GUID;
static const CHAR16 name_max[] = u"CapsuleMax";
static const CHAR16 name_last[] = u"CapsuleLast";
static const CHAR16 name_indications[] = u"OsIndicationsSupported";

static void result_name(CHAR16 *name, UINT32 number) {
  memcpy(name, NAME, sizeof(NAME));
  for (UINTN i = 0; i < DIGITS; i++) name[NAME_LENGTH - 1 - i] = (CHAR16)("0123456789ABCDEF"[number >> 4 * i & 15]);
}

// The number behind that of CapsuleLast; 0 without one.
static UINT32 next_number(void) {
  CHAR16 last[NAME_LENGTH];
  CHAR16 name[NAME_LENGTH + 1];
  if (variable_read_unchecked(name_last, &report_guid, last, NAME_SIZE) != NAME_SIZE) return 0;
  for (UINT32 number = 0; number < MAX_RESULT; number++) {
    result_name(name, number);
    if (memcmp(name, last, NAME_SIZE) == 0) return number + 1;
  }
  return 0;
}

EFI_STATUS capsule_results_start(void) {
  CHAR16 name[NAME_LENGTH + 1];
  UINT64 indications = EFI_OS_INDICATIONS_CAPSULE_RESULT_VAR_SUPPORTED;
  result_name(name, MAX_RESULT);
  EFI_STATUS status = variable_set_unchecked(name_max, &report_guid, READABLE, name, NAME_SIZE);
  if (EFI_ERROR(status)) return status;
  return variable_set_unchecked(name_indications, &global_guid, READABLE, &indications, sizeof(indications));
}

void EFIAPI capsule_report(const EFI_GUID *guid, EFI_STATUS result) {
  CHAR16 name[NAME_LENGTH + 1];
  EFI_CAPSULE_RESULT_VARIABLE_HEADER header = {
      .VariableTotalSize = sizeof(header), .CapsuleGuid = *guid, .CapsuleStatus = result};
  get_time(&header.CapsuleProcessed, NULL);
  result_name(name, next_number());
  // A store without room keeps no report (8.5.6).
  if (!EFI_ERROR(variable_set_unchecked(name, &report_guid, LASTING, &header, sizeof(header))))
    variable_set_unchecked(name_last, &report_guid, LASTING, name, NAME_SIZE);
}

bool capsule_result_is_read_only(const CHAR16 *name, const EFI_GUID *vendor) {
  if (same_guid(vendor, &global_guid)) return same_name(name, name_indications);
  return same_guid(vendor, &report_guid) &&
         (same_name(name, name_max) || same_name(name, name_last));
}
