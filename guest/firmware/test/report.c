#include "report.h"
#include "port-io.h"

static UINTN failures, checks;

static void put(char character) {
  while (!(in8(PORT_SERIAL + 5) & 0x20)) continue;
  out8(PORT_SERIAL, (UINT8)character);
}

void report_text(const char *text) {
  for (; *text; text++) put(*text);
}

void report_hex(UINT64 value) {
  int shift = 60;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

void report_section(const char *name) {
  report_text("== ");
  report_text(name);
  report_text("\n");
}

void expect_true(const char *what, bool condition) {
  checks++;
  failures += !condition;
  report_text(condition ? "ok   " : "FAIL ");
  report_text(what);
  report_text("\n");
}

void expect_status(const char *what, EFI_STATUS actual, EFI_STATUS expected) {
  expect_true(what, actual == expected);
  if (actual == expected) return;
  report_text("     status ");
  report_hex(actual);
  report_text(" instead of ");
  report_hex(expected);
  report_text("\n");
}

void report_end(void) {
  report_text("checks ");
  report_hex(checks);
  report_text(" failures ");
  report_hex(failures);
  report_text("\n");
}
