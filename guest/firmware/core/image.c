// Image services. UEFI 2.10, 7.4. Images come from memory: there is no file system to load them from.
#include "firmware.h"
#include "pe-image.h"

typedef struct Image {
  EFI_LOADED_IMAGE_PROTOCOL protocol;
  EFI_HANDLE handle;
  PeImage pe;
  bool started;
  EFI_STATUS exit_status;
  UINTN exit_size;
  CHAR16 *exit_data;
  // Where StartImage goes on when the image calls Exit.
  void *resume[5];
  struct Image *caller;
} Image;

typedef EFI_STATUS(EFIAPI *ImageEntry)(EFI_HANDLE, EFI_SYSTEM_TABLE *);

static Image *running;

static Image *image_of(EFI_HANDLE handle) {
  void *interface;
  return EFI_ERROR(handle_protocol(handle, &loaded_image_guid, &interface)) ? NULL : interface;
}

bool is_image(EFI_HANDLE handle) {
  return image_of(handle) != NULL;
}

EFI_STATUS EFIAPI load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path, void *source,
                             UINTN size, EFI_HANDLE *handle) {
  (void)policy;
  if (!handle || !is_image(parent)) return EFI_INVALID_PARAMETER;
  if (!source) return path ? EFI_NOT_FOUND : EFI_INVALID_PARAMETER;
  if (size == 0) return EFI_INVALID_PARAMETER;
  Image *image = allocate_pool_of(EfiBootServicesData, sizeof(Image));
  if (!image) return EFI_OUT_OF_RESOURCES;
  EFI_STATUS status = pe_load(source, size, &image->pe);
  if (EFI_ERROR(status)) {
    free_pool(image);
    return status;
  }
  bool runtime = image->pe.subsystem == PE_SUBSYSTEM_EFI_RUNTIME_DRIVER;
  bool application = image->pe.subsystem == PE_SUBSYSTEM_EFI_APPLICATION;
  image->protocol = (EFI_LOADED_IMAGE_PROTOCOL){
      .Revision = EFI_LOADED_IMAGE_PROTOCOL_REVISION,
      .ParentHandle = parent,
      .SystemTable = system_table,
      .FilePath = path,
      .ImageBase = image->pe.base,
      .ImageSize = image->pe.size,
      .ImageCodeType = runtime ? EfiRuntimeServicesCode : application ? EfiLoaderCode : EfiBootServicesCode,
      .ImageDataType = runtime ? EfiRuntimeServicesData : application ? EfiLoaderData : EfiBootServicesData,
  };
  if (runtime && !pe_keep_for_runtime(&image->pe)) status = EFI_OUT_OF_RESOURCES;
  if (!EFI_ERROR(status)) status = install_protocol(&image->handle, &loaded_image_guid, 0, image);
  if (EFI_ERROR(status)) {
    free_pages((UINTN)image->pe.base, image->pe.pages);
    free_pool(image);
    return status;
  }
  install_protocol(&image->handle, &loaded_image_device_path_guid, 0, path);
  if (runtime) memory_attributes_refresh();
  *handle = image->handle;
  return EFI_SUCCESS;
}

static void remove_image(Image *image) {
  uninstall_protocol(image->handle, &loaded_image_device_path_guid, image->protocol.FilePath);
  uninstall_protocol(image->handle, &loaded_image_guid, image);
  free_pages((UINTN)image->pe.base, image->pe.pages);
  free_pool(image);
}

static void run(Image *image) {
  if (__builtin_setjmp(image->resume) == 0)
    image->exit_status = ((ImageEntry)image->pe.entry)(image->handle, system_table);
}

EFI_STATUS EFIAPI start_image(EFI_HANDLE handle, UINTN *exit_size, CHAR16 **exit_data) {
  Image *image = image_of(handle);
  if (!image || image->started) return EFI_INVALID_PARAMETER;
  image->started = true;
  image->caller = running;
  running = image;
  run(image);
  running = image->caller;
  EFI_STATUS status = image->exit_status;
  if (exit_size) *exit_size = image->exit_size;
  if (exit_data) *exit_data = image->exit_data;
  // Applications go when they end, drivers when they fail (7.4.2).
  if (image->pe.subsystem == PE_SUBSYSTEM_EFI_APPLICATION || EFI_ERROR(status)) remove_image(image);
  return status;
}

EFI_STATUS EFIAPI exit_image(EFI_HANDLE handle, EFI_STATUS status, UINTN exit_size, CHAR16 *exit_data) {
  Image *image = image_of(handle);
  if (!image) return EFI_INVALID_PARAMETER;
  if (!image->started) {
    remove_image(image);
    return EFI_SUCCESS;
  }
  if (image != running) return EFI_INVALID_PARAMETER;
  image->exit_status = status;
  image->exit_size = exit_size;
  image->exit_data = exit_data;
  __builtin_longjmp(image->resume, 1);
}

EFI_STATUS EFIAPI unload_image(EFI_HANDLE handle) {
  Image *image = image_of(handle);
  if (!image) return EFI_INVALID_PARAMETER;
  if (image->started) {
    if (!image->protocol.Unload) return EFI_UNSUPPORTED;
    EFI_STATUS status = image->protocol.Unload(handle);
    if (EFI_ERROR(status)) return status;
  }
  remove_image(image);
  return EFI_SUCCESS;
}
