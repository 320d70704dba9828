// What a PV guest and its hypervisor agree on: hypercall numbers, error numbers, start information, shared information.
// Xen 4.17, xen/include/public/xen.h, errno.h and arch-x86/xen-x86_64.h.
#pragma once
#include "efi-base.h"

#define HYPERCALL_platform_op 7
#define HYPERCALL_memory_op 12
#define HYPERCALL_update_va_mapping 14
#define HYPERCALL_xen_version 17
#define HYPERCALL_console_io 18
#define HYPERCALL_iret 23
#define HYPERCALL_sched_op 29
#define HYPERCALL_SLOTS 128
#define HYPERCALL_SLOT_SIZE 32

// A hypercall gives one of these, negative, when it fails.
#define XEN_EPERM 1
#define XEN_ESRCH 3
#define XEN_EIO 5
#define XEN_ENOMEM 12
#define XEN_EACCES 13
#define XEN_EFAULT 14
#define XEN_EBUSY 16
#define XEN_ENODEV 19
#define XEN_EINVAL 22
#define XEN_ENOSYS 38
#define XEN_ENODATA 61
#define XEN_EOPNOTSUPP 95

typedef UINT64 GuestHandle;

// Where the hypervisor's part of every address space begins and ends; the first table in it is readable by guests.
#define HYPERVISOR_VIRT_START 0xffff800000000000ull
#define HYPERVISOR_VIRT_END 0xffff880000000000ull
#define MACH2PHYS_VIRT_START HYPERVISOR_VIRT_START
#define GUEST_LOW_END 0x0000800000000000ull

// Selectors that a 64-bit guest finds itself with.
#define FLAT_RING3_CS64 0xe033
#define FLAT_RING3_SS64 0xe02b

#define XEN_MAX_GUEST_CMDLINE 1024
#define XEN_PV_MAGIC "xen-3.0-x86_64"
#define SIF_PRIVILEGED 1u
#define SIF_INITDOMAIN 2u

typedef struct {
  char magic[32];
  UINT64 nr_pages;
  UINT64 shared_info;
  UINT32 flags;
  UINT64 store_mfn;
  UINT32 store_evtchn;
  UINT32 console_info_off;
  UINT32 console_info_size;
  UINT64 console_domu;
  UINT64 pt_base;
  UINT64 nr_pt_frames;
  UINT64 mfn_list;
  UINT64 mod_start;
  UINT64 mod_len;
  char cmd_line[XEN_MAX_GUEST_CMDLINE];
  UINT64 first_p2m_pfn;
  UINT64 nr_p2m_frames;
} StartInfo;

#define XEN_LEGACY_MAX_VCPUS 32

typedef struct {
  UINT8 evtchn_upcall_pending;
  UINT8 evtchn_upcall_mask;
  UINT64 evtchn_pending_sel;
  UINT64 arch[2];
  UINT64 time[4];
} VcpuInfo;

typedef struct {
  VcpuInfo vcpu_info[XEN_LEGACY_MAX_VCPUS];
  UINT64 evtchn_pending[64];
  UINT64 evtchn_mask[64];
  UINT32 wc_version;
  UINT32 wc_sec;
  UINT32 wc_nsec;
  UINT32 wc_sec_hi;
} SharedInfo;

_Static_assert(sizeof(StartInfo) == 1168, "xen.h");
_Static_assert(offsetof(StartInfo, cmd_line) == 128, "xen.h");
_Static_assert(sizeof(VcpuInfo) == 64, "xen.h");
_Static_assert(offsetof(SharedInfo, wc_version) == 3072, "xen.h");

enum { SCHEDOP_yield, SCHEDOP_block, SCHEDOP_shutdown };
enum { SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_suspend, SHUTDOWN_crash, SHUTDOWN_watchdog, SHUTDOWN_soft_reset };
enum { CONSOLEIO_write, CONSOLEIO_read };

enum {
  XENVER_version,
  XENVER_extraversion,
  XENVER_compile_info,
  XENVER_capabilities,
  XENVER_changeset,
  XENVER_platform_parameters,
  XENVER_get_features,
  XENVER_pagesize,
  XENVER_guest_handle,
  XENVER_commandline,
  XENVER_build_id,
};

#define XENMEM_memory_map 9
#define XENMEM_machine_memory_map 10
#define XENMEM_machphys_mapping 12

enum { E820_RAM = 1, E820_RESERVED, E820_ACPI, E820_NVS, E820_UNUSABLE };

typedef struct {
  uint64_t addr;
  uint64_t size;
  UINT32 type;
} __attribute__((packed)) E820Entry;

typedef struct {
  UINT32 nr_entries;
  GuestHandle buffer;
} XenMemoryMap;

typedef struct {
  UINT64 v_start;
  UINT64 v_end;
  UINT64 max_mfn;
} XenMachphysMapping;

// update_va_mapping: the flush that goes with it. We flush the page whatever it asks for.
#define UVMF_FLUSHTYPE_MASK 3ull
