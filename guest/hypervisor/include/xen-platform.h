// platform_op: the hypercall of the control domain. Xen 4.17, xen/include/public/platform.h.
#pragma once
#include "efi-time.h"
#include "xen-abi.h"

#define XENPF_INTERFACE_VERSION 0x03000001u

#define XENPF_settime32 17
#define XENPF_efi_runtime_call 49
#define XENPF_firmware_info 50
#define XENPF_enter_acpi_sleep 51
#define XENPF_settime64 62

enum {
  XEN_EFI_get_time = 1,
  XEN_EFI_set_time,
  XEN_EFI_get_wakeup_time,
  XEN_EFI_set_wakeup_time,
  XEN_EFI_get_next_high_monotonic_count,
  XEN_EFI_get_variable,
  XEN_EFI_set_variable,
  XEN_EFI_get_next_variable_name,
  XEN_EFI_query_variable_info,
  XEN_EFI_query_capsule_capabilities,
  XEN_EFI_update_capsule,
};

#define XEN_EFI_GET_TIME_SET_CLEARS_NS 1u
#define XEN_EFI_GET_WAKEUP_TIME_ENABLED 1u
#define XEN_EFI_GET_WAKEUP_TIME_PENDING 2u
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE 1u
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY 2u
#define XEN_EFI_VARINFO_BOOT_SNAPSHOT 1u

typedef struct {
  UINT32 function;
  UINT32 misc;
  UINT64 status;
  union {
    struct {
      EFI_TIME time;
      UINT32 resolution;
      UINT32 accuracy;
    } get_time;
    EFI_TIME time;
    struct {
      GuestHandle name;
      UINT64 size;
      GuestHandle data;
      EFI_GUID vendor_guid;
    } variable;
    struct {
      UINT64 size;
      GuestHandle name;
      EFI_GUID vendor_guid;
    } next_name;
    struct {
      UINT32 attr;
      UINT64 max_store_size;
      UINT64 remain_store_size;
      UINT64 max_size;
    } variable_info;
    // query_capsule_capabilities; update_capsule has its list of scattered blocks in place of the size.
    struct {
      GuestHandle capsule_header_array;
      UINT64 capsule_count;
      UINT64 max_capsule_size;
      UINT32 reset_type;
    } capsule;
  } u;
} XenpfEfiRuntimeCall;

enum { XEN_FW_DISK_INFO = 1, XEN_FW_DISK_MBR_SIGNATURE, XEN_FW_VBEDDC_INFO, XEN_FW_EFI_INFO, XEN_FW_KBD_SHIFT_FLAGS };
enum {
  XEN_FW_EFI_VERSION,
  XEN_FW_EFI_CONFIG_TABLE,
  XEN_FW_EFI_VENDOR,
  XEN_FW_EFI_MEM_INFO,
  XEN_FW_EFI_RT_VERSION,
  XEN_FW_EFI_PCI_ROM,
  XEN_FW_EFI_APPLE_PROPERTIES,
};

typedef union {
  UINT32 version;
  struct {
    UINT64 addr;
    UINT32 nent;
  } cfg;
  struct {
    UINT32 revision;
    UINT32 bufsz;
    GuestHandle name;
  } vendor;
  struct {
    UINT64 addr;
    UINT64 size;
    UINT64 attr;
    UINT32 type;
  } mem;
  struct {
    UINT16 segment;
    UINT8 bus;
    UINT8 devfn;
    UINT16 vendor;
    UINT16 devid;
    UINT64 address;
    UINT64 size;
  } pci_rom;
  struct {
    UINT64 address;
    UINT64 size;
  } apple_properties;
} XenpfEfiInfo;

typedef struct {
  UINT32 type;
  UINT32 index;
  union {
    XenpfEfiInfo efi_info;
    UINT8 kbd_shift_flags;
  } u;
} XenpfFirmwareInfo;

typedef struct {
  UINT16 val_a;
  UINT16 val_b;
  UINT32 sleep_state;
  UINT32 flags;
} XenpfEnterAcpiSleep;

typedef struct {
  UINT32 secs;
  UINT32 nsecs;
  UINT64 system_time;
} XenpfSettime32;

typedef struct {
  UINT64 secs;
  UINT32 nsecs;
  UINT32 mbz;
  UINT64 system_time;
} XenpfSettime64;

typedef struct {
  UINT32 cmd;
  UINT32 interface_version;
  union {
    XenpfEfiRuntimeCall efi_runtime_call;
    XenpfFirmwareInfo firmware_info;
    XenpfEnterAcpiSleep enter_acpi_sleep;
    XenpfSettime32 settime32;
    XenpfSettime64 settime64;
    UINT8 pad[128];
  } u;
} XenPlatformOp;

_Static_assert(sizeof(XenPlatformOp) == 136, "platform.h");
_Static_assert(sizeof(XenpfEfiRuntimeCall) == 56, "platform.h");
_Static_assert(sizeof(XenpfFirmwareInfo) == 40, "platform.h");
