// The time of day in shared information, from the firmware at first and from the control domain later.
#include "hypervisor.h"

#define NANOSECONDS 1000000000ull

void wallclock_set(UINT64 seconds, UINT32 nanoseconds, UINT64 system_time) {
  SharedInfo *shared = domain.shared_info;
  UINT64 at_zero = seconds * NANOSECONDS + nanoseconds - system_time;
  shared->wc_version++;
  shared->wc_sec = (UINT32)(at_zero / NANOSECONDS);
  shared->wc_sec_hi = (UINT32)(at_zero / NANOSECONDS >> 32);
  shared->wc_nsec = (UINT32)(at_zero % NANOSECONDS);
  shared->wc_version++;
}

// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin with March.
static UINT64 days_since_epoch(UINT64 year, UINT64 month, UINT64 day) {
  if (month <= 2) {
    year--;
    month += 12;
  }
  return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

void wallclock_start(void) {
  EFI_TIME time;
  if (!runtime_enter()) return;
  EFI_STATUS status = firmware.runtime->GetTime(&time, NULL);
  runtime_leave();
  if (EFI_ERROR(status) || time.Year < 1970 || time.Month < 1) return;
  UINT64 hours = days_since_epoch(time.Year, time.Month, time.Day) * 24 + time.Hour;
  wallclock_set((hours * 60 + time.Minute) * 60 + time.Second, time.Nanosecond, 0);
}
