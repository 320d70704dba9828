// The part that runs as an EFI application, with boot services.
#pragma once
#include "hypervisor.h"

extern EFI_HANDLE image_handle;
extern EFI_SYSTEM_TABLE *system_table;
extern EFI_BOOT_SERVICES *boot_services;
extern EFI_LOADED_IMAGE_PROTOCOL *loaded_image;

// Prints a line on the firmware's console and gives the status back, for the application's return.
EFI_STATUS give_up(const CHAR16 *why, EFI_STATUS status);

// A section of this image by its name; false when there is none or the headers do not fit the image.
bool find_section(const char *name, UINT8 **start, UINTN *size);
// Adds `delta` wherever the image holds an address of its own.
bool relocate_image(UINT64 delta);

// Reads the configuration and the load options. On failure gives the reason.
const CHAR16 *options_read(void);

// Pages of loader data; 0 when there are none.
UINT64 allocate_loader_pages(UINTN pages);
// Records what will be asked later; needs boot services.
void firmware_record(void);
