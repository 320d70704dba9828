// Runtime services with the conditions the specification names (UEFI 2.10, chapter 8).
#include "report.h"

#define NV EFI_VARIABLE_NON_VOLATILE
#define BS EFI_VARIABLE_BOOTSERVICE_ACCESS
#define RT EFI_VARIABLE_RUNTIME_ACCESS
#define APPEND EFI_VARIABLE_APPEND_WRITE

static const EFI_GUID vendor = {0xdb2d43a1, 0x7f4b, 0x4c0e, {0x9a, 1, 2, 3, 4, 5, 6, 7}};
static UINT8 data[0x5000];

static EFI_STATUS get(const CHAR16 *name, UINTN *size, UINT32 *attributes) {
  *size = sizeof(data);
  return rs->GetVariable(name, &vendor, attributes, size, data);
}

static EFI_STATUS set(const CHAR16 *name, UINT32 attributes, const char *text) {
  UINTN length = 0;
  while (text[length]) length++;
  return rs->SetVariable(name, &vendor, attributes, length, text);
}

static bool holds(const CHAR16 *name, UINT32 attributes, const char *text) {
  UINTN size, length = 0;
  UINT32 actual;
  while (text[length]) length++;
  return get(name, &size, &actual) == EFI_SUCCESS && actual == attributes && size == length && memcmp(data, text, length) == 0;
}

static void time_test(void) {
  EFI_TIME time, alarm, bad;
  EFI_TIME_CAPABILITIES capabilities;
  expect_status("GetTime to NULL", rs->GetTime(NULL, NULL), EFI_INVALID_PARAMETER);
  expect_status("GetTime", rs->GetTime(&time, &capabilities), EFI_SUCCESS);
  expect_true("a time of our age", time.Year >= 2013 && time.Year < 2100 && time.Month <= 12 && capabilities.Resolution == 1);
  time = (EFI_TIME){.Year = 2024, .Month = 2, .Day = 29, .Hour = 23, .Minute = 10, .Second = 5, .TimeZone = -60, .Daylight = 1};
  expect_status("SetTime", rs->SetTime(&time), EFI_SUCCESS);
  expect_status("GetTime again", rs->GetTime(&alarm, NULL), EFI_SUCCESS);
  expect_true("gives what was set", memcmp(&alarm, &time, 6) == 0 && alarm.TimeZone == -60 && alarm.Daylight == 1);
  static const struct {
    const char *what;
    UINT8 offset, value;
  } wrong[] = {
      {"month 0", 2, 0},    {"month 13", 2, 13}, {"day 0", 3, 0},        {"day 30 in February", 3, 30},
      {"hour 24", 4, 24},   {"minute 60", 5, 60}, {"second 60", 6, 60}, {"a daylight bit that is none", 14, 4},
      {"year 125", 1, 0},   {"a billion nanoseconds", 11, 0x40}, {"zone 0x7fc4", 13, 0x7f},
  };
  for (UINTN i = 0; i < ARRAY_LENGTH(wrong); i++) {
    bad = time;
    ((UINT8 *)&bad)[wrong[i].offset] = wrong[i].value;
    report_text("     ");
    report_text(wrong[i].what);
    report_text(": ");
    expect_status("SetTime refuses", rs->SetTime(&bad), EFI_INVALID_PARAMETER);
  }
  time.TimeZone = EFI_UNSPECIFIED_TIMEZONE;
  time.Daylight = 0;
  expect_status("SetTime without a zone", rs->SetTime(&time), EFI_SUCCESS);
  rs->GetTime(&alarm, NULL);
  expect_true("leaves none", alarm.TimeZone == EFI_UNSPECIFIED_TIMEZONE && alarm.Daylight == 0);
  BOOLEAN enabled, pending;
  expect_status("GetWakeupTime to NULL", rs->GetWakeupTime(NULL, &pending, &alarm), EFI_INVALID_PARAMETER);
  expect_status("SetWakeupTime to NULL", rs->SetWakeupTime(true, NULL), EFI_INVALID_PARAMETER);
  alarm = time;
  alarm.Day = 1;
  alarm.Month = 3;
  alarm.Hour = 1;
  expect_status("SetWakeupTime on leap day for the day after", rs->SetWakeupTime(true, &alarm), EFI_SUCCESS);
  expect_status("GetWakeupTime", rs->GetWakeupTime(&enabled, &pending, &bad), EFI_SUCCESS);
  expect_true("gives what was set", enabled && !pending && memcmp(&bad, &alarm, 7) == 0);
  alarm.Day = 2;
  expect_status("SetWakeupTime in two days", rs->SetWakeupTime(true, &alarm), EFI_UNSUPPORTED);
  expect_status("SetWakeupTime off", rs->SetWakeupTime(false, NULL), EFI_SUCCESS);
  rs->GetWakeupTime(&enabled, &pending, &bad);
  expect_true("is off", !enabled);
}

static void get_variable_test(void) {
  UINTN size = 0;
  UINT32 attributes = 0;
  expect_status("GetVariable without a name", rs->GetVariable(NULL, &vendor, NULL, &size, NULL), EFI_INVALID_PARAMETER);
  expect_status("GetVariable without a vendor", rs->GetVariable(u"A", NULL, NULL, &size, NULL), EFI_INVALID_PARAMETER);
  expect_status("GetVariable without a size", rs->GetVariable(u"A", &vendor, NULL, NULL, NULL), EFI_INVALID_PARAMETER);
  expect_status("GetVariable of an empty name", rs->GetVariable(u"", &vendor, NULL, &size, NULL), EFI_NOT_FOUND);
  expect_status("GetVariable of what is not there", rs->GetVariable(u"None", &vendor, NULL, &size, NULL), EFI_NOT_FOUND);
  expect_status("SetVariable", set(u"A", NV | BS | RT, "first"), EFI_SUCCESS);
  expect_status("GetVariable asks for room", rs->GetVariable(u"A", &vendor, &attributes, &size, NULL), EFI_BUFFER_TOO_SMALL);
  expect_true("says how much", size == 5 && attributes == (NV | BS | RT));
  expect_status("GetVariable to NULL", rs->GetVariable(u"A", &vendor, NULL, &size, NULL), EFI_INVALID_PARAMETER);
  expect_true("GetVariable", holds(u"A", NV | BS | RT, "first"));
}

static void set_variable_test(bool at_runtime) {
  expect_status("SetVariable without a name", rs->SetVariable(u"", &vendor, NV | BS, 1, data), EFI_INVALID_PARAMETER);
  expect_status("SetVariable without data", rs->SetVariable(u"A", &vendor, NV | BS | RT, 1, NULL), EFI_INVALID_PARAMETER);
  expect_status("SetVariable for runtime alone", set(u"B", NV | RT, "x"), EFI_INVALID_PARAMETER);
  expect_status("SetVariable NV alone", set(u"B", NV, "x"), EFI_INVALID_PARAMETER);
  expect_status("SetVariable with an unknown attribute", set(u"B", NV | BS | RT | 0x100, "x"), EFI_INVALID_PARAMETER);
  expect_status("SetVariable of counted authentication", set(u"B", NV | BS | RT | 0x10, "x"), EFI_UNSUPPORTED);
  expect_status("SetVariable of a hardware error", set(u"B", NV | BS | RT | 8, "x"), EFI_INVALID_PARAMETER);
  expect_status("SetVariable with other attributes", set(u"A", NV | BS, "x"), EFI_INVALID_PARAMETER);
  expect_status("SetVariable anew", set(u"A", NV | BS | RT, "second value"), EFI_SUCCESS);
  expect_true("replaces", holds(u"A", NV | BS | RT, "second value"));
  expect_status("SetVariable appends", set(u"A", NV | BS | RT | APPEND, ", third"), EFI_SUCCESS);
  expect_true("keeps what was there", holds(u"A", NV | BS | RT, "second value, third"));
  expect_status("SetVariable appends nothing", set(u"A", NV | BS | RT | APPEND, ""), EFI_SUCCESS);
  expect_true("changes nothing", holds(u"A", NV | BS | RT, "second value, third"));
  expect_status("SetVariable appends nothing to nothing", set(u"None", NV | BS | RT | APPEND, ""), EFI_SUCCESS);
  expect_status("SetVariable of 20 KiB", rs->SetVariable(u"Big", &vendor, NV | BS | RT, 0x5000, data), EFI_INVALID_PARAMETER);
  expect_status("SetVariable deletes", set(u"A", NV | BS | RT, ""), EFI_SUCCESS);
  expect_status("SetVariable deletes again", set(u"A", NV | BS | RT, ""), EFI_NOT_FOUND);
  if (at_runtime) {
    expect_status("GetVariable of boot services", set(u"Boot", NV | BS, "x"), EFI_WRITE_PROTECTED);
    UINTN size;
    expect_status("it is out of sight", get(u"Boot", &size, NULL), EFI_NOT_FOUND);
    expect_status("SetVariable of a volatile one", set(u"Volatile", BS | RT, "new"), EFI_WRITE_PROTECTED);
    expect_true("which stays", holds(u"Volatile", BS | RT, "volatile"));
    expect_status("SetVariable of a new volatile one", set(u"V2", BS | RT, "x"), EFI_INVALID_PARAMETER);
    expect_status("SetVariable of a new one for boot services", set(u"V2", NV | BS, "x"), EFI_INVALID_PARAMETER);
  } else {
    expect_status("SetVariable for boot services", set(u"Boot", NV | BS, "boot"), EFI_SUCCESS);
    expect_status("SetVariable volatile", set(u"Volatile", BS | RT, "volatile"), EFI_SUCCESS);
    expect_status("SetVariable to another kind", set(u"Volatile", NV | BS | RT, "x"), EFI_INVALID_PARAMETER);
  }
}

static void name_test(bool at_runtime) {
  CHAR16 name[64] = {0};
  EFI_GUID guid;
  UINTN size = 2, mine = 0, steps = 0;
  expect_status("GetNextVariableName to NULL", rs->GetNextVariableName(&size, NULL, &guid), EFI_INVALID_PARAMETER);
  size = 0;
  expect_status("GetNextVariableName of size 0", rs->GetNextVariableName(&size, name, &guid), EFI_INVALID_PARAMETER);
  size = 2;
  expect_status("GetNextVariableName asks for room", rs->GetNextVariableName(&size, name, &guid), EFI_BUFFER_TOO_SMALL);
  expect_true("says how much", size > 2 && name[0] == 0);
  memcpy(name, u"Nobody", sizeof(u"Nobody"));
  guid = vendor;
  size = sizeof(name);
  expect_status("GetNextVariableName after nobody", rs->GetNextVariableName(&size, name, &guid), EFI_INVALID_PARAMETER);
  name[0] = 0;
  EFI_STATUS status;
  bool boot_seen = false;
  do {
    size = sizeof(name);
    status = rs->GetNextVariableName(&size, name, &guid);
    if (EFI_ERROR(status)) break;
    if (same_guid(&guid, &vendor)) mine++;
    boot_seen = boot_seen || (same_guid(&guid, &vendor) && memcmp(name, u"Boot", sizeof(u"Boot")) == 0);
  } while (++steps < 100);
  expect_status("GetNextVariableName ends", status, EFI_NOT_FOUND);
  expect_true("has shown each once", mine == (at_runtime ? 1u : 2u) && boot_seen == !at_runtime);
}

static void space_test(void) {
  UINT64 total, before, after, largest;
  expect_status("QueryVariableInfo of no attribute", rs->QueryVariableInfo(0, &total, &before, &largest), EFI_INVALID_PARAMETER);
  expect_status("QueryVariableInfo to NULL", rs->QueryVariableInfo(NV | BS | RT, NULL, &before, &largest), EFI_INVALID_PARAMETER);
  expect_status("QueryVariableInfo NV alone", rs->QueryVariableInfo(NV, &total, &before, &largest), EFI_INVALID_PARAMETER);
  expect_status("QueryVariableInfo for runtime alone", rs->QueryVariableInfo(RT, &total, &before, &largest), EFI_INVALID_PARAMETER);
  expect_status("QueryVariableInfo of counted authentication", rs->QueryVariableInfo(NV | BS | RT | 0x10, &total, &before, &largest), EFI_UNSUPPORTED);
  expect_status("QueryVariableInfo", rs->QueryVariableInfo(NV | BS | RT, &total, &before, &largest), EFI_SUCCESS);
  expect_true("has room", before > 0x4000 && before <= total && largest < total);
  // Writing more in all than the store holds makes it reclaim what is deleted, also after ExitBootServices.
  bool good = true;
  for (UINTN i = 0; i < 12 && good; i++) {
    memset(data, (int)i, 0x2000);
    good = rs->SetVariable(u"Big", &vendor, NV | BS | RT, 0x2000, data) == EFI_SUCCESS;
    UINTN size;
    good = good && get(u"Big", &size, NULL) == EFI_SUCCESS && size == 0x2000 && data[0] == i && data[0x1fff] == i;
  }
  expect_true("12 values of 8 KiB fit one after the other", good);
  UINTN count = 0;
  CHAR16 name[] = u"Fill0";
  EFI_STATUS status;
  do {
    name[4] = (CHAR16)('0' + count);
    status = rs->SetVariable(name, &vendor, NV | BS | RT, 0x2000, data);
  } while (!EFI_ERROR(status) && ++count < 20);
  expect_status("a full store says so", status, EFI_OUT_OF_RESOURCES);
  expect_status("SetVariable in a full store", rs->SetVariable(u"Big", &vendor, NV | BS | RT, 0x2001, data), EFI_OUT_OF_RESOURCES);
  UINTN size;
  expect_true("keeps the old value", get(u"Big", &size, NULL) == EFI_SUCCESS && size == 0x2000 && data[0] == 11);
  for (; count; count--) {
    name[4] = (CHAR16)('0' + count - 1);
    good = good && rs->SetVariable(name, &vendor, NV | BS | RT, 0, NULL) == EFI_SUCCESS;
  }
  good = good && rs->SetVariable(u"Big", &vendor, NV | BS | RT, 0, NULL) == EFI_SUCCESS;
  rs->QueryVariableInfo(NV | BS | RT, &total, &after, &largest);
  expect_true("all room comes back", good && after == before);
}

static void counter_test(void) {
  UINT32 first, second;
  expect_status("GetNextHighMonotonicCount to NULL", rs->GetNextHighMonotonicCount(NULL), EFI_INVALID_PARAMETER);
  expect_status("GetNextHighMonotonicCount", rs->GetNextHighMonotonicCount(&first), EFI_SUCCESS);
  rs->GetNextHighMonotonicCount(&second);
  expect_true("grows", second == first + 1);
}

static void capsule_test(void) {
  EFI_CAPSULE_HEADER capsule = {.CapsuleGuid = vendor, .HeaderSize = sizeof(capsule), .CapsuleImageSize = sizeof(capsule)};
  EFI_CAPSULE_HEADER *list[] = {&capsule};
  UINT64 largest;
  UINT32 reset;
  expect_status("UpdateCapsule of none", rs->UpdateCapsule(list, 0, 0), EFI_INVALID_PARAMETER);
  expect_status("UpdateCapsule of an unknown kind", rs->UpdateCapsule(list, 1, 0), EFI_UNSUPPORTED);
  expect_status("QueryCapsuleCapabilities to NULL", rs->QueryCapsuleCapabilities(list, 1, NULL, &reset), EFI_INVALID_PARAMETER);
  expect_status("QueryCapsuleCapabilities of an unknown kind", rs->QueryCapsuleCapabilities(list, 1, &largest, &reset), EFI_UNSUPPORTED);
  capsule.Flags = CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE;
  expect_status("UpdateCapsule into the table but not across reset", rs->UpdateCapsule(list, 1, 0), EFI_INVALID_PARAMETER);
  capsule.Flags = CAPSULE_FLAGS_PERSIST_ACROSS_RESET;
  expect_status("UpdateCapsule across reset without a list", rs->UpdateCapsule(list, 1, 0), EFI_INVALID_PARAMETER);
}

void runtime_services_test(bool at_runtime) {
  time_test();
  get_variable_test();
  set_variable_test(at_runtime);
  name_test(at_runtime);
  space_test();
  counter_test();
  capsule_test();
  authentication_test();
}
