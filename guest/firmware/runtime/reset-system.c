// ResetSystem. UEFI 2.10, 8.5.1. PIIX3 reset control (Intel 290550, 4.1.1.9), keyboard controller, PIIX4 PM1a control.
#include "port-io.h"
#include "runtime.h"

#define RESET_HARD 0x02
#define RESET_NOW 0x04
#define KEYBOARD_PULSE_RESET 0xfe
// Sleep type 0 is soft off on PIIX4; bit 13 enters it.
#define PM1_SLEEP_TYPE_MASK 0x1c00
#define PM1_SLEEP_ENABLE 0x2000

void EFIAPI reset_system(UINT32 type, EFI_STATUS status, UINTN size, void *data) {
  (void)status;
  (void)size;
  (void)data;
  switch (type) {
    case EfiResetShutdown: {
      UINT16 control = in16(PORT_PM1A_CONTROL) & (UINT16)~(PM1_SLEEP_TYPE_MASK | PM1_SLEEP_ENABLE);
      out16(PORT_PM1A_CONTROL, control);
      out16(PORT_PM1A_CONTROL, control | PM1_SLEEP_ENABLE);
      break;
    }
    case EfiResetWarm:
      out8(PORT_KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
      break;
    // No platform-specific reset is known here, so it is a cold one.
    default:
      out8(PORT_RESET_CONTROL, RESET_HARD);
      out8(PORT_RESET_CONTROL, RESET_HARD | RESET_NOW);
      break;
  }
  for (;;) __asm__ volatile("cli; hlt");
}
