// The image to start: what the machine hands over through fw_cfg, as QEMU does for -kernel, with its command line.
#include "firmware.h"

#define ITEM_KERNEL_SIZE 0x08
#define ITEM_KERNEL_DATA 0x11
#define ITEM_COMMAND_LINE_SIZE 0x14
#define ITEM_COMMAND_LINE 0x15
#define ITEM_SETUP_SIZE 0x17
#define ITEM_SETUP_DATA 0x18
#define MAX_IMAGE_SIZE 0x10000000u

// Memory mapped device path (10.3.3.3), then the end (10.3.1).
typedef struct {
  EFI_DEVICE_PATH_PROTOCOL header;
  UINT32 memory_type;
  uint64_t start;
  uint64_t end;
  EFI_DEVICE_PATH_PROTOCOL terminator;
} __attribute__((packed)) MemoryPath;

static void set_load_options(EFI_HANDLE image) {
  EFI_LOADED_IMAGE_PROTOCOL *protocol;
  UINT32 size = fw_cfg_item32(ITEM_COMMAND_LINE_SIZE);
  if (size <= 1 || EFI_ERROR(handle_protocol(image, &loaded_image_guid, (void **)&protocol))) return;
  UINT8 *text = allocate_pool_of(EfiLoaderData, size);
  CHAR16 *options = allocate_pool_of(EfiLoaderData, size * sizeof(CHAR16));
  if (!text || !options) return;
  fw_cfg_read(ITEM_COMMAND_LINE, text, size);
  for (UINTN i = 0; i < size; i++) options[i] = text[i];
  free_pool(text);
  protocol->LoadOptions = options;
  protocol->LoadOptionsSize = size * sizeof(CHAR16);
}

EFI_STATUS boot_from_fw_cfg(void) {
  // The loader of a Linux image expects its first sectors apart; together they are the file again.
  UINT32 setup_size = fw_cfg_item32(ITEM_SETUP_SIZE);
  UINT32 kernel_size = fw_cfg_item32(ITEM_KERNEL_SIZE);
  if (kernel_size == 0 || setup_size > MAX_IMAGE_SIZE || kernel_size > MAX_IMAGE_SIZE) return EFI_NOT_FOUND;
  UINTN size = setup_size + kernel_size;
  UINTN pages = EFI_SIZE_TO_PAGES(size);
  UINT8 *file = allocate_pages_of(EfiBootServicesData, pages);
  if (!file) return EFI_OUT_OF_RESOURCES;
  fw_cfg_read(ITEM_SETUP_DATA, file, setup_size);
  fw_cfg_read(ITEM_KERNEL_DATA, file + setup_size, kernel_size);

  static const MemoryPath template = {
      .header = {1, 3, {24, 0}},
      .memory_type = EfiBootServicesData,
      .terminator = {0x7f, 0xff, {4, 0}},
  };
  // The core itself is the parent of what it starts.
  static EFI_LOADED_IMAGE_PROTOCOL core_image = {.Revision = EFI_LOADED_IMAGE_PROTOCOL_REVISION};
  EFI_HANDLE core = NULL;
  core_image.SystemTable = system_table;
  core_image.ImageBase = core_start;
  core_image.ImageSize = (UINTN)(core_end - core_start);
  core_image.ImageCodeType = EfiBootServicesCode;
  core_image.ImageDataType = EfiBootServicesData;
  install_protocol(&core, &loaded_image_guid, 0, &core_image);

  MemoryPath *path = allocate_pool_of(EfiBootServicesData, sizeof(MemoryPath));
  if (!path) return EFI_OUT_OF_RESOURCES;
  *path = template;
  path->start = (UINTN)file;
  path->end = (UINTN)file + size - 1;
  EFI_HANDLE image;
  EFI_STATUS status = load_image(true, core, &path->header, file, size, &image);
  free_pages((UINTN)file, pages);
  if (EFI_ERROR(status)) return status;
  set_load_options(image);
  signal_event_group(&event_group_ready_to_boot);
  memory_attributes_refresh();
  return start_image(image, NULL, NULL);
}
