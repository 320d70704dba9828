// The monotonic counter (UEFI 2.10, 7.5.2 and 8.5.2): the high half lasts and grows with every start, the low half
// counts from there.
#include "runtime.h"

#define COUNTER u"MonotonicCounter"
#define COUNTER_ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)

static UINT32 high, low;

static EFI_STATUS advance_high(void) {
  UINT32 next = high + 1;
  if (EFI_ERROR(firmware_variable_set(COUNTER, COUNTER_ATTRIBUTES, &next, sizeof(next)))) return EFI_DEVICE_ERROR;
  high = next;
  return EFI_SUCCESS;
}

EFI_STATUS monotonic_counter_start(void) {
  firmware_variable_get(COUNTER, &high, sizeof(high));
  return advance_high();
}

EFI_STATUS EFIAPI next_monotonic_count(UINT64 *count) {
  if (!count) return EFI_INVALID_PARAMETER;
  if (low == UINT32_MAX) {
    EFI_STATUS status = advance_high();
    if (EFI_ERROR(status)) return status;
  }
  low++;
  *count = (UINT64)high << 32 | low;
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI get_next_high_monotonic_count(UINT32 *count) {
  if (!count) return EFI_INVALID_PARAMETER;
  EFI_STATUS status = advance_high();
  if (EFI_ERROR(status)) return status;
  low = 0;
  *count = high;
  return EFI_SUCCESS;
}
