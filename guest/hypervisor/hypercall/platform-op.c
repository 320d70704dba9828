// platform_op: the envelope and what is not about EFI. Order of checks and copy-back rules as in Xen 4.17 (arch/x86/platform_hypercall.c).
#include "platform-op.h"

static INTN firmware_info(XenPlatformOp *op, GuestHandle handle) {
  XenpfFirmwareInfo *info = &op->u.firmware_info;
  switch (info->type) {
    case XEN_FW_EFI_INFO: {
      INTN result = efi_get_info(info->index, &info->u.efi_info);
      if (result) return result;
      UINT64 offset = offsetof(XenPlatformOp, u.firmware_info.u.efi_info);
      return copy_to_guest(handle + offset, &info->u.efi_info, sizeof(info->u.efi_info)) ? 0 : -XEN_EFAULT;
    }
    // Where a BIOS would have said something; EFI firmware did not.
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
    case XEN_FW_VBEDDC_INFO:
      return -XEN_ESRCH;
    case XEN_FW_KBD_SHIFT_FLAGS: {
      if (info->index) return -XEN_ESRCH;
      info->u.kbd_shift_flags = 0;
      UINT64 offset = offsetof(XenPlatformOp, u.firmware_info.u.kbd_shift_flags);
      return copy_to_guest(handle + offset, &info->u.kbd_shift_flags, 1) ? 0 : -XEN_EFAULT;
    }
    default:
      return -XEN_EINVAL;
  }
}

INTN do_platform_op(GuestHandle handle) {
  XenPlatformOp op;
  if (!copy_from_guest(&op, handle, sizeof(op))) return -XEN_EFAULT;
  if (op.interface_version != XENPF_INTERFACE_VERSION) return -XEN_EACCES;
  if (!domain.privileged) return -XEN_EPERM;
  switch (op.cmd) {
    case XENPF_settime32:
      wallclock_set(op.u.settime32.secs, op.u.settime32.nsecs, op.u.settime32.system_time);
      return 0;
    case XENPF_settime64:
      if (op.u.settime64.mbz) return -XEN_EINVAL;
      wallclock_set(op.u.settime64.secs, op.u.settime64.nsecs, op.u.settime64.system_time);
      return 0;
    case XENPF_efi_runtime_call: {
      INTN result = efi_runtime_call(&op.u.efi_runtime_call);
      if (result) return result;
      UINT64 offset = offsetof(XenPlatformOp, u.efi_runtime_call);
      return copy_to_guest(handle + offset, &op.u.efi_runtime_call, sizeof(op.u.efi_runtime_call)) ? 0 : -XEN_EFAULT;
    }
    case XENPF_firmware_info:
      return firmware_info(&op, handle);
    case XENPF_enter_acpi_sleep: {
      const XenpfEnterAcpiSleep *sleep = &op.u.enter_acpi_sleep;
      return enter_acpi_sleep(sleep->val_a, sleep->sleep_state, sleep->flags);
    }
    default:
      return -XEN_ENOSYS;
  }
}
