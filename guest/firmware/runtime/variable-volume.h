// Where things stand in the variable flash, and the replacement of the whole store in one step.
#pragma once
#include "efi-base.h"

// 128 KiB: the volume with the store, an unused log, the working block of replacements, their spare blocks.
#define VOLUME_SIZE 0x20000u
#define STORE_AREA_SIZE 0xe000u
#define WORKING_BLOCK 0xf000u
#define SPARE_AREA 0x10000u
#define VOLUME_HEADER_SIZE 0x48u
#define FLASH_STORE_SIZE (STORE_AREA_SIZE - VOLUME_HEADER_SIZE)

// Finishes a replacement that power was cut from, and formats what holds no volume.
void volume_open(void);
// Erases the spare blocks and gives them the volume and store headers; what the caller programs there follows.
void volume_begin_replacement(void);
// The spare blocks are complete: they take the place of the store.
void volume_finish_replacement(void);
