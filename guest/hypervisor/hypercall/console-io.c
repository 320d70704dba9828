// console_io (Xen 4.17, drivers/char/console.c).
#include "hypervisor.h"

#define CHUNK 127

static INTN write(UINTN count, GuestHandle buffer) {
  char chunk[CHUNK];
  while (count) {
    UINTN length = count < CHUNK ? count : CHUNK;
    if (!copy_from_guest(chunk, buffer, length)) return -XEN_EFAULT;
    console_write(chunk, length);
    buffer += length;
    count -= length;
  }
  return 0;
}

static INTN read(UINTN count, GuestHandle buffer) {
  char chunk[CHUNK];
  UINTN length = console_read(chunk, count < CHUNK ? count : CHUNK);
  return copy_to_guest(buffer, chunk, length) ? (INTN)length : -XEN_EFAULT;
}

INTN do_console_io(UINT32 command, INTN count, GuestHandle buffer) {
  if (!domain.privileged) return -XEN_EPERM;
  switch (command) {
    case CONSOLEIO_write:
      return count < 0 ? -XEN_EINVAL : write((UINTN)count, buffer);
    case CONSOLEIO_read:
      return count < 0 ? -XEN_EINVAL : read((UINTN)count, buffer);
    default:
      return -XEN_ENOSYS;
  }
}
