// The initial RAM disk that the machine hands over (QEMU's -initrd), through Load File 2 (UEFI 2.10, 13.2) at the device path
// that the EFI stub of Linux asks for (Documentation/x86/boot.rst, "EFI handover": LINUX_EFI_INITRD_MEDIA_GUID).
#include "firmware.h"

#define ITEM_INITRD_SIZE 0x0b
#define ITEM_INITRD_DATA 0x12
#define DEVICE_PATH_END 0x7f

static const EFI_GUID load_file2_guid = EFI_LOAD_FILE2_PROTOCOL_GUID;

// Vendor-defined media device path (10.3.5.3), then the end.
typedef struct {
  EFI_DEVICE_PATH_PROTOCOL header;
  EFI_GUID vendor;
  EFI_DEVICE_PATH_PROTOCOL terminator;
} VendorMediaPath;

static const VendorMediaPath media_path = {
    .header = {4, 3, {20, 0}},
    .vendor = LINUX_EFI_INITRD_MEDIA_GUID,
    .terminator = {DEVICE_PATH_END, 0xff, {4, 0}},
};

// 13.2.2. The disk is the device: there is no file below it.
static EFI_STATUS EFIAPI load_initrd(EFI_LOAD_FILE2_PROTOCOL *self, EFI_DEVICE_PATH_PROTOCOL *path, BOOLEAN boot_policy,
                                     UINTN *size, void *buffer) {
  if (!self || !path || !size) return EFI_INVALID_PARAMETER;
  if (boot_policy) return EFI_UNSUPPORTED;
  if (path->Type != DEVICE_PATH_END) return EFI_NOT_FOUND;
  UINTN given = *size;
  *size = fw_cfg_item32(ITEM_INITRD_SIZE);
  if (!buffer || given < *size) return EFI_BUFFER_TOO_SMALL;
  fw_cfg_read(ITEM_INITRD_DATA, buffer, *size);
  return EFI_SUCCESS;
}

void initrd_start(void) {
  static EFI_LOAD_FILE2_PROTOCOL loader = {load_initrd};
  EFI_HANDLE handle = NULL;
  if (fw_cfg_item32(ITEM_INITRD_SIZE) == 0) return;
  install_protocols(&handle, &device_path_guid, &media_path, &load_file2_guid, &loader, NULL);
}
