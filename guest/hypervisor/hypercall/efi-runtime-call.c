// XENPF_efi_runtime_call: a runtime service of the firmware for the control domain, with copies of what the guest points to (Xen
// 4.17, common/efi/runtime.c).
#include "platform-op.h"

#define EFI_NOT_STARTED (EFI_ERROR_BIT | 19)
#define ATTRIBUTES_OF_SNAPSHOT 7u
#define EFI_VARIABLE_APPEND_WRITE 0x40u

static UINT32 runtime_major(void) {
  if (!runtime_enter()) return 0;
  UINT32 major = firmware.runtime->Hdr.Revision >> 16;
  runtime_leave();
  return major;
}

static INTN get_time(XenpfEfiRuntimeCall *op) {
  EFI_TIME_CAPABILITIES capabilities;
  if (op->misc) return -XEN_EINVAL;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->GetTime(&op->u.get_time.time, &capabilities);
  runtime_leave();
  if (EFI_ERROR(op->status)) return 0;
  op->u.get_time.resolution = capabilities.Resolution;
  op->u.get_time.accuracy = capabilities.Accuracy;
  if (capabilities.SetsToZero) op->misc |= XEN_EFI_GET_TIME_SET_CLEARS_NS;
  return 0;
}

static INTN set_time(XenpfEfiRuntimeCall *op) {
  if (op->misc) return -XEN_EINVAL;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->SetTime(&op->u.time);
  runtime_leave();
  return 0;
}

static INTN get_wakeup_time(XenpfEfiRuntimeCall *op) {
  BOOLEAN enabled, pending;
  if (op->misc) return -XEN_EINVAL;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->GetWakeupTime(&enabled, &pending, &op->u.time);
  runtime_leave();
  if (EFI_ERROR(op->status)) return 0;
  if (enabled) op->misc |= XEN_EFI_GET_WAKEUP_TIME_ENABLED;
  if (pending) op->misc |= XEN_EFI_GET_WAKEUP_TIME_PENDING;
  return 0;
}

static INTN set_wakeup_time(XenpfEfiRuntimeCall *op) {
  UINT32 misc = op->misc;
  if (misc & ~(XEN_EFI_SET_WAKEUP_TIME_ENABLE | XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY)) return -XEN_EINVAL;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  EFI_TIME *time = misc & XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY ? NULL : &op->u.time;
  op->status = firmware.runtime->SetWakeupTime((misc & XEN_EFI_SET_WAKEUP_TIME_ENABLE) != 0, time);
  runtime_leave();
  op->misc = 0;
  return 0;
}

static INTN get_next_high_monotonic_count(XenpfEfiRuntimeCall *op) {
  if (op->misc) return -XEN_EINVAL;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->GetNextHighMonotonicCount(&op->misc);
  runtime_leave();
  return 0;
}

// Characters before the terminator, or an error: a guest may point anywhere.
static INTN guest_length(GuestHandle name, UINTN *length) {
  for (*length = 0;; ++*length) {
    CHAR16 character;
    if (!copy_from_guest(&character, name + *length * sizeof(CHAR16), sizeof(character))) return -XEN_EFAULT;
    if (!character) return 0;
  }
}

static INTN copy_name(GuestHandle handle, CHAR16 **name) {
  UINTN length;
  INTN result = guest_length(handle, &length);
  if (result) return result;
  *name = bounce_allocate((length + 1) * sizeof(CHAR16));
  if (!*name) return -XEN_ENOMEM;
  if (!copy_from_guest(*name, handle, (length + 1) * sizeof(CHAR16))) return -XEN_EFAULT;
  // What is copied now must be what was measured before.
  for (UINTN i = 0; i <= length; i++)
    if (((*name)[i] == 0) != (i == length)) return -XEN_EIO;
  return 0;
}

static INTN get_variable(XenpfEfiRuntimeCall *op) {
  CHAR16 *name;
  UINT8 *data = NULL;
  UINTN size = op->u.variable.size;
  if (op->misc) return -XEN_EINVAL;
  INTN result = copy_name(op->u.variable.name, &name);
  if (result) return result;
  if (size) {
    data = bounce_allocate(size);
    if (!data) return -XEN_ENOMEM;
  }
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  UINT32 attributes = 0;
  op->status = firmware.runtime->GetVariable(name, &op->u.variable.vendor_guid, &attributes, &size, data);
  runtime_leave();
  // The firmware says how much it wrote; more than there was room for cannot be true.
  bool fits = size <= op->u.variable.size;
  if (!EFI_ERROR(op->status) && (!fits || !copy_to_guest(op->u.variable.data, data, size))) return -XEN_EFAULT;
  op->misc = attributes;
  op->u.variable.size = size;
  return 0;
}

static INTN set_variable(XenpfEfiRuntimeCall *op) {
  CHAR16 *name;
  UINTN size = op->u.variable.size;
  INTN result = copy_name(op->u.variable.name, &name);
  if (result) return result;
  // Not NULL for no data either: some firmware takes NULL for a mistake.
  UINT8 *data = bounce_allocate(size ? size : 1);
  if (!data) return -XEN_ENOMEM;
  if (!copy_from_guest(data, op->u.variable.data, size)) return -XEN_EFAULT;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->SetVariable(name, &op->u.variable.vendor_guid, op->misc, size, data);
  runtime_leave();
  return 0;
}

static INTN get_next_variable_name(XenpfEfiRuntimeCall *op) {
  UINTN size = op->u.next_name.size;
  if (op->misc) return -XEN_EINVAL;
  CHAR16 *name = bounce_allocate(size);
  if (!name) return -XEN_ENOMEM;
  memset(name, 0, size);
  if (!copy_from_guest(name, op->u.next_name.name, size)) return -XEN_EFAULT;
  if (!runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->GetNextVariableName(&size, name, &op->u.next_name.vendor_guid);
  runtime_leave();
  // The size of the caller's buffer, not the firmware's: some of them make it larger than it is.
  if (!EFI_ERROR(op->status) && !copy_to_guest(op->u.next_name.name, name, op->u.next_name.size)) return -XEN_EFAULT;
  op->u.next_name.size = size;
  return 0;
}

static INTN query_variable_info(XenpfEfiRuntimeCall *op) {
  UINT32 attributes = op->u.variable_info.attr;
  if (op->misc & ~XEN_EFI_VARINFO_BOOT_SNAPSHOT) return -XEN_EINVAL;
  if (op->misc & XEN_EFI_VARINFO_BOOT_SNAPSHOT) {
    if ((attributes & ~EFI_VARIABLE_APPEND_WRITE) != ATTRIBUTES_OF_SNAPSHOT) return -XEN_EINVAL;
    op->status = firmware.variables.status;
    op->u.variable_info.max_store_size = firmware.variables.max_store_size;
    op->u.variable_info.remain_store_size = firmware.variables.remain_store_size;
    op->u.variable_info.max_size = firmware.variables.max_size;
    return 0;
  }
  if (runtime_major() < 2 || !runtime_enter()) return -XEN_EOPNOTSUPP;
  op->status = firmware.runtime->QueryVariableInfo(attributes, &op->u.variable_info.max_store_size,
                                                   &op->u.variable_info.remain_store_size, &op->u.variable_info.max_size);
  runtime_leave();
  return 0;
}

// Xen 4.17 passes no capsule on.
static INTN capsule(const XenpfEfiRuntimeCall *op) {
  if (op->misc) return -XEN_EINVAL;
  return runtime_major() < 2 ? -XEN_EOPNOTSUPP : -XEN_ENOSYS;
}

INTN efi_runtime_call(XenpfEfiRuntimeCall *op) {
  if (!options.runtime_services) return -XEN_EOPNOTSUPP;
  bounce_reset();
  op->status = EFI_NOT_STARTED;
  switch (op->function) {
    case XEN_EFI_get_time:
      return get_time(op);
    case XEN_EFI_set_time:
      return set_time(op);
    case XEN_EFI_get_wakeup_time:
      return get_wakeup_time(op);
    case XEN_EFI_set_wakeup_time:
      return set_wakeup_time(op);
    case XEN_EFI_get_next_high_monotonic_count:
      return get_next_high_monotonic_count(op);
    case XEN_EFI_get_variable:
      return get_variable(op);
    case XEN_EFI_set_variable:
      return set_variable(op);
    case XEN_EFI_get_next_variable_name:
      return get_next_variable_name(op);
    case XEN_EFI_query_variable_info:
      return query_variable_info(op);
    case XEN_EFI_query_capsule_capabilities:
    case XEN_EFI_update_capsule:
      return capsule(op);
    default:
      return -XEN_ENOSYS;
  }
}
