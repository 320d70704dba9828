// Ends of the machine. The line that says so is the last thing the guest writes by itself.
#include <linux/reboot.h>
#include <sys/reboot.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

static void leave(int how) {
  report_flag("leaves", 1);
  report_object_end();
  report_line();
  sync();
  reboot(how);
}

void restart(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  leave(RB_AUTOBOOT);
}

void power_off(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  leave(RB_POWER_OFF);
}
