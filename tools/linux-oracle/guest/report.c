#define _GNU_SOURCE
#include "report.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>

#define PORT 0xe9

static char line[1 << 20];
static size_t used;
/** Whether the next member or element needs a comma before it. */
static int follows;

void report_open(void) {
  if (iopl(3) == 0) return;
  perror("iopl");
  exit(1);
}

static void put(const char *text, size_t length) {
  if (length > sizeof line - used) {
    fprintf(stderr, "a line of the report is too long\n");
    exit(1);
  }
  memcpy(line + used, text, length);
  used += length;
}

static void put_string(const char *text) { put(text, strlen(text)); }

static void quote(const char *text, size_t length) {
  put_string("\"");
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    char escaped[8];
    if (byte == '"' || byte == '\\') snprintf(escaped, sizeof escaped, "\\%c", byte);
    else if (byte < 0x20 || byte > 0x7e) snprintf(escaped, sizeof escaped, "\\u%04x", byte);
    else snprintf(escaped, sizeof escaped, "%c", byte);
    put_string(escaped);
  }
  put_string("\"");
}

static void begin(const char *name) {
  if (follows) put_string(",");
  follows = 1;
  if (!name) return;
  quote(name, strlen(name));
  put_string(":");
}

void report_line(void) {
  put_string("\n");
  outsb(PORT, line, used);
  used = 0;
  follows = 0;
}

void report_object(void) {
  begin(NULL);
  put_string("{");
  follows = 0;
}

void report_object_end(void) {
  put_string("}");
  follows = 1;
}

void report_array(const char *name) {
  begin(name);
  put_string("[");
  follows = 0;
}

void report_array_end(void) {
  put_string("]");
  follows = 1;
}

void report_text(const char *name, const char *text, size_t length) {
  begin(name);
  quote(text, length);
}

void report_string(const char *name, const char *text) { report_text(name, text, strlen(text)); }

void report_bytes(const char *name, const uint8_t *bytes, size_t length) {
  begin(name);
  put_string("\"");
  for (size_t i = 0; i < length; i++) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", bytes[i]);
    put(digits, 2);
  }
  put_string("\"");
}

void report_number(const char *name, int64_t value) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", (long long)value);
  begin(name);
  put_string(digits);
}

void report_flag(const char *name, int value) {
  begin(name);
  put_string(value ? "true" : "false");
}

void report_errno(int error) {
  const char *name = strerrorname_np(error);
  report_string("errno", name ? name : "unknown");
}

void report_begins(void) {
  report_string("state", "begins");
  report_object_end();
  report_line();
  report_object();
}

void report_ended(int64_t rounds, int64_t nanoseconds) {
  report_string("state", "ended");
  report_number("rounds", rounds);
  report_number("nanoseconds", nanoseconds);
}
