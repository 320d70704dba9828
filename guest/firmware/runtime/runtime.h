// The runtime driver: what its files offer one another.
#pragma once
#include "efi-variable.h"
#include "handover.h"
#include "memory.h"

extern Handover *handover;
// ExitBootServices has been called.
extern bool at_runtime;

EFI_STATUS EFIAPI get_time(EFI_TIME *time, EFI_TIME_CAPABILITIES *capabilities);
EFI_STATUS EFIAPI set_time(EFI_TIME *time);
EFI_STATUS EFIAPI get_wakeup_time(BOOLEAN *enabled, BOOLEAN *pending, EFI_TIME *time);
EFI_STATUS EFIAPI set_wakeup_time(BOOLEAN enable, EFI_TIME *time);
EFI_STATUS EFIAPI set_virtual_address_map(UINTN size, UINTN descriptor_size, UINT32 version, EFI_MEMORY_DESCRIPTOR *map);
EFI_STATUS EFIAPI convert_pointer(UINTN disposition, void **address);
EFI_STATUS EFIAPI get_variable(const CHAR16 *name, const EFI_GUID *vendor, UINT32 *attributes, UINTN *size, void *data);
EFI_STATUS EFIAPI get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor);
EFI_STATUS EFIAPI set_variable(const CHAR16 *name, const EFI_GUID *vendor, UINT32 attributes, UINTN size, const void *data);
EFI_STATUS EFIAPI get_next_high_monotonic_count(UINT32 *count);
void EFIAPI reset_system(UINT32 type, EFI_STATUS status, UINTN size, void *data);
EFI_STATUS EFIAPI update_capsule(EFI_CAPSULE_HEADER **capsules, UINTN count, EFI_PHYSICAL_ADDRESS list);
EFI_STATUS EFIAPI query_capsule_capabilities(EFI_CAPSULE_HEADER **capsules, UINTN count, UINT64 *max_size, UINT32 *reset);
EFI_STATUS EFIAPI query_variable_info(UINT32 attributes, UINT64 *max_storage, UINT64 *remaining, UINT64 *max_size);

// monotonic-counter.c
EFI_STATUS monotonic_counter_start(void);
EFI_STATUS EFIAPI next_monotonic_count(UINT64 *count);

// variable-services.c
EFI_STATUS variables_start(void);
// Converts the pointers of the variable services for virtual addresses.
void variables_convert(void);
// Any variable, free of the rules for callers. `size` 0 deletes.
EFI_STATUS variable_set_unchecked(const CHAR16 *name, const EFI_GUID *vendor, UINT32 attributes, const void *data, UINTN size);
// Copies at most `capacity` bytes; returns how many, 0 without the variable.
UINTN variable_read_unchecked(const CHAR16 *name, const EFI_GUID *vendor, void *data, UINTN capacity);
// The same for variables of the firmware itself.
EFI_STATUS firmware_variable_set(const CHAR16 *name, UINT32 attributes, const void *data, UINTN size);
// False unless the variable exists with exactly `size` bytes.
bool firmware_variable_get(const CHAR16 *name, void *data, UINTN size);
UINTN firmware_variable_read(const CHAR16 *name, void *data, UINTN capacity);

// capsule-result.c: variables that say what became of capsules.
EFI_STATUS capsule_results_start(void);
void EFIAPI capsule_report(const EFI_GUID *guid, EFI_STATUS result);
bool capsule_result_is_read_only(const CHAR16 *name, const EFI_GUID *vendor);

// firmware-update.c: the one type of capsule that this firmware processes, and the state it leads to.
void firmware_resource_start(void);
extern const EFI_GUID firmware_class;
// `body` and `size`: what follows the header of the capsule.
EFI_STATUS firmware_update(const UINT8 *body, UINTN size);

// capsule.c
UINTN EFIAPI capsules_take_pending(PendingCapsules *to);
EFI_STATUS EFIAPI capsule_process(const UINT8 *capsule);

// rtc.c: the calendar of the CMOS clock (Motorola MC146818A).
bool is_valid_time(const EFI_TIME *time);
bool rtc_read_time(EFI_TIME *time);
bool rtc_write_time(const EFI_TIME *time);
void rtc_read_alarm(EFI_TIME *time, bool *enabled, bool *pending);
void rtc_write_alarm(const EFI_TIME *time, bool enable);
