// Files of the kernel as they are: text, folders of attributes, and the kernel's log.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

static char buffer[1 << 18];

/** Reads a whole file; -1 with errno where that fails. */
static ssize_t read_file(const char *path) {
  int file = open(path, O_RDONLY);
  if (file < 0) return -1;
  size_t length = 0;
  ssize_t got;
  while ((got = read(file, buffer + length, sizeof buffer - length)) > 0) length += (size_t)got;
  int error = errno;
  close(file);
  errno = error;
  return got < 0 ? -1 : (ssize_t)length;
}

static void report_file(const char *path) {
  ssize_t length = read_file(path);
  if (length < 0) report_errno(errno);
  else report_text("text", buffer, (size_t)length);
}

void show_text(int count, char *const *arguments) {
  (void)count;
  report_file(arguments[0]);
}

static void walk(const char *folder) {
  struct dirent **entries;
  int number = scandir(folder, &entries, NULL, alphasort);
  for (int i = 0; i < number; i++) {
    const char *name = entries[i]->d_name;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct stat status;
    if (name[0] != '.' && lstat(path, &status) == 0) {
      if (S_ISDIR(status.st_mode)) {
        walk(path);
      } else if (S_ISREG(status.st_mode)) {
        report_object();
        report_string("path", path);
        report_file(path);
        report_object_end();
      }
    }
    free(entries[i]);
  }
  if (number >= 0) free(entries);
}

void show_tree(int count, char *const *arguments) {
  (void)count;
  struct stat status;
  if (stat(arguments[0], &status) < 0) {
    report_errno(errno);
    return;
  }
  report_array("files");
  walk(arguments[0]);
  report_array_end();
}

void show_kernel_log(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  int file = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  report_array("lines");
  ssize_t got;
  // A record is `priority,number,microseconds,flags;text` and a line for each property of its device.
  while ((got = read(file, buffer, sizeof buffer - 1)) > 0 || (got < 0 && errno == EPIPE)) {
    if (got < 0) continue;
    buffer[got] = 0;
    char *text = strchr(buffer, ';');
    if (text) report_text(NULL, text + 1, strcspn(text + 1, "\n"));
  }
  report_array_end();
  close(file);
}
