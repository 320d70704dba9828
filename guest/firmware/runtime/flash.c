// Parallel flash with the Intel command set (Intel 28F256J3 datasheet, table 16), one byte wide, as QEMU's pflash has it.
#include "flash.h"

enum {
  COMMAND_PROGRAM = 0x10,
  COMMAND_ERASE = 0x20,
  COMMAND_CLEAR_STATUS = 0x50,
  COMMAND_READ_STATUS = 0x70,
  COMMAND_CONFIRM = 0xd0,
  COMMAND_READ_ARRAY = 0xff,
  STATUS_READY = 0x80,
  STATUS_PROGRAM_ERROR = 0x10,
};

UINT8 *flash_base;

static void wait_ready(volatile UINT8 *at) {
  // An emulated chip is ready at once; a real one within a second.
  for (UINTN i = 0; i < 1000000 && !(*at & STATUS_READY); i++) continue;
}

void flash_program(UINT32 offset, const void *bytes, UINTN count) {
  volatile UINT8 *at = flash_base + offset;
  const UINT8 *from = bytes;
  bool touched = false;
  for (; count; count--, at++, from++) {
    // Erased bytes need no programming.
    if (*from == 0xff) continue;
    *at = COMMAND_PROGRAM;
    *at = *from;
    wait_ready(at);
    touched = true;
  }
  if (touched) at[-1] = COMMAND_READ_ARRAY;
  __asm__ volatile("" : : : "memory");
}

void flash_erase_block(UINT32 offset) {
  volatile UINT8 *at = flash_base + offset;
  *at = COMMAND_ERASE;
  *at = COMMAND_CONFIRM;
  wait_ready(at);
  *at = COMMAND_READ_ARRAY;
  __asm__ volatile("" : : : "memory");
}

bool flash_is_writable(void) {
  // Offset 0 belongs to the zero vector of the volume: its value is no status and no command.
  volatile UINT8 *at = flash_base;
  UINT8 original = *at;
  *at = COMMAND_CLEAR_STATUS;
  *at = COMMAND_PROGRAM;
  *at = original;
  *at = COMMAND_READ_STATUS;
  UINT8 status = *at;
  *at = COMMAND_READ_ARRAY;
  bool array = *at == original;
  __asm__ volatile("" : : : "memory");
  return array && (status & (STATUS_READY | STATUS_PROGRAM_ERROR)) == STATUS_READY;
}
