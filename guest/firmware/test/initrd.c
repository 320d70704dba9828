// The initial RAM disk as the EFI stub of Linux fetches it. Those it is tested with count by 7.
#include "report.h"

#define STEP 7

typedef struct {
  EFI_DEVICE_PATH_PROTOCOL header;
  EFI_GUID vendor;
  EFI_DEVICE_PATH_PROTOCOL terminator;
} MediaPath;

static const MediaPath media_path = {
    .header = {4, 3, {20, 0}},
    .vendor = LINUX_EFI_INITRD_MEDIA_GUID,
    .terminator = {0x7f, 0xff, {4, 0}},
};

void initrd_test(void) {
  static const EFI_GUID load_file2 = EFI_LOAD_FILE2_PROTOCOL_GUID;
  report_section("initial RAM disk");
  EFI_DEVICE_PATH_PROTOCOL *path = (EFI_DEVICE_PATH_PROTOCOL *)&media_path;
  EFI_HANDLE device;
  EFI_LOAD_FILE2_PROTOCOL *loader;
  EFI_STATUS status = bs->LocateDevicePath(&load_file2, &path, &device);
  if (status == EFI_NOT_FOUND) {
    report_text("     none\n");
    return;
  }
  expect_status("LocateDevicePath of its path", status, EFI_SUCCESS);
  expect_true("nothing is left of the path", path == &media_path.terminator);
  expect_status("HandleProtocol", bs->HandleProtocol(device, &load_file2, (void **)&loader), EFI_SUCCESS);
  UINTN size = 0;
  expect_status("LoadFile of no path", loader->LoadFile(loader, NULL, false, &size, NULL), EFI_INVALID_PARAMETER);
  expect_status("LoadFile to no size", loader->LoadFile(loader, path, false, NULL, NULL), EFI_INVALID_PARAMETER);
  expect_status("LoadFile of a boot option", loader->LoadFile(loader, path, true, &size, NULL), EFI_UNSUPPORTED);
  expect_status("LoadFile below it", loader->LoadFile(loader, (EFI_DEVICE_PATH_PROTOCOL *)&media_path, false, &size, NULL),
                EFI_NOT_FOUND);
  expect_status("LoadFile without a buffer", loader->LoadFile(loader, path, false, &size, NULL), EFI_BUFFER_TOO_SMALL);
  UINTN whole = size;
  UINT8 *buffer;
  bs->AllocatePool(EfiLoaderData, whole, (void **)&buffer);
  size = whole - 1;
  expect_status("LoadFile a byte short", loader->LoadFile(loader, path, false, &size, buffer), EFI_BUFFER_TOO_SMALL);
  expect_true("tells the size", size == whole && whole != 0);
  expect_status("LoadFile", loader->LoadFile(loader, path, false, &size, buffer), EFI_SUCCESS);
  bool same = true;
  for (UINTN i = 0; i < whole; i++) same = same && buffer[i] == (UINT8)(i * STEP);
  expect_true("every byte", same && size == whole);
  bs->FreePool(buffer);
}
