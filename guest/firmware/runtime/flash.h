// The flash device of the variables, seen as bytes that programming can only clear and blocks that can be erased.
#pragma once
#include "efi-base.h"

#define FLASH_BLOCK_SIZE 4096u

extern UINT8 *flash_base;

// Programs bytes from RAM (never from the flash itself) at an offset.
void flash_program(UINT32 offset, const void *bytes, UINTN count);
void flash_erase_block(UINT32 offset);
// True when the device takes commands: false for ROM, RAM and a write-protected chip.
bool flash_is_writable(void);
