// The order in which the firmware comes up.
#include "firmware.h"

void core_main(void);

static void start_runtime_driver(void) {
  PeImage image;
  EFI_STATUS status = pe_load(runtime_driver, (UINTN)(runtime_driver_end - runtime_driver), &image);
  if (EFI_ERROR(status) || !pe_keep_for_runtime(&image)) platform_halt("the runtime driver does not load");
  if (EFI_ERROR(((RuntimeEntry)image.entry)(handover))) platform_halt("the runtime driver does not start");
}

void core_main(void) {
  log_start();
  log_text("reference firmware\n");
  platform_start();
  if (!fw_cfg_start()) platform_halt("no fw_cfg device");
  memory_map_start();
#if UINTPTR_MAX == UINT64_MAX
  paging_start();
#endif
  // A page of every type that an operating system may meet: this one is for nobody.
  allocate_pages_of(EfiReservedMemoryType, 1);
  seal_table(&boot_services);
  system_table_start();
  start_runtime_driver();
  capsules_deliver();
  console_start();
  acpi_start();
  smbios_start();
  information_tables_start();
  initrd_start();
  seal_table(system_table);
  log_value("system table", (UINTN)system_table);
  EFI_STATUS status = boot_from_fw_cfg();
  log_value("the image has ended with status", status);
  if (status == EFI_NOT_FOUND)
    console_output.OutputString(&console_output, u"There is no image to start. QEMU hands one over with -kernel.\r\n");
  system_table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
  platform_halt("the machine stays on");
}
