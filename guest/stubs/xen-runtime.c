// EFI runtime services for the kernel of a Xen dom0: functions of the Microsoft convention that make hypercalls. Code without data, so
// that it runs wherever it is put. An error of the hypervisor has no EFI status: it becomes EFI_UNSUPPORTED. What the hypercall carries by
// value cannot be NULL: EFI_INVALID_PARAMETER.
#include "efi-tables.h"
#include "xen-platform.h"

// In the kernel's own code the number goes to RAX and the arguments to RDI and RSI (Xen 4.17, arch-x86/xen-x86_64.h).
static inline INTN hypercall(UINTN number, UINTN first, const void *second) {
  INTN result;
  __asm__ volatile("syscall"
                   : "=a"(result), "+D"(first), "+S"(second)
                   : "a"(number)
                   : "rcx", "rdx", "r8", "r10", "r11", "memory");
  return result;
}

static inline void prepare(XenPlatformOp *op, UINT32 function, UINT32 misc) {
  volatile UINT64 *words = (volatile UINT64 *)op;
  for (UINTN i = 0; i < sizeof(*op) / sizeof(*words); i++) words[i] = 0;
  op->cmd = XENPF_efi_runtime_call;
  op->interface_version = XENPF_INTERFACE_VERSION;
  op->u.efi_runtime_call.function = function;
  op->u.efi_runtime_call.misc = misc;
}

static inline EFI_STATUS call(XenPlatformOp *op) {
  INTN result = hypercall(HYPERCALL_platform_op, (UINTN)op, NULL);
  return result < 0 ? EFI_UNSUPPORTED : op->u.efi_runtime_call.status;
}

EFI_STATUS EFIAPI get_time(EFI_TIME *time, EFI_TIME_CAPABILITIES *capabilities) {
  XenPlatformOp op;
  if (!time) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_get_time, 0);
  EFI_STATUS status = call(&op);
  if (EFI_ERROR(status)) return status;
  const XenpfEfiRuntimeCall *answer = &op.u.efi_runtime_call;
  *time = answer->u.get_time.time;
  if (capabilities) {
    capabilities->Resolution = answer->u.get_time.resolution;
    capabilities->Accuracy = answer->u.get_time.accuracy;
    capabilities->SetsToZero = (answer->misc & XEN_EFI_GET_TIME_SET_CLEARS_NS) != 0;
  }
  return status;
}

EFI_STATUS EFIAPI set_time(EFI_TIME *time) {
  XenPlatformOp op;
  if (!time) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_set_time, 0);
  op.u.efi_runtime_call.u.time = *time;
  return call(&op);
}

EFI_STATUS EFIAPI get_wakeup_time(BOOLEAN *enabled, BOOLEAN *pending, EFI_TIME *time) {
  XenPlatformOp op;
  if (!enabled || !pending || !time) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_get_wakeup_time, 0);
  EFI_STATUS status = call(&op);
  if (EFI_ERROR(status)) return status;
  const XenpfEfiRuntimeCall *answer = &op.u.efi_runtime_call;
  *enabled = (answer->misc & XEN_EFI_GET_WAKEUP_TIME_ENABLED) != 0;
  *pending = (answer->misc & XEN_EFI_GET_WAKEUP_TIME_PENDING) != 0;
  *time = answer->u.time;
  return status;
}

EFI_STATUS EFIAPI set_wakeup_time(BOOLEAN enable, EFI_TIME *time) {
  XenPlatformOp op;
  UINT32 misc = enable ? XEN_EFI_SET_WAKEUP_TIME_ENABLE : 0;
  prepare(&op, XEN_EFI_set_wakeup_time, time ? misc : misc | XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY);
  if (time) op.u.efi_runtime_call.u.time = *time;
  return call(&op);
}

// Nothing moves: the hypervisor calls the firmware where it is, and this code has no addresses. Nothing is remembered either.
EFI_STATUS EFIAPI set_virtual_address_map(UINTN size, UINTN descriptor_size, UINT32 version, EFI_MEMORY_DESCRIPTOR *map) {
  (void)size;
  (void)map;
  bool is_known = version == EFI_MEMORY_DESCRIPTOR_VERSION && descriptor_size >= sizeof(EFI_MEMORY_DESCRIPTOR);
  return is_known ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

EFI_STATUS EFIAPI convert_pointer(UINTN disposition, void **address) {
  (void)disposition;
  (void)address;
  return EFI_UNSUPPORTED;
}

EFI_STATUS EFIAPI get_variable(const CHAR16 *name, const EFI_GUID *vendor, UINT32 *attributes, UINTN *size, void *data) {
  XenPlatformOp op;
  if (!vendor || !size) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_get_variable, 0);
  XenpfEfiRuntimeCall *request = &op.u.efi_runtime_call;
  request->u.variable.name = (GuestHandle)name;
  request->u.variable.size = *size;
  request->u.variable.data = (GuestHandle)data;
  request->u.variable.vendor_guid = *vendor;
  EFI_STATUS status = call(&op);
  // The structure is as it was when the hypercall failed: then this changes nothing.
  *size = request->u.variable.size;
  if (attributes && (!EFI_ERROR(status) || status == EFI_BUFFER_TOO_SMALL)) *attributes = request->misc;
  return status;
}

EFI_STATUS EFIAPI get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor) {
  XenPlatformOp op;
  if (!size || !vendor) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_get_next_variable_name, 0);
  XenpfEfiRuntimeCall *request = &op.u.efi_runtime_call;
  request->u.next_name.size = *size;
  request->u.next_name.name = (GuestHandle)name;
  request->u.next_name.vendor_guid = *vendor;
  EFI_STATUS status = call(&op);
  *size = request->u.next_name.size;
  *vendor = request->u.next_name.vendor_guid;
  return status;
}

EFI_STATUS EFIAPI set_variable(const CHAR16 *name, const EFI_GUID *vendor, UINT32 attributes, UINTN size, const void *data) {
  XenPlatformOp op;
  if (!vendor) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_set_variable, attributes);
  XenpfEfiRuntimeCall *request = &op.u.efi_runtime_call;
  request->u.variable.name = (GuestHandle)name;
  request->u.variable.size = size;
  request->u.variable.data = (GuestHandle)data;
  request->u.variable.vendor_guid = *vendor;
  return call(&op);
}

EFI_STATUS EFIAPI get_next_high_monotonic_count(UINT32 *count) {
  XenPlatformOp op;
  if (!count) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_get_next_high_monotonic_count, 0);
  EFI_STATUS status = call(&op);
  if (!EFI_ERROR(status)) *count = op.u.efi_runtime_call.misc;
  return status;
}

// There is no hypercall for it: the domain ends, and the machine with it.
void EFIAPI reset_system(UINT32 type, EFI_STATUS status, UINTN size, void *data) {
  (void)status;
  (void)size;
  (void)data;
  UINT32 reason = type == EfiResetShutdown ? SHUTDOWN_poweroff : SHUTDOWN_reboot;
  hypercall(HYPERCALL_sched_op, SCHEDOP_shutdown, &reason);
}

static EFI_STATUS capsules(UINT32 function, EFI_CAPSULE_HEADER **capsules, UINTN count, UINT64 size_or_list,
                           XenPlatformOp *op) {
  prepare(op, function, 0);
  op->u.efi_runtime_call.u.capsule.capsule_header_array = (GuestHandle)capsules;
  op->u.efi_runtime_call.u.capsule.capsule_count = count;
  op->u.efi_runtime_call.u.capsule.max_capsule_size = size_or_list;
  return call(op);
}

EFI_STATUS EFIAPI update_capsule(EFI_CAPSULE_HEADER **headers, UINTN count, EFI_PHYSICAL_ADDRESS list) {
  XenPlatformOp op;
  return capsules(XEN_EFI_update_capsule, headers, count, list, &op);
}

EFI_STATUS EFIAPI query_capsule_capabilities(EFI_CAPSULE_HEADER **headers, UINTN count, UINT64 *max_size, UINT32 *reset) {
  XenPlatformOp op;
  if (!max_size || !reset) return EFI_INVALID_PARAMETER;
  EFI_STATUS status = capsules(XEN_EFI_query_capsule_capabilities, headers, count, 0, &op);
  if (EFI_ERROR(status)) return status;
  *max_size = op.u.efi_runtime_call.u.capsule.max_capsule_size;
  *reset = op.u.efi_runtime_call.u.capsule.reset_type;
  return status;
}

EFI_STATUS EFIAPI query_variable_info(UINT32 attributes, UINT64 *max_store, UINT64 *remaining, UINT64 *max_size) {
  XenPlatformOp op;
  if (!max_store || !remaining || !max_size) return EFI_INVALID_PARAMETER;
  prepare(&op, XEN_EFI_query_variable_info, 0);
  op.u.efi_runtime_call.u.variable_info.attr = attributes;
  EFI_STATUS status = call(&op);
  if (EFI_ERROR(status)) return status;
  *max_store = op.u.efi_runtime_call.u.variable_info.max_store_size;
  *remaining = op.u.efi_runtime_call.u.variable_info.remain_store_size;
  *max_size = op.u.efi_runtime_call.u.variable_info.max_size;
  return status;
}
