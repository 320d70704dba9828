// A log on the debug port 0x402, which answers 0xe9 where it exists (QEMU: -debugcon file:x -global isa-debugcon.iobase=0x402).
#include "firmware.h"
#include "port-io.h"

#define DEBUG_PORT_PRESENT 0xe9

static bool listening;

void log_start(void) {
  listening = in8(PORT_DEBUG) == DEBUG_PORT_PRESENT;
}

void log_text(const char *text) {
  if (!listening) return;
  while (*text) out8(PORT_DEBUG, (UINT8)*text++);
}

void log_value(const char *name, UINT64 value) {
  if (!listening) return;
  log_text(name);
  log_text(" 0x");
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) out8(PORT_DEBUG, (UINT8) "0123456789abcdef"[value >> shift & 15]);
  log_text("\n");
}
