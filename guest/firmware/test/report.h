// How the test application reports: one line for each thing it finds, on the firmware's console while there is one and
// on the serial port afterwards. `ok` or `FAIL`, then what was asked.
#pragma once
#include "efi-tables.h"
#include "efi-variable.h"
#include "memory.h"

void report_text(const char *text);
void report_hex(UINT64 value);
// Compares a status; the line names the call.
void expect_status(const char *what, EFI_STATUS actual, EFI_STATUS expected);
void expect_true(const char *what, bool condition);
void report_section(const char *name);
void report_end(void);

extern EFI_SYSTEM_TABLE *st;
extern EFI_RUNTIME_SERVICES *rs;
extern EFI_BOOT_SERVICES *bs;

// The parts of the test, in order. runtime_services_test runs three times: before ExitBootServices, after it and at
// virtual addresses.
void tables_test(void);
void boot_services_test(EFI_HANDLE image);
void initrd_test(void);
void runtime_services_test(bool at_runtime);
void authentication_test(void);
void virtual_mode_test(EFI_HANDLE image);
