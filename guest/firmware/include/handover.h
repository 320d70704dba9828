// What the boot services core and the runtime driver tell each other. Everything here lies in runtime services data,
// so the driver may still read it when the core is gone.
#pragma once
#include "efi-tables.h"

// A runtime driver in memory, with what its relocation for virtual addresses needs (UEFI 2.10, 8.4).
typedef struct RuntimeImage {
  struct RuntimeImage *next;
  UINT8 *base;
  UINTN size;
  const UINT8 *relocations;
  UINTN relocations_size;
  // The value each fixup had after loading: one that has changed since was converted by the driver itself.
  UINTN *loaded_values;
} RuntimeImage;

typedef struct AddressChangeEvent {
  struct AddressChangeEvent *next;
  EFI_EVENT event;
  EFI_EVENT_NOTIFY notify;
  void *context;
} AddressChangeEvent;

#define MAX_RUNTIME_REGIONS 32
typedef struct {
  UINT64 start;
  UINT64 pages;
} RuntimeRegion;

// Capsules of one call of UpdateCapsule that wait in memory for the next start.
typedef struct {
  UINT64 list;
  // Bytes of all of them.
  UINT64 size;
  // Of the first one.
  EFI_GUID guid;
} PendingCapsules;
#define MAX_PENDING_CAPSULES 8

// What the firmware says of itself in its ESRT.
typedef struct {
  UINT32 version;
  UINT32 lowest_version;
  UINT32 last_attempt_version;
  UINT32 last_attempt_status;
} FirmwareResource;

typedef struct {
  EFI_SYSTEM_TABLE *system_table;
  // The flash device that holds the variables; it is mapped with its whole window.
  UINT8 *variable_flash;
  UINT8 *volatile_store;
  UINTN volatile_store_size;
  // Working memory of the variable services.
  UINT8 *scratch;
  UINTN scratch_size;
  RuntimeImage *images;
  AddressChangeEvent *address_change;
  // Regions an operating system has to map (filled at ExitBootServices).
  UINTN region_count;
  RuntimeRegion regions[MAX_RUNTIME_REGIONS];
  // Everything that the memory map speaks of, whatever its type, neighbours joined.
  UINTN known_count;
  RuntimeRegion known[MAX_RUNTIME_REGIONS];
  FirmwareResource resource;
  // NULL until the core installs it; from then on the driver keeps it true.
  EFI_SYSTEM_RESOURCE_TABLE *resource_table;

  // Given by the driver when it starts, called by the core before ExitBootServices.
  void(EFIAPI *enter_runtime)(void);
  EFI_STATUS(EFIAPI *next_monotonic_count)(UINT64 *);
  // Gives the pending capsules and forgets them; `to` has room for MAX_PENDING_CAPSULES.
  UINTN(EFIAPI *take_pending_capsules)(PendingCapsules *to);
  // Processes a whole capsule and reports the result.
  EFI_STATUS(EFIAPI *process_capsule)(const UINT8 *capsule);
  // Reports capsules that came to nothing before they could be processed.
  void(EFIAPI *report_capsule)(const EFI_GUID *guid, EFI_STATUS result);
} Handover;

typedef EFI_STATUS(EFIAPI *RuntimeEntry)(Handover *);
