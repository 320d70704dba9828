// The clock as /dev/rtc0 gives it.
#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

#define FIELDS 6

static int clock_call(unsigned long request, void *argument) {
  int file = open("/dev/rtc0", O_RDWR);
  int result = file < 0 ? -1 : ioctl(file, request, argument);
  if (result < 0) report_errno(errno);
  if (file >= 0) close(file);
  return result;
}

static void report_time(const struct rtc_time *time) {
  const int fields[FIELDS] = {time->tm_year + 1900, time->tm_mon + 1, time->tm_mday,
                              time->tm_hour,        time->tm_min,     time->tm_sec};
  report_array("time");
  for (int i = 0; i < FIELDS; i++) report_number(NULL, fields[i]);
  report_array_end();
}

/** Year, month, day, hour, minute, second, in one word with commas. */
static struct rtc_time parse_time(char *text) {
  int fields[FIELDS] = {0};
  for (int i = 0; i < FIELDS; i++) {
    fields[i] = (int)strtol(text, &text, 10);
    if (*text) text++;
  }
  return (struct rtc_time){
      .tm_year = fields[0] - 1900,
      .tm_mon = fields[1] - 1,
      .tm_mday = fields[2],
      .tm_hour = fields[3],
      .tm_min = fields[4],
      .tm_sec = fields[5],
  };
}

void read_clock(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  struct rtc_time time;
  if (clock_call(RTC_RD_TIME, &time) == 0) report_time(&time);
}

void set_clock(int count, char *const *arguments) {
  (void)count;
  struct rtc_time time = parse_time(arguments[0]);
  clock_call(RTC_SET_TIME, &time);
}

void read_alarm(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  struct rtc_wkalrm alarm;
  if (clock_call(RTC_WKALM_RD, &alarm) < 0) return;
  report_flag("enabled", alarm.enabled);
  report_flag("pending", alarm.pending);
  report_time(&alarm.time);
}

/** alarm-set on|off TIME */
void set_alarm(int count, char *const *arguments) {
  (void)count;
  struct rtc_wkalrm alarm = {.enabled = arguments[0][1] == 'n', .time = parse_time(arguments[1])};
  clock_call(RTC_WKALM_SET, &alarm);
}
