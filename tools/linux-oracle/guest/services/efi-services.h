// What the guest asks the module: one call of a runtime service, or the same call many times.
#pragma once
#include <linux/ioctl.h>
#include <linux/types.h>

#define EFI_SERVICES_NAME_LENGTH 512
#define EFI_SERVICES_DATA_SIZE 4096

enum efi_services_service {
  EFI_SERVICES_GET_TIME,
  EFI_SERVICES_SET_TIME,
  EFI_SERVICES_GET_WAKEUP_TIME,
  EFI_SERVICES_SET_WAKEUP_TIME,
  EFI_SERVICES_GET_VARIABLE,
  EFI_SERVICES_GET_NEXT_VARIABLE_NAME,
  EFI_SERVICES_SET_VARIABLE,
  EFI_SERVICES_QUERY_VARIABLE_INFO,
  EFI_SERVICES_GET_NEXT_HIGH_MONOTONIC_COUNT,
  EFI_SERVICES_QUERY_CAPSULE_CAPABILITIES,
  EFI_SERVICES_UPDATE_CAPSULE,
  EFI_SERVICES_COUNT,
};

/** Pointers that are passed as NULL, by bit. */
enum efi_services_pointer {
  EFI_SERVICES_TIME = 1,
  EFI_SERVICES_CAPABILITIES = 2,
  EFI_SERVICES_ENABLED = 4,
  EFI_SERVICES_PENDING = 8,
  EFI_SERVICES_NAME = 0x10,
  EFI_SERVICES_VENDOR = 0x20,
  EFI_SERVICES_ATTRIBUTES = 0x40,
  EFI_SERVICES_SIZE = 0x80,
  EFI_SERVICES_DATA = 0x100,
  EFI_SERVICES_RESULT_0 = 0x200,
  EFI_SERVICES_RESULT_1 = 0x400,
  EFI_SERVICES_RESULT_2 = 0x800,
};

struct efi_services_call {
  __u32 service;
  __u32 null_pointers;
  /** In: how often; 0 counts as once. The last answer stands. */
  __u32 rounds;
  __u32 attributes;
  /** Out. */
  __u64 status;
  __u64 nanoseconds;
  /** In and out: bytes of the data, or of the name. */
  __u64 size;
  /** Out: the numbers of QueryVariableInfo, the count, or capsule limit and reset type. */
  __u64 results[3];
  __u8 enabled;
  __u8 pending;
  __u8 reserved[6];
  __u8 time[16];
  /** Resolution, accuracy (each 4 bytes), whether setting clears what is below a second. */
  __u8 capabilities[12];
  __u8 vendor[16];
  __u16 name[EFI_SERVICES_NAME_LENGTH];
  __u8 data[EFI_SERVICES_DATA_SIZE];
};

#define EFI_SERVICES_CALL _IOWR('e', 1, struct efi_services_call)
