// A capsule handed to the kernel's loader, page by page as it comes from a file.
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"

#define LOADER "/dev/efi_capsule_loader"
#define MODULE "/capsule-loader.ko"
#define PAGE 4096

static uint8_t capsule[1 << 16];

static void report_failure(const char *step) {
  int error = errno;
  report_string("step", step);
  report_errno(error);
}

void load_capsule(int count, char *const *arguments) {
  (void)count;
  size_t length = parse_bytes(arguments[0], capsule, sizeof capsule), at = 0;
  int module = open(MODULE, O_RDONLY | O_CLOEXEC);
  if (module < 0 || syscall(SYS_finit_module, module, "", 0) != 0) {
    report_failure("module");
    return;
  }
  close(module);
  int loader = open(LOADER, O_WRONLY | O_CLOEXEC);
  if (loader < 0) {
    report_failure("open");
    return;
  }
  while (at < length) {
    ssize_t written = write(loader, capsule + at, length - at < PAGE ? length - at : PAGE);
    if (written <= 0) {
      report_failure("write");
      break;
    }
    at += (size_t)written;
  }
  report_number("written", (int64_t)at);
  // The loader complains of a capsule that was not all there when it is closed.
  if (close(loader) < 0) report_failure("close");
}
