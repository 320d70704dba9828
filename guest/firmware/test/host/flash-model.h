// A flash device for the variable store on the host: it checks that programming only clears bits, counts what is
// written, and can lose power at any write.
#pragma once
#include <setjmp.h>
#include "flash.h"
#include "variable-volume.h"

// What an erasure that power is cut from leaves behind.
typedef enum { ERASE_NOTHING, ERASE_FIRST_HALF, ERASE_SECOND_HALF, ERASE_MODES } EraseCut;

extern UINT8 flash_model[VOLUME_SIZE];
// Writes since the power came.
extern UINTN flash_writes;
// Where the program goes on when the power fails.
extern jmp_buf power_cut;

// Power for `writes` more; UINTPTR_MAX is for ever.
void flash_power(UINTN writes, EraseCut erase);
// Contents nobody has written need not obey the rules of the store.
void flash_allow_setting_bits(void);
_Noreturn void fail(const char *what);
