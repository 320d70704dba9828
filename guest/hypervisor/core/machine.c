// Leaving the machine: through the firmware where its services may be used, else through the chipset.
#include "hypervisor.h"
#include "port-io.h"

#define RESET_HARD 0x02
#define RESET_NOW 0x04
#define KEYBOARD_PULSE_RESET 0xfe
#define ACPI_S5 5
#define RSDP_XSDT 24
#define RSDP_RSDT 16
#define TABLE_LENGTH 4
#define TABLE_HEADER 36
#define FADT_PM1A_CONTROL 64
#define MAX_TABLE_LENGTH 0x1000

_Noreturn void machine_halt(void) {
  for (;;) __asm__ volatile("cli; hlt");
}

_Noreturn void machine_restart(void) {
  if (runtime_enter()) {
    firmware.runtime->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
    runtime_leave();
    printk("EFI: could not reset system");
  }
  out8(PORT_RESET_CONTROL, RESET_HARD);
  out8(PORT_RESET_CONTROL, RESET_HARD | RESET_NOW);
  out8(PORT_KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
  machine_halt();
}

_Noreturn void restart_unless_forbidden(void) {
  if (options.no_reboot) {
    printk("'noreboot' set - not rebooting.");
    machine_halt();
  }
  machine_restart();
}

static UINT32 read32(UINT64 address) {
  UINT32 value;
  memcpy(&value, machine_pointer(address), sizeof(value));
  return value;
}

static UINT64 read64(UINT64 address) {
  return read32(address) | (UINT64)read32(address + 4) << 32;
}

static bool is_table_memory(UINT64 address) {
  UINT32 type = e820_type_at(address);
  return type == E820_ACPI || type == E820_NVS || type == E820_RAM;
}

// Port of the PM1a control register as the FADT has it (ACPI 6.4, 5.2.9); 0 without one.
static UINT16 pm1a_control(void) {
  if (!is_table_memory(firmware.acpi_root)) return 0;
  UINT64 extended = read64(firmware.acpi_root + RSDP_XSDT);
  UINT64 directory = extended ? extended : read32(firmware.acpi_root + RSDP_RSDT);
  UINTN width = extended ? 8 : 4;
  if (!is_table_memory(directory)) return 0;
  UINT32 length = read32(directory + TABLE_LENGTH);
  if (length > MAX_TABLE_LENGTH) return 0;
  for (UINTN at = TABLE_HEADER; at + width <= length; at += width) {
    UINT64 table = extended ? read64(directory + at) : read32(directory + at);
    if (is_table_memory(table) && read32(table) == SIGNATURE_32('F', 'A', 'C', 'P')) return (UINT16)read32(table + FADT_PM1A_CONTROL);
  }
  return 0;
}

INTN enter_acpi_sleep(UINT16 value, UINT32 state, UINT32 flags) {
  if (flags || state == 0 || state > ACPI_S5) return -XEN_EINVAL;
  // Nothing of a suspended machine is kept here.
  if (state != ACPI_S5) return -XEN_EOPNOTSUPP;
  UINT16 port = pm1a_control();
  if (!port) return -XEN_ENODEV;
  printk("Entering ACPI S5 state.");
  // The domain has put SLP_TYP and SLP_EN in.
  out16(port, value);
  machine_halt();
}
