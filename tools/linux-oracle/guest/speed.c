// How many times a second efivarfs reads and writes a variable. Says when it begins and ends, for a clock on the host.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

#define ATTRIBUTES 7
#define SIZE (sizeof(uint32_t) + 8)

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void measure(char *const *arguments, int mode, ssize_t (*call)(int file, uint8_t *content, int round)) {
  char path[512];
  snprintf(path, sizeof path, "/sys/firmware/efi/efivars/%s", arguments[0]);
  int rounds = atoi(arguments[1]);
  int file = open(path, mode);
  uint8_t content[SIZE] = {ATTRIBUTES};
  report_begins();
  int64_t start = now();
  int done = 0;
  while (done < rounds && call(file, content, done) > 0) done++;
  int64_t end = now();
  if (done < rounds) report_errno(errno);
  report_ended(done, end - start);
  close(file);
}

static ssize_t read_once(int file, uint8_t *content, int round) {
  (void)round;
  return pread(file, content, SIZE, 0);
}

static ssize_t write_same(int file, uint8_t *content, int round) {
  (void)round;
  return pwrite(file, content, SIZE, 0);
}

static ssize_t write_changed(int file, uint8_t *content, int round) {
  content[SIZE - 1] = (uint8_t)(round & 1 ? 0x55 : 0xaa);
  return pwrite(file, content, SIZE, 0);
}

/** reads NAME COUNT */
void measure_reads(int count, char *const *arguments) {
  (void)count;
  measure(arguments, O_RDONLY, read_once);
}

/** same-writes NAME COUNT */
void measure_same_writes(int count, char *const *arguments) {
  (void)count;
  measure(arguments, O_WRONLY, write_same);
}

/** changing-writes NAME COUNT */
void measure_changing_writes(int count, char *const *arguments) {
  (void)count;
  measure(arguments, O_WRONLY, write_changed);
}
