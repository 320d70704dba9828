// What a program may do to a variable through efivarfs, and what it is answered.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

#define EFIVARFS "/sys/firmware/efi/efivars"
#define LARGEST (1 << 20)

static uint8_t bytes[LARGEST];

static const char *path_of(const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, EFIVARFS "/%s", name);
  return path;
}

static void failed(const char *step) {
  report_string("step", step);
  report_errno(errno);
}

/** Whether the file is there after an attempt, and with how many bytes. */
static void report_size(const char *path) {
  struct stat status;
  if (stat(path, &status) == 0) report_number("size", status.st_size);
}

static void write_bytes(const char *name, size_t length) {
  const char *path = path_of(name);
  int file = open(path, O_WRONLY | O_CREAT, 0644);
  if (file < 0) {
    failed("open");
  } else {
    ssize_t written = write(file, bytes, length);
    if (written < 0) failed("write");
    else report_number("written", written);
    if (close(file) < 0) failed("close");
  }
  report_size(path);
}

/** write NAME ATTRIBUTES DATA */
void write_variable(int count, char *const *arguments) {
  (void)count;
  uint32_t attributes = (uint32_t)strtoul(arguments[1], NULL, 16);
  memcpy(bytes, &attributes, sizeof attributes);
  write_bytes(arguments[0], sizeof attributes + parse_bytes(arguments[2], bytes + sizeof attributes, LARGEST - sizeof attributes));
}

/** raw NAME BYTES: the bytes of the file, attributes included. */
void write_file(int count, char *const *arguments) {
  (void)count;
  write_bytes(arguments[0], parse_bytes(arguments[1], bytes, LARGEST));
}

static int is_immutable(int file) {
  int flags = 0;
  return ioctl(file, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0;
}

static void report_variable(const char *path) {
  int file = open(path, O_RDONLY);
  if (file < 0) {
    failed("open");
    return;
  }
  ssize_t length = read(file, bytes, sizeof bytes);
  if (length < 0) failed("read");
  else report_bytes("bytes", bytes, (size_t)length);
  report_flag("immutable", is_immutable(file));
  close(file);
}

void read_variable(int count, char *const *arguments) {
  (void)count;
  report_variable(path_of(arguments[0]));
}

void delete_variable(int count, char *const *arguments) {
  (void)count;
  if (unlink(path_of(arguments[0])) < 0) failed("unlink");
}

/** protect NAME on|off: what chattr +i and -i do. */
void protect_variable(int count, char *const *arguments) {
  (void)count;
  int file = open(path_of(arguments[0]), O_RDONLY);
  int flags = strcmp(arguments[1], "on") == 0 ? FS_IMMUTABLE_FL : 0;
  if (file < 0) failed("open");
  else if (ioctl(file, FS_IOC_SETFLAGS, &flags) < 0) failed("ioctl");
  if (file >= 0) close(file);
}

void list_variables(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  struct dirent **entries;
  int number = scandir(EFIVARFS, &entries, NULL, alphasort);
  report_array("variables");
  for (int i = 0; i < number; i++) {
    const char *name = entries[i]->d_name;
    if (name[0] != '.') {
      report_object();
      report_string("name", name);
      report_variable(path_of(name));
      report_object_end();
    }
    free(entries[i]);
  }
  report_array_end();
}

void show_space(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  struct statfs space;
  if (statfs(EFIVARFS, &space) < 0) {
    failed("statfs");
    return;
  }
  report_number("blockSize", space.f_bsize);
  report_number("blocks", (int64_t)space.f_blocks);
  report_number("free", (int64_t)space.f_bfree);
  report_number("available", (int64_t)space.f_bavail);
  report_number("longestName", space.f_namelen);
}

/** Mounts efivarfs once more: its files are made from what the firmware tells now. */
void remount(int count, char *const *arguments) {
  (void)count;
  (void)arguments;
  if (umount(EFIVARFS) < 0 && errno != EINVAL) failed("umount");
  else if (mount("efivarfs", EFIVARFS, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) failed("mount");
}
