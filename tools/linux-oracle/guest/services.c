// Calls of runtime services through the module: `call <service> key=value…`.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "commands.h"
#include "report.h"
#include "services/efi-services.h"

#define TIME 1
#define CAPABILITIES 2
#define WAKEUP 4
#define VALUE 8
#define NAME 0x10
#define RESULTS 0x20
#define COUNT 0x40

static const struct {
  const char *name;
  /** What a successful answer holds. */
  int answer;
} services[EFI_SERVICES_COUNT] = {
    [EFI_SERVICES_GET_TIME] = {"GetTime", TIME | CAPABILITIES},
    [EFI_SERVICES_SET_TIME] = {"SetTime", 0},
    [EFI_SERVICES_GET_WAKEUP_TIME] = {"GetWakeupTime", TIME | WAKEUP},
    [EFI_SERVICES_SET_WAKEUP_TIME] = {"SetWakeupTime", 0},
    [EFI_SERVICES_GET_VARIABLE] = {"GetVariable", VALUE},
    [EFI_SERVICES_GET_NEXT_VARIABLE_NAME] = {"GetNextVariableName", NAME},
    [EFI_SERVICES_SET_VARIABLE] = {"SetVariable", 0},
    [EFI_SERVICES_QUERY_VARIABLE_INFO] = {"QueryVariableInfo", RESULTS},
    [EFI_SERVICES_GET_NEXT_HIGH_MONOTONIC_COUNT] = {"GetNextHighMonotonicCount", COUNT},
    [EFI_SERVICES_QUERY_CAPSULE_CAPABILITIES] = {"QueryCapsuleCapabilities", RESULTS},
    [EFI_SERVICES_UPDATE_CAPSULE] = {"UpdateCapsule", 0},
};

static const char *const pointers[] = {"time", "capabilities", "enabled", "pending",  "name",     "vendor",
                                       "attributes", "size",   "data",    "maximum", "remaining", "limit"};

static uint32_t null_pointers(const char *list) {
  uint32_t bits = 0;
  for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
    const char *at = strstr(list, pointers[i]);
    size_t length = strlen(pointers[i]);
    if (at && (at[length] == ',' || at[length] == 0)) bits |= 1u << i;
  }
  return bits;
}

/** Fills in what `key=value` says; 0 where there is no such key. */
static int apply(struct efi_services_call *call, char *word) {
  char *value = strchr(word, '=');
  if (!value) return 0;
  *value++ = 0;
  if (strcmp(word, "name") == 0) {
    for (size_t i = 0; value[i] && i < EFI_SERVICES_NAME_LENGTH - 1; i++) call->name[i] = (unsigned char)value[i];
  } else if (strcmp(word, "vendor") == 0) {
    parse_bytes(value, call->vendor, sizeof call->vendor);
  } else if (strcmp(word, "attributes") == 0) {
    call->attributes = (uint32_t)strtoul(value, NULL, 16);
  } else if (strcmp(word, "size") == 0) {
    call->size = strtoul(value, NULL, 10);
  } else if (strcmp(word, "data") == 0) {
    call->size = parse_bytes(value, call->data, sizeof call->data);
  } else if (strcmp(word, "time") == 0) {
    parse_bytes(value, call->time, sizeof call->time);
  } else if (strcmp(word, "enabled") == 0) {
    call->enabled = (uint8_t)atoi(value);
  } else if (strcmp(word, "null") == 0) {
    call->null_pointers = null_pointers(value);
  } else if (strcmp(word, "rounds") == 0) {
    call->rounds = (uint32_t)atoi(value);
  } else {
    return 0;
  }
  return 1;
}

static void report_hex(const char *name, uint64_t value) {
  char text[20];
  snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
  report_string(name, text);
}

static void report_name(const struct efi_services_call *call) {
  char text[EFI_SERVICES_NAME_LENGTH];
  size_t length = 0;
  for (; length < EFI_SERVICES_NAME_LENGTH && call->name[length]; length++) text[length] = (char)call->name[length];
  report_text("name", text, length);
  report_bytes("vendor", call->vendor, sizeof call->vendor);
}

static void report_answer(const struct efi_services_call *call, int answer) {
  if (answer & TIME) report_bytes("time", call->time, sizeof call->time);
  if (answer & CAPABILITIES) report_bytes("capabilities", call->capabilities, 9);
  if (answer & WAKEUP) {
    report_flag("enabled", call->enabled);
    report_flag("pending", call->pending);
  }
  if (answer & VALUE) {
    report_number("attributes", call->attributes);
    report_bytes("data", call->data, call->size);
  }
  if (answer & NAME) report_name(call);
  if (answer & COUNT) report_number("count", (uint32_t)call->results[0]);
  if (answer & RESULTS) {
    report_array("results");
    for (int i = 0; i < 3; i++) report_number(NULL, (int64_t)call->results[i]);
    report_array_end();
  }
}

void call_service(int count, char *const *arguments) {
  static struct efi_services_call call;
  call = (struct efi_services_call){.service = EFI_SERVICES_COUNT};
  for (uint32_t i = 0; i < EFI_SERVICES_COUNT; i++)
    if (strcmp(services[i].name, arguments[0]) == 0) call.service = i;
  for (int i = 1; i < count; i++)
    if (!apply(&call, arguments[i])) call.service = EFI_SERVICES_COUNT;
  if (call.service == EFI_SERVICES_COUNT) {
    report_string("error", "no such service or argument");
    return;
  }
  int measured = call.rounds != 0;
  if (measured) report_begins();
  int file = open("/dev/efi-services", O_RDWR);
  if (file < 0 || ioctl(file, EFI_SERVICES_CALL, &call) < 0) report_errno(errno);
  if (file >= 0) close(file);
  report_hex("status", call.status);
  if (measured) {
    report_ended(call.rounds, (int64_t)call.nanoseconds);
    return;
  }
  if (call.status == 0) report_answer(&call, services[call.service].answer);
  int sized = services[call.service].answer & (VALUE | NAME);
  if (sized) report_number("size", (int64_t)call.size);
}
