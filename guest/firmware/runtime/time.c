// Time services. UEFI 2.10, 8.3. The clock keeps date and time; time zone and daylight saving are a variable.
#include "runtime.h"

#define ZONE_VARIABLE u"ClockZone"
#define ALARM_VARIABLE u"ClockAlarm"
#define OWN_ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)
// Parts per million, times a million: a quartz that is 50 ppm off.
#define ACCURACY 50000000u

typedef struct {
  INT16 time_zone;
  UINT8 daylight;
} __attribute__((packed)) Zone;

// Without the variable the zone is not specified.
static Zone stored_zone(void) {
  Zone zone;
  return firmware_variable_get(ZONE_VARIABLE, &zone, sizeof(zone)) ? zone : (Zone){EFI_UNSPECIFIED_TIMEZONE, 0};
}

static bool read_clock(EFI_TIME *time) {
  if (!rtc_read_time(time)) return false;
  Zone zone = stored_zone();
  time->TimeZone = zone.time_zone;
  time->Daylight = zone.daylight;
  return true;
}

EFI_STATUS EFIAPI get_time(EFI_TIME *time, EFI_TIME_CAPABILITIES *capabilities) {
  if (!time) return EFI_INVALID_PARAMETER;
  if (!read_clock(time)) return EFI_DEVICE_ERROR;
  if (capabilities) {
    capabilities->Resolution = 1;
    capabilities->Accuracy = ACCURACY;
    capabilities->SetsToZero = false;
  }
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI set_time(EFI_TIME *time) {
  if (!time || !is_valid_time(time)) return EFI_INVALID_PARAMETER;
  Zone zone = {time->TimeZone, time->Daylight};
  bool unspecified = zone.time_zone == EFI_UNSPECIFIED_TIMEZONE && zone.daylight == 0;
  EFI_STATUS status = firmware_variable_set(ZONE_VARIABLE, OWN_ATTRIBUTES, &zone, unspecified ? 0 : sizeof(zone));
  if (EFI_ERROR(status) && status != EFI_NOT_FOUND) return EFI_DEVICE_ERROR;
  return rtc_write_time(time) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static UINT32 second_of_day(const EFI_TIME *time) {
  return (time->Hour * 60u + time->Minute) * 60u + time->Second;
}

static bool is_same_day(const EFI_TIME *left, const EFI_TIME *right) {
  return left->Year == right->Year && left->Month == right->Month && left->Day == right->Day;
}

static EFI_TIME next_day(EFI_TIME time) {
  time.Day++;
  if (is_valid_time(&time)) return time;
  time.Day = 1;
  time.Month++;
  if (is_valid_time(&time)) return time;
  time.Month = 1;
  time.Year++;
  return time;
}

EFI_STATUS EFIAPI get_wakeup_time(BOOLEAN *enabled, BOOLEAN *pending, EFI_TIME *time) {
  if (!enabled || !pending || !time) return EFI_INVALID_PARAMETER;
  EFI_TIME now, alarm;
  if (!read_clock(&now)) return EFI_DEVICE_ERROR;
  bool is_enabled, is_pending;
  bool stored = firmware_variable_get(ALARM_VARIABLE, &alarm, sizeof(alarm));
  EFI_TIME registers = now;
  rtc_read_alarm(&registers, &is_enabled, &is_pending);
  // The clock has an alarm of 24 hours; a date that was never stored follows from that.
  if (!stored) {
    alarm = second_of_day(&registers) > second_of_day(&now) ? now : next_day(now);
    if (!is_valid_time(&registers)) return EFI_DEVICE_ERROR;
  }
  alarm.Hour = registers.Hour;
  alarm.Minute = registers.Minute;
  alarm.Second = registers.Second;
  alarm.Nanosecond = 0;
  if (!is_valid_time(&alarm)) return EFI_DEVICE_ERROR;
  *enabled = is_enabled;
  *pending = is_pending;
  *time = alarm;
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI set_wakeup_time(BOOLEAN enable, EFI_TIME *time) {
  if (!enable) {
    rtc_write_alarm(NULL, false);
    return EFI_SUCCESS;
  }
  if (!time || !is_valid_time(time)) return EFI_INVALID_PARAMETER;
  EFI_TIME now;
  if (!read_clock(&now)) return EFI_DEVICE_ERROR;
  EFI_TIME tomorrow = next_day(now);
  bool later_today = is_same_day(time, &now) && second_of_day(time) > second_of_day(&now);
  bool early_tomorrow = is_same_day(time, &tomorrow) && second_of_day(time) <= second_of_day(&now);
  // The alarm knows no date.
  if (!later_today && !early_tomorrow) return EFI_UNSUPPORTED;
  if (EFI_ERROR(firmware_variable_set(ALARM_VARIABLE, OWN_ATTRIBUTES, time, sizeof(*time)))) return EFI_DEVICE_ERROR;
  rtc_write_alarm(time, true);
  return EFI_SUCCESS;
}
