// Port input and output, and the ports of the PC the firmware stands on (i440FX + PIIX3, as QEMU's `pc`).
#pragma once
#include "efi-base.h"

#define PORT_RTC_INDEX 0x70
#define PORT_RTC_DATA 0x71
#define PORT_KEYBOARD_COMMAND 0x64
#define PORT_SYSTEM_CONTROL_A 0x92
#define PORT_SERIAL 0x3f8
#define PORT_DEBUG 0x402
#define PORT_FW_CFG_SELECT 0x510
#define PORT_FW_CFG_DATA 0x511
#define PORT_FW_CFG_DMA 0x514
#define PORT_PCI_ADDRESS 0xcf8
#define PORT_PCI_DATA 0xcfc
#define PORT_RESET_CONTROL 0xcf9
// Where the firmware puts the PIIX4 power management registers.
#define PM_BASE 0xb000
#define PORT_PM1A_STATUS PM_BASE
#define PORT_PM1A_CONTROL (PM_BASE + 4)
#define PORT_PM_TIMER (PM_BASE + 8)

static inline UINT8 in8(UINT16 port) {
  UINT8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline UINT16 in16(UINT16 port) {
  UINT16 value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline UINT32 in32(UINT16 port) {
  UINT32 value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline void out8(UINT16 port, UINT8 value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out16(UINT16 port, UINT16 value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out32(UINT16 port, UINT32 value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline void in8_string(UINT16 port, void *to, UINTN count) {
  __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
