#include "flash-model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

UINT8 flash_model[VOLUME_SIZE] __attribute__((aligned(4096)));
UINT8 *flash_base = flash_model;
UINTN flash_writes;
jmp_buf power_cut;

static UINTN power;
static EraseCut erase_cut;
static bool setting_allowed;

_Noreturn void fail(const char *what) {
  fprintf(stderr, "FAIL after %zu writes: %s\n", (size_t)flash_writes, what);
  exit(1);
}

void flash_power(UINTN writes, EraseCut erase) {
  power = writes;
  erase_cut = erase;
  flash_writes = 0;
}

void flash_allow_setting_bits(void) {
  setting_allowed = true;
}

static bool has_power(void) {
  if (flash_writes == power) return false;
  flash_writes++;
  return true;
}

void flash_program(UINT32 offset, const void *bytes, UINTN count) {
  const UINT8 *from = bytes;
  if (from >= flash_model && from < flash_model + VOLUME_SIZE) fail("programmed from the flash itself");
  if (offset > VOLUME_SIZE || VOLUME_SIZE - offset < count) fail("programmed outside the device");
  for (UINTN i = 0; i < count; i++) {
    if (from[i] == 0xff) continue;
    if (!has_power()) longjmp(power_cut, 1);
    UINT8 *byte = &flash_model[offset + i];
    if (!setting_allowed && (from[i] & ~*byte)) fail("programming would have to set bits");
    *byte &= from[i];
  }
}

void flash_erase_block(UINT32 offset) {
  if (offset % FLASH_BLOCK_SIZE || offset >= VOLUME_SIZE) fail("erased what is no block");
  if (has_power()) {
    memset(flash_model + offset, 0xff, FLASH_BLOCK_SIZE);
    return;
  }
  if (erase_cut == ERASE_FIRST_HALF) memset(flash_model + offset, 0xff, FLASH_BLOCK_SIZE / 2);
  if (erase_cut == ERASE_SECOND_HALF)
    memset(flash_model + offset + FLASH_BLOCK_SIZE / 2, 0xff, FLASH_BLOCK_SIZE / 2);
  longjmp(power_cut, 1);
}
