// The application that asks the firmware for everything it offers, then switches the machine off.
#include "report.h"

EFI_SYSTEM_TABLE *st;
EFI_RUNTIME_SERVICES *rs;
EFI_BOOT_SERVICES *bs;

EFI_STATUS EFIAPI application_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS EFIAPI application_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  st = system_table;
  rs = st->RuntimeServices;
  bs = st->BootServices;
  st->ConOut->OutputString(st->ConOut, u"services of the firmware: \u00e9\u20ac\r\n");
  tables_test();
  boot_services_test(image);
  initrd_test();
  report_section("runtime services");
  runtime_services_test(false);
  virtual_mode_test(image);
  report_end();
  rs->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
  return EFI_SUCCESS;
}
