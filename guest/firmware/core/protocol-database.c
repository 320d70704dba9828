// Handles and protocol interfaces. UEFI 2.10, 7.3. Opening by driver and notification of new interfaces are not kept:
// there is no driver model below this firmware.
#include <stdarg.h>
#include "firmware.h"

#define MAX_INTERFACES 64
#define DEVICE_PATH_END 0x7f

typedef struct {
  EFI_HANDLE handle;
  EFI_GUID guid;
  void *interface;
} Interface;

const EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
const EFI_GUID loaded_image_device_path_guid = EFI_LOADED_IMAGE_DEVICE_PATH_PROTOCOL_GUID;

// In order of installation; free entries have no handle.
static Interface interfaces[MAX_INTERFACES];
static UINTN last_handle;

#if UINTPTR_MAX == UINT64_MAX
typedef __builtin_ms_va_list ArgumentList;
#define arguments_start(list, last) __builtin_ms_va_start(list, last)
#define arguments_end(list) __builtin_ms_va_end(list)
#else
typedef va_list ArgumentList;
#define arguments_start(list, last) va_start(list, last)
#define arguments_end(list) va_end(list)
#endif

static Interface *find(EFI_HANDLE handle, const EFI_GUID *guid) {
  for (Interface *at = interfaces; at < interfaces + MAX_INTERFACES; at++)
    if (at->handle && at->handle == handle && same_guid(&at->guid, guid)) return at;
  return NULL;
}

bool is_handle(EFI_HANDLE handle) {
  for (UINTN i = 0; i < MAX_INTERFACES; i++)
    if (handle && interfaces[i].handle == handle) return true;
  return false;
}

EFI_STATUS EFIAPI install_protocol(EFI_HANDLE *handle, const EFI_GUID *guid, UINT32 kind, void *interface) {
  if (!handle || !guid || kind != 0) return EFI_INVALID_PARAMETER;
  if (*handle && !is_handle(*handle)) return EFI_INVALID_PARAMETER;
  if (*handle && find(*handle, guid)) return EFI_INVALID_PARAMETER;
  for (Interface *at = interfaces; at < interfaces + MAX_INTERFACES; at++) {
    if (at->handle) continue;
    if (!*handle) *handle = (EFI_HANDLE)(++last_handle << 4);
    *at = (Interface){*handle, *guid, interface};
    return EFI_SUCCESS;
  }
  return EFI_OUT_OF_RESOURCES;
}

EFI_STATUS EFIAPI reinstall_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void *old, void *interface) {
  if (!is_handle(handle) || !guid) return EFI_INVALID_PARAMETER;
  Interface *at = find(handle, guid);
  if (!at || at->interface != old) return EFI_NOT_FOUND;
  at->interface = interface;
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI uninstall_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void *interface) {
  if (!is_handle(handle) || !guid) return EFI_INVALID_PARAMETER;
  Interface *at = find(handle, guid);
  if (!at || at->interface != interface) return EFI_NOT_FOUND;
  *at = (Interface){0};
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI open_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void **interface, EFI_HANDLE agent,
                                EFI_HANDLE controller, UINT32 attributes) {
  (void)controller;
  if (!is_handle(handle) || !guid) return EFI_INVALID_PARAMETER;
  switch (attributes) {
    case EFI_OPEN_PROTOCOL_TEST_PROTOCOL:
      return find(handle, guid) ? EFI_SUCCESS : EFI_UNSUPPORTED;
    case EFI_OPEN_PROTOCOL_EXCLUSIVE:
      if (!is_handle(agent)) return EFI_INVALID_PARAMETER;
      break;
    case EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL:
    case EFI_OPEN_PROTOCOL_GET_PROTOCOL:
      break;
    default:
      return EFI_INVALID_PARAMETER;
  }
  if (!interface) return EFI_INVALID_PARAMETER;
  Interface *at = find(handle, guid);
  *interface = at ? at->interface : NULL;
  return at ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, const EFI_GUID *guid, void **interface) {
  return open_protocol(handle, guid, interface, NULL, NULL, EFI_OPEN_PROTOCOL_BY_HANDLE_PROTOCOL);
}

EFI_STATUS EFIAPI close_protocol(EFI_HANDLE handle, const EFI_GUID *guid, EFI_HANDLE agent, EFI_HANDLE controller) {
  if (!is_handle(handle) || !guid || !is_handle(agent)) return EFI_INVALID_PARAMETER;
  if (controller && !is_handle(controller)) return EFI_INVALID_PARAMETER;
  return find(handle, guid) ? EFI_SUCCESS : EFI_NOT_FOUND;
}

EFI_STATUS EFIAPI locate_handle(UINT32 by, const EFI_GUID *guid, void *key, UINTN *size, EFI_HANDLE *buffer) {
  (void)key;
  if (by == ByRegisterNotify) return EFI_UNSUPPORTED;
  if (by > ByProtocol || (by == ByProtocol && !guid) || !size) return EFI_INVALID_PARAMETER;
  UINTN capacity = *size / sizeof(EFI_HANDLE);
  UINTN count = 0;
  for (UINTN i = 0; i < MAX_INTERFACES; i++) {
    const Interface *at = &interfaces[i];
    bool wanted = at->handle && (by == AllHandles || same_guid(&at->guid, guid));
    for (UINTN j = 0; wanted && by == AllHandles && j < i; j++) wanted = interfaces[j].handle != at->handle;
    if (!wanted) continue;
    if (count < capacity && buffer) buffer[count] = at->handle;
    count++;
  }
  if (count == 0) return EFI_NOT_FOUND;
  *size = count * sizeof(EFI_HANDLE);
  if (count > capacity) return EFI_BUFFER_TOO_SMALL;
  return buffer ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

EFI_STATUS EFIAPI locate_handle_buffer(UINT32 by, const EFI_GUID *guid, void *key, UINTN *count, EFI_HANDLE **buffer) {
  if (!count || !buffer) return EFI_INVALID_PARAMETER;
  UINTN size = 0;
  *count = 0;
  *buffer = NULL;
  EFI_STATUS status = locate_handle(by, guid, key, &size, NULL);
  if (status != EFI_BUFFER_TOO_SMALL) return status;
  status = allocate_pool(EfiBootServicesData, size, (void **)buffer);
  if (EFI_ERROR(status)) return status;
  *count = size / sizeof(EFI_HANDLE);
  return locate_handle(by, guid, key, &size, *buffer);
}

EFI_STATUS EFIAPI locate_protocol(const EFI_GUID *guid, void *registration, void **interface) {
  if (!guid || !interface) return EFI_INVALID_PARAMETER;
  *interface = NULL;
  if (registration) return EFI_UNSUPPORTED;
  for (UINTN i = 0; i < MAX_INTERFACES; i++) {
    if (!interfaces[i].handle || !same_guid(&interfaces[i].guid, guid)) continue;
    *interface = interfaces[i].interface;
    return EFI_SUCCESS;
  }
  return EFI_NOT_FOUND;
}

// Bytes of a device path before the node that ends it (10.2).
static UINTN path_length(const EFI_DEVICE_PATH_PROTOCOL *path) {
  const UINT8 *at = (const UINT8 *)path;
  while (((const EFI_DEVICE_PATH_PROTOCOL *)at)->Type != DEVICE_PATH_END) {
    UINTN length = at[2] | at[3] << 8;
    if (length < sizeof(*path)) break;
    at += length;
  }
  return (UINTN)(at - (const UINT8 *)path);
}

// 7.3.8: the device with the longest path that the given one begins with.
EFI_STATUS EFIAPI locate_device_path(const EFI_GUID *guid, EFI_DEVICE_PATH_PROTOCOL **path, EFI_HANDLE *device) {
  if (!guid || !path || !*path) return EFI_INVALID_PARAMETER;
  UINTN wanted = path_length(*path);
  UINTN best = 0;
  EFI_HANDLE found = NULL;
  for (UINTN i = 0; i < MAX_INTERFACES; i++) {
    const Interface *at = &interfaces[i];
    if (!at->handle || !same_guid(&at->guid, &device_path_guid) || !find(at->handle, guid)) continue;
    UINTN length = path_length(at->interface);
    if (length > wanted || (found && length <= best) || memcmp(*path, at->interface, length) != 0) continue;
    best = length;
    found = at->handle;
  }
  if (!found) return EFI_NOT_FOUND;
  if (!device) return EFI_INVALID_PARAMETER;
  *device = found;
  *path = (EFI_DEVICE_PATH_PROTOCOL *)((UINT8 *)*path + best);
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI protocols_per_handle(EFI_HANDLE handle, EFI_GUID ***guids, UINTN *count) {
  if (!is_handle(handle) || !guids || !count) return EFI_INVALID_PARAMETER;
  *guids = allocate_pool_of(EfiBootServicesData, MAX_INTERFACES * sizeof(EFI_GUID *));
  if (!*guids) return EFI_OUT_OF_RESOURCES;
  *count = 0;
  for (UINTN i = 0; i < MAX_INTERFACES; i++)
    if (interfaces[i].handle == handle) (*guids)[(*count)++] = &interfaces[i].guid;
  return EFI_SUCCESS;
}

// 7.3.11: all or none.
EFI_STATUS EFIAPI install_protocols(EFI_HANDLE *handle, ...) {
  if (!handle) return EFI_INVALID_PARAMETER;
  EFI_HANDLE original = *handle;
  EFI_STATUS status = EFI_SUCCESS;
  UINTN installed = 0;
  ArgumentList list;
  arguments_start(list, handle);
  for (const EFI_GUID *guid; (guid = __builtin_va_arg(list, const EFI_GUID *)); installed++) {
    status = install_protocol(handle, guid, 0, __builtin_va_arg(list, void *));
    if (EFI_ERROR(status)) break;
  }
  arguments_end(list);
  if (!EFI_ERROR(status)) return EFI_SUCCESS;
  arguments_start(list, handle);
  for (; installed; installed--) {
    const EFI_GUID *guid = __builtin_va_arg(list, const EFI_GUID *);
    uninstall_protocol(*handle, guid, __builtin_va_arg(list, void *));
  }
  arguments_end(list);
  *handle = original;
  return status;
}

EFI_STATUS EFIAPI uninstall_protocols(EFI_HANDLE handle, ...) {
  EFI_STATUS status = EFI_SUCCESS;
  UINTN removed = 0;
  ArgumentList list;
  arguments_start(list, handle);
  for (const EFI_GUID *guid; (guid = __builtin_va_arg(list, const EFI_GUID *)); removed++) {
    status = uninstall_protocol(handle, guid, __builtin_va_arg(list, void *));
    if (EFI_ERROR(status)) break;
  }
  arguments_end(list);
  if (!EFI_ERROR(status)) return EFI_SUCCESS;
  arguments_start(list, handle);
  for (; removed; removed--) {
    const EFI_GUID *guid = __builtin_va_arg(list, const EFI_GUID *);
    install_protocol(&handle, guid, 0, __builtin_va_arg(list, void *));
  }
  arguments_end(list);
  return EFI_INVALID_PARAMETER;
}
