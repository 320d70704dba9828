// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Lets a process call the runtime services through the kernel's own `efi` table, as drivers of the kernel do: no other door
// of a Debian kernel on x86 leads to the time services, nor shows a status as the firmware gave it.
#include <linux/efi.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "efi-services.h"

static efi_status_t call_once(struct efi_services_call *c) {
#define POINTER(bit, address) (c->null_pointers & (bit) ? NULL : (void *)(address))
  efi_time_t *time = POINTER(EFI_SERVICES_TIME, c->time);
  efi_char16_t *name = POINTER(EFI_SERVICES_NAME, c->name);
  efi_guid_t *vendor = POINTER(EFI_SERVICES_VENDOR, c->vendor);
  unsigned long *size = POINTER(EFI_SERVICES_SIZE, &c->size);
  void *data = POINTER(EFI_SERVICES_DATA, c->data);
  u64 *result0 = POINTER(EFI_SERVICES_RESULT_0, &c->results[0]);
  u64 *result1 = POINTER(EFI_SERVICES_RESULT_1, &c->results[1]);
  u64 *result2 = POINTER(EFI_SERVICES_RESULT_2, &c->results[2]);
  efi_bool_t *enabled = POINTER(EFI_SERVICES_ENABLED, &c->enabled);
  switch (c->service) {
    case EFI_SERVICES_GET_TIME:
      return efi.get_time(time, POINTER(EFI_SERVICES_CAPABILITIES, c->capabilities));
    case EFI_SERVICES_SET_TIME:
      return efi.set_time(time);
    case EFI_SERVICES_GET_WAKEUP_TIME:
      return efi.get_wakeup_time(enabled, POINTER(EFI_SERVICES_PENDING, &c->pending), time);
    case EFI_SERVICES_SET_WAKEUP_TIME:
      return efi.set_wakeup_time(c->enabled, time);
    case EFI_SERVICES_GET_VARIABLE:
      return efi.get_variable(name, vendor, POINTER(EFI_SERVICES_ATTRIBUTES, &c->attributes), size, data);
    case EFI_SERVICES_GET_NEXT_VARIABLE_NAME:
      return efi.get_next_variable(size, name, vendor);
    case EFI_SERVICES_SET_VARIABLE:
      return efi.set_variable(name, vendor, c->attributes, c->size, data);
    case EFI_SERVICES_QUERY_VARIABLE_INFO:
      return efi.query_variable_info(c->attributes, result0, result1, result2);
    case EFI_SERVICES_GET_NEXT_HIGH_MONOTONIC_COUNT:
      return efi.get_next_high_mono_count((u32 *)result0);
    case EFI_SERVICES_QUERY_CAPSULE_CAPABILITIES: {
      efi_capsule_header_t *header = (void *)c->data;
      return efi.query_capsule_caps(&header, c->size, result0, (int *)result1);
    }
    case EFI_SERVICES_UPDATE_CAPSULE: {
      efi_capsule_header_t *header = (void *)c->data;
      return efi.update_capsule(&header, c->size, 0);
    }
    default:
      return EFI_UNSUPPORTED;
  }
#undef POINTER
}

static long services_ioctl(struct file *file, unsigned int request, unsigned long argument) {
  void __user *user = (void __user *)argument;
  struct efi_services_call *call;
  u32 round = 0;
  ktime_t start;
  if (request != EFI_SERVICES_CALL) return -ENOTTY;
  call = memdup_user(user, sizeof *call);
  if (IS_ERR(call)) return PTR_ERR(call);
  start = ktime_get();
  do call->status = call_once(call);
  while (++round < call->rounds);
  call->nanoseconds = ktime_to_ns(ktime_sub(ktime_get(), start));
  if (copy_to_user(user, call, sizeof *call)) round = 0;
  kfree(call);
  return round ? 0 : -EFAULT;
}

static const struct file_operations services_operations = {
    .owner = THIS_MODULE,
    .unlocked_ioctl = services_ioctl,
};

static struct miscdevice services_device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "efi-services",
    .fops = &services_operations,
};

module_misc_device(services_device);
MODULE_DESCRIPTION("EFI runtime services for a process");
MODULE_LICENSE("Dual BSD/GPL");
