// The CMOS real-time clock: Motorola MC146818A, with the century in the register that the ACPI FADT names.
#include "port-io.h"
#include "runtime.h"

enum {
  SECONDS = 0x00,
  SECONDS_ALARM = 0x01,
  MINUTES = 0x02,
  MINUTES_ALARM = 0x03,
  HOURS = 0x04,
  HOURS_ALARM = 0x05,
  DAY_OF_WEEK = 0x06,
  DAY = 0x07,
  MONTH = 0x08,
  YEAR = 0x09,
  REGISTER_A = 0x0a,
  REGISTER_B = 0x0b,
  REGISTER_C = 0x0c,
  CENTURY = 0x32,
};
#define A_UPDATE_IN_PROGRESS 0x80
#define B_SET 0x80
#define B_ALARM_INTERRUPT 0x20
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define C_ALARM 0x20
#define HOURS_PM 0x80
// Reads of register A until an update must be over (2 ms).
#define UPDATE_TRIES 100000u

static UINT8 cmos_read(UINT8 index) {
  out8(PORT_RTC_INDEX, index);
  return in8(PORT_RTC_DATA);
}

static void cmos_write(UINT8 index, UINT8 value) {
  out8(PORT_RTC_INDEX, index);
  out8(PORT_RTC_DATA, value);
}

static UINT8 decode(UINT8 value, UINT8 mode) {
  return mode & B_BINARY ? value : (UINT8)((value >> 4) * 10 + (value & 15));
}

static UINT8 encode(UINT8 value, UINT8 mode) {
  return mode & B_BINARY ? value : (UINT8)(value / 10 << 4 | value % 10);
}

static UINT8 decode_hour(UINT8 value, UINT8 mode) {
  if (mode & B_24_HOURS) return decode(value, mode);
  UINT8 hour = decode(value & (UINT8)~HOURS_PM, mode) % 12;
  return value & HOURS_PM ? hour + 12 : hour;
}

static UINT8 encode_hour(UINT8 hour, UINT8 mode) {
  if (mode & B_24_HOURS) return encode(hour, mode);
  UINT8 twelve = hour % 12 == 0 ? 12 : hour % 12;
  return encode(twelve, mode) | (hour >= 12 ? HOURS_PM : 0);
}

static bool is_leap(UINT32 year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static UINT8 days_in(UINT32 month, UINT32 year) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool is_valid_time(const EFI_TIME *time) {
  return time->Year >= 1900 && time->Year <= 9999 && time->Month >= 1 && time->Month <= 12 && time->Day >= 1 &&
         time->Day <= days_in(time->Month, time->Year) && time->Hour < 24 && time->Minute < 60 && time->Second < 60 &&
         time->Nanosecond < 1000000000 &&
         (time->TimeZone == EFI_UNSPECIFIED_TIMEZONE || (time->TimeZone >= -1440 && time->TimeZone <= 1440)) &&
         !(time->Daylight & ~(EFI_TIME_ADJUST_DAYLIGHT | EFI_TIME_IN_DAYLIGHT));
}

static bool wait_update(void) {
  for (UINTN i = 0; i < UPDATE_TRIES; i++)
    if (!(cmos_read(REGISTER_A) & A_UPDATE_IN_PROGRESS)) return true;
  return false;
}

static void read_once(EFI_TIME *time) {
  UINT8 mode = cmos_read(REGISTER_B);
  time->Second = decode(cmos_read(SECONDS), mode);
  time->Minute = decode(cmos_read(MINUTES), mode);
  time->Hour = decode_hour(cmos_read(HOURS), mode);
  time->Day = decode(cmos_read(DAY), mode);
  time->Month = decode(cmos_read(MONTH), mode);
  // The century is BCD whatever the mode of the others.
  time->Year = (UINT16)(decode(cmos_read(CENTURY), 0) * 100 + decode(cmos_read(YEAR), mode));
}

bool rtc_read_time(EFI_TIME *time) {
  EFI_TIME again;
  memset(time, 0, sizeof(*time));
  memset(&again, 0, sizeof(again));
  // Two readings that agree: no update fell between their registers.
  do {
    if (!wait_update()) return false;
    read_once(time);
    read_once(&again);
  } while (memcmp(time, &again, sizeof(again)) != 0);
  return is_valid_time(time);
}

// Sunday is 1; the days since 1 January of year 1, a Monday.
static UINT8 day_of_week(const EFI_TIME *time) {
  UINT32 years = time->Year - 1u;
  UINT32 days = years * 365 + years / 4 - years / 100 + years / 400 + time->Day;
  for (UINT32 month = 1; month < time->Month; month++) days += days_in(month, time->Year);
  return (UINT8)(days % 7 + 1);
}

bool rtc_write_time(const EFI_TIME *time) {
  if (!wait_update()) return false;
  UINT8 mode = cmos_read(REGISTER_B);
  cmos_write(REGISTER_B, mode | B_SET);
  cmos_write(SECONDS, encode(time->Second, mode));
  cmos_write(MINUTES, encode(time->Minute, mode));
  cmos_write(HOURS, encode_hour(time->Hour, mode));
  cmos_write(DAY_OF_WEEK, day_of_week(time));
  cmos_write(DAY, encode(time->Day, mode));
  cmos_write(MONTH, encode(time->Month, mode));
  cmos_write(YEAR, encode((UINT8)(time->Year % 100), mode));
  cmos_write(CENTURY, encode((UINT8)(time->Year / 100), 0));
  cmos_write(REGISTER_B, mode & (UINT8)~B_SET);
  return true;
}

void rtc_read_alarm(EFI_TIME *time, bool *enabled, bool *pending) {
  UINT8 mode = cmos_read(REGISTER_B);
  *enabled = (mode & B_ALARM_INTERRUPT) != 0;
  *pending = (cmos_read(REGISTER_C) & C_ALARM) != 0;
  time->Second = decode(cmos_read(SECONDS_ALARM), mode);
  time->Minute = decode(cmos_read(MINUTES_ALARM), mode);
  time->Hour = decode_hour(cmos_read(HOURS_ALARM), mode);
}

void rtc_write_alarm(const EFI_TIME *time, bool enable) {
  UINT8 mode = cmos_read(REGISTER_B) & (UINT8)~B_ALARM_INTERRUPT;
  cmos_write(REGISTER_B, mode);
  if (enable) {
    cmos_write(SECONDS_ALARM, encode(time->Second, mode));
    cmos_write(MINUTES_ALARM, encode(time->Minute, mode));
    cmos_write(HOURS_ALARM, encode_hour(time->Hour, mode));
    cmos_write(REGISTER_B, mode | B_ALARM_INTERRUPT);
  }
  // Reading clears what an older alarm has left.
  cmos_read(REGISTER_C);
}
