// The only process of the guest: reads /script, performs its commands, reports an object for each, and switches the power off.
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

#define CONSOLE_LEVEL 8

static const struct {
  const char *name;
  int arguments;
  Command *run;
} commands[] = {
    {"text", 1, show_text},
    {"tree", 1, show_tree},
    {"log", 0, show_kernel_log},
    {"variables", 0, list_variables},
    {"write", 3, write_variable},
    {"raw", 2, write_file},
    {"read", 1, read_variable},
    {"delete", 1, delete_variable},
    {"protect", 2, protect_variable},
    {"space", 0, show_space},
    {"remount", 0, remount},
    {"clock", 0, read_clock},
    {"clock-set", 1, set_clock},
    {"alarm", 0, read_alarm},
    {"alarm-set", 2, set_alarm},
    {"capsule", 1, load_capsule},
    {"restart", 0, restart},
    {"power-off", 0, power_off},
    {"call", ANY_COUNT, call_service},
    {"reads", 2, measure_reads},
    {"same-writes", 2, measure_same_writes},
    {"changing-writes", 2, measure_changing_writes},
};

static void fail(const char *what) {
  perror(what);
  reboot(RB_POWER_OFF);
}

static void load_module(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || syscall(SYS_finit_module, file, "", 0) != 0) fail(path);
  close(file);
}

static void mount_all(void) {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  if (mount("proc", "/proc", "proc", 0, NULL) < 0) fail("/proc");
  if (mount("sysfs", "/sys", "sysfs", 0, NULL) < 0) fail("/sys");
  if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) < 0) fail("/dev");
}

static void perform(char *text) {
  char *words[MAX_ARGUMENTS + 1] = {0};
  int count = 0;
  for (char *word = strtok(text, " "); word && count <= MAX_ARGUMENTS; word = strtok(NULL, " ")) words[count++] = word;
  if (count == 0) return;
  report_object();
  size_t found = 0;
  const size_t known = sizeof commands / sizeof *commands;
  while (found < known && strcmp(commands[found].name, words[0]) != 0) found++;
  int wanted = found < known ? commands[found].arguments : 0;
  if (found == known || (wanted != ANY_COUNT && wanted != count - 1)) report_string("error", "no such command");
  else commands[found].run(count - 1, words + 1);
  report_object_end();
  report_line();
}

int main(void) {
  mount_all();
  klogctl(CONSOLE_LEVEL, NULL, 1);
  load_module("/efivarfs.ko");
  load_module("/efi-services.ko");
  report_open();
  FILE *script = fopen("/script", "r");
  if (!script) fail("/script");
  static char line[1 << 17];
  while (fgets(line, sizeof line, script)) {
    line[strcspn(line, "\n")] = 0;
    perform(line);
  }
  sync();
  reboot(RB_POWER_OFF);
}
