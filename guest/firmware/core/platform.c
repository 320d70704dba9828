// The chipset as firmware has to leave it: i440FX and PIIX3/PIIX4 (Intel 290562, 290549), memory types (SDM Vol. 3A, 12.11).
#include "firmware.h"
#include "port-io.h"

#define PCI_ISA_BRIDGE 0x0800
#define PCI_POWER_MANAGEMENT 0x0b00
#define PIIX_PIRQ_ROUTE 0x60
#define PIIX_PM_BASE 0x40
#define PIIX_PM_REGISTERS 0x80
#define PM_SCI_ENABLE 1

#define MSR_MTRR_PHYSICAL_BASE0 0x200
#define MSR_MTRR_PHYSICAL_MASK0 0x201
#define MSR_MTRR_DEFAULT_TYPE 0x2ff
#define MTRR_VALID 0x800
#define MTRR_ENABLE 0x800
#define MTRR_WRITE_BACK 6
// Registers and flash stand from here to 4 GiB.
#define DEVICES_START 0xe0000000u

// The ACPI timer counts 3.579545 MHz in 24 bits.
#define PM_TIMER_MASK 0xffffffu
#define PM_TICKS_PER_SECOND 3579545u

static void pci_write32(UINT32 function, UINT32 offset, UINT32 value) {
  out32(PORT_PCI_ADDRESS, 0x80000000u | function | offset);
  out32(PORT_PCI_DATA, value);
}

static void write_msr(UINT32 msr, UINT32 low, UINT32 high) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high));
}

static void cpuid(UINT32 leaf, UINT32 *eax, UINT32 *edx) {
  UINT32 ebx, ecx = 0;
  *eax = leaf;
  __asm__ volatile("cpuid" : "+a"(*eax), "=b"(ebx), "+c"(ecx), "=d"(*edx));
}

// RAM is write-back, everything from DEVICES_START to 4 GiB uncacheable.
static void memory_types_start(void) {
  UINT32 eax, edx, width = 36;
  cpuid(1, &eax, &edx);
  if (!(edx >> 12 & 1)) return;
  cpuid(0x80000000u, &eax, &edx);
  if (eax >= 0x80000008u) {
    cpuid(0x80000008u, &eax, &edx);
    width = eax & 0xff;
  }
  write_msr(MSR_MTRR_PHYSICAL_BASE0, DEVICES_START, 0);
  write_msr(MSR_MTRR_PHYSICAL_MASK0, DEVICES_START | MTRR_VALID, (1u << (width - 32)) - 1);
  write_msr(MSR_MTRR_DEFAULT_TYPE, MTRR_ENABLE | MTRR_WRITE_BACK, 0);
}

void platform_start(void) {
  memory_types_start();
  pci_write32(PCI_POWER_MANAGEMENT, PIIX_PM_BASE, PM_BASE | 1);
  pci_write32(PCI_POWER_MANAGEMENT, PIIX_PM_REGISTERS, 1);
  out16(PORT_PM1A_CONTROL, in16(PORT_PM1A_CONTROL) | PM_SCI_ENABLE);
  pci_write32(PCI_ISA_BRIDGE, PIIX_PIRQ_ROUTE, 0x0b0b0a0a);
  // Interrupt controllers: everything masked.
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
}

static void wait_ticks(UINT32 ticks) {
  UINT32 last = in32(PORT_PM_TIMER) & PM_TIMER_MASK;
  while (ticks) {
    UINT32 now = in32(PORT_PM_TIMER) & PM_TIMER_MASK;
    UINT32 passed = (now - last) & PM_TIMER_MASK;
    last = now;
    ticks = passed < ticks ? ticks - passed : 0;
  }
}

void pm_timer_wait(UINTN microseconds) {
  for (; microseconds >= 1000000; microseconds -= 1000000) wait_ticks(PM_TICKS_PER_SECOND);
  // 3666 / 1024 ticks are never less than a microsecond.
  wait_ticks((UINT32)((UINT32)microseconds * 3666u >> 10) + 1);
}

void platform_halt(const char *why) {
  log_text(why);
  log_text("\n");
  for (;;) __asm__ volatile("cli; hlt");
}
