// The application that hands capsules over: some are processed at once, some after a reset that the firmware or the application starts,
// some are hostile lists, and the last ones lose their memory. A variable says how far it came; each start is a phase.
#include "report.h"

#define NV_BS_RT (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define PERSIST CAPSULE_FLAGS_PERSIST_ACROSS_RESET
#define POPULATE CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE
#define INITIATE CAPSULE_FLAGS_INITIATE_RESET
#define VERSION SYSTAB_FIRMWARE_VERSION
#define PAYLOAD_SIZE 10000
#define LIST_DESCRIPTORS 4
#define RESULT_NAME u"Capsule0000"
#define RESULT_NAME_SIZE (sizeof(RESULT_NAME) - sizeof(CHAR16))

EFI_SYSTEM_TABLE *st;
EFI_RUNTIME_SERVICES *rs;
EFI_BOOT_SERVICES *bs;

static const EFI_GUID own = {0x5d4e9a17, 0x33c2, 0x4f06, {0x8b, 9, 8, 7, 6, 5, 4, 3}};
static const EFI_GUID firmware = SYSTAB_FIRMWARE_CLASS_GUID;
static const EFI_GUID reports = EFI_CAPSULE_REPORT_GUID;
static const EFI_GUID global = EFI_GLOBAL_VARIABLE_GUID;
static const EFI_GUID resource_guid = {0xb122a263, 0x3661, 0x4f68, {0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80}};

typedef struct {
  EFI_CAPSULE_HEADER header;
  SystabFirmwareUpdate update;
  UINT8 payload[PAYLOAD_SIZE];
} UpdateCapsule;

static UpdateCapsule capsule;

static UpdateCapsule *make_update(UINT32 version, UINT32 flags) {
  capsule.header = (EFI_CAPSULE_HEADER){firmware, sizeof(EFI_CAPSULE_HEADER), flags, sizeof(capsule)};
  for (UINTN i = 0; i < PAYLOAD_SIZE; i++) capsule.payload[i] = (UINT8)(i * 7 + i / 256);
  capsule.update = (SystabFirmwareUpdate){
      SYSTAB_FIRMWARE_UPDATE_SIGNATURE, sizeof(SystabFirmwareUpdate), version, version < VERSION ? version : VERSION, PAYLOAD_SIZE,
      crc32(capsule.payload, PAYLOAD_SIZE),
  };
  return &capsule;
}

static EFI_STATUS hand_over(EFI_CAPSULE_HEADER *header, EFI_PHYSICAL_ADDRESS list) {
  return rs->UpdateCapsule(&header, 1, list);
}

static UINT8 *page(void) {
  EFI_PHYSICAL_ADDRESS memory = 0;
  bs->AllocatePages(AllocateAnyPages, EfiLoaderData, 1, &memory);
  return (UINT8 *)(UINTN)memory;
}

// Pieces of many sizes in pages of their own, described by short stretches of descriptors.
static EFI_PHYSICAL_ADDRESS scatter(const void *bytes, UINTN size) {
  static const UINTN sizes[] = {1, 4096, 777, 27, 4000, 3};
  const UINT8 *from = bytes;
  EFI_CAPSULE_BLOCK_DESCRIPTOR *list = (void *)page();
  EFI_PHYSICAL_ADDRESS first = (UINTN)list;
  for (UINTN n = 0, used = 0; size; n++) {
    UINTN length = sizes[n % ARRAY_LENGTH(sizes)] < size ? sizes[n % ARRAY_LENGTH(sizes)] : size;
    UINT8 *block = page();
    memcpy(block, from, length);
    if (used == LIST_DESCRIPTORS) {
      EFI_CAPSULE_BLOCK_DESCRIPTOR *next = (void *)page();
      list[used] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){0, (UINTN)next};
      list = next;
      used = 0;
    }
    list[used++] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){length, (UINTN)block};
    list[used] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){0, 0};
    from += length;
    size -= length;
  }
  return first;
}

static EFI_PHYSICAL_ADDRESS one_block(UINT64 start, UINT64 length) {
  EFI_CAPSULE_BLOCK_DESCRIPTOR *list = (void *)page();
  list[0] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){length, start};
  list[1] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){0, 0};
  return (UINTN)list;
}

static void *table_of(const EFI_GUID *guid) {
  for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
    if (same_guid(&st->ConfigurationTable[i].VendorGuid, guid)) return st->ConfigurationTable[i].VendorTable;
  return NULL;
}

static void expect_resource(const char *what, UINT32 version, UINT32 attempt, UINT32 status) {
  const EFI_SYSTEM_RESOURCE_TABLE *table = table_of(&resource_guid);
  const EFI_SYSTEM_RESOURCE_ENTRY *entry = table->Entries;
  expect_true(what, table->FwResourceCount == 1 && same_guid(&entry->FwClass, &firmware) && entry->FwVersion == version &&
                        entry->LastAttemptVersion == attempt && entry->LastAttemptStatus == status);
}

static bool last_is(const CHAR16 *name) {
  CHAR16 last[16];
  UINTN size = sizeof(last);
  UINT32 attributes;
  return rs->GetVariable(u"CapsuleLast", &reports, &attributes, &size, last) == EFI_SUCCESS && size == RESULT_NAME_SIZE &&
         attributes == NV_BS_RT && memcmp(last, name, size) == 0;
}

static void expect_result(const CHAR16 *name, const EFI_GUID *guid, EFI_STATUS status) {
  EFI_CAPSULE_RESULT_VARIABLE_HEADER header;
  UINTN size = sizeof(header);
  UINT32 attributes;
  EFI_STATUS got = rs->GetVariable(name, &reports, &attributes, &size, &header);
  bool good = got == EFI_SUCCESS && size == sizeof(header) && header.VariableTotalSize == size && attributes == NV_BS_RT;
  report_text("     ");
  for (UINTN i = 0; name[i]; i++) report_text((const char[]){(char)name[i], 0});
  report_text(": ");
  expect_true("a report", good && same_guid(&header.CapsuleGuid, guid) && header.CapsuleProcessed.Year >= 2013);
  expect_status("of its result", header.CapsuleStatus, status);
}

static void enter_phase(UINT8 phase) {
  expect_status("phase kept", rs->SetVariable(u"Phase", &own, NV_BS_RT, 1, &phase), EFI_SUCCESS);
}

static void headers_test(void) {
  UINT64 largest = 0;
  UINT32 reset = ~0u;
  EFI_CAPSULE_HEADER *list[] = {&make_update(VERSION, PERSIST)->header, NULL};
  expect_status("QueryCapsuleCapabilities of one that persists", rs->QueryCapsuleCapabilities(list, 1, &largest, &reset), EFI_SUCCESS);
  expect_true("asks for a warm reset", reset == EfiResetWarm && largest >= 0x100000);
  list[0]->Flags = 0;
  expect_status("QueryCapsuleCapabilities of one that does not", rs->QueryCapsuleCapabilities(list, 1, &largest, &reset), EFI_SUCCESS);
  expect_true("asks for a cold one", reset == EfiResetCold);
  expect_status("UpdateCapsule with a NULL in its list", rs->UpdateCapsule(list, 2, 0), EFI_INVALID_PARAMETER);
  expect_status("UpdateCapsule without a list of capsules", rs->UpdateCapsule(NULL, 1, 0), EFI_INVALID_PARAMETER);
  list[0]->HeaderSize = sizeof(EFI_CAPSULE_HEADER) - 1;
  expect_status("UpdateCapsule with a short header", rs->UpdateCapsule(list, 1, 0), EFI_INVALID_PARAMETER);
  list[0]->HeaderSize = sizeof(capsule) + 1;
  expect_status("UpdateCapsule with a header beyond the capsule", rs->UpdateCapsule(list, 1, 0), EFI_INVALID_PARAMETER);
  static const UINT32 wrong[] = {POPULATE, INITIATE, POPULATE | INITIATE, 0x00080000, 0x80000000u | PERSIST};
  for (UINTN i = 0; i < ARRAY_LENGTH(wrong); i++) {
    make_update(VERSION, wrong[i]);
    expect_status("UpdateCapsule with flags that cannot be", rs->UpdateCapsule(list, 1, 0x1000), EFI_INVALID_PARAMETER);
  }
  make_update(VERSION, PERSIST);
  expect_status("UpdateCapsule across reset without memory", rs->UpdateCapsule(list, 1, 0), EFI_INVALID_PARAMETER);
  list[0]->CapsuleImageSize = 0x1000001;
  expect_status("UpdateCapsule of more than 16 MiB", rs->UpdateCapsule(list, 1, 0x1000), EFI_OUT_OF_RESOURCES);
  make_update(VERSION, PERSIST)->header.CapsuleGuid = own;
  expect_status("UpdateCapsule of an unknown type", rs->UpdateCapsule(list, 1, 0x1000), EFI_UNSUPPORTED);
  expect_status("UpdateCapsule of one across reset without memory", rs->UpdateCapsule(list, 1, 0), EFI_INVALID_PARAMETER);
}

static void variables_test(void) {
  CHAR16 name[16];
  UINT64 indications = 0;
  UINTN size = sizeof(name);
  UINT32 attributes;
  expect_status("CapsuleMax", rs->GetVariable(u"CapsuleMax", &reports, &attributes, &size, name), EFI_SUCCESS);
  expect_true("names the last result", size == RESULT_NAME_SIZE && attributes == (NV_BS_RT & ~EFI_VARIABLE_NON_VOLATILE) &&
                                           memcmp(name, u"Capsule0009", size) == 0);
  expect_status("CapsuleMax is read-only", rs->SetVariable(u"CapsuleMax", &reports, attributes, 2, name), EFI_WRITE_PROTECTED);
  expect_status("CapsuleLast is read-only", rs->SetVariable(u"CapsuleLast", &reports, NV_BS_RT, 2, name), EFI_WRITE_PROTECTED);
  expect_true("no capsule yet", !last_is(RESULT_NAME));
  size = sizeof(indications);
  expect_status("OsIndicationsSupported", rs->GetVariable(u"OsIndicationsSupported", &global, &attributes, &size, &indications), EFI_SUCCESS);
  expect_true("tells of the reports", indications == EFI_OS_INDICATIONS_CAPSULE_RESULT_VAR_SUPPORTED);
  expect_status("OsIndicationsSupported is read-only", rs->SetVariable(u"OsIndicationsSupported", &global, attributes, 8, &indications), EFI_WRITE_PROTECTED);
}

static void at_once_test(void) {
  expect_resource("the resource as it left the factory", VERSION, 0, LAST_ATTEMPT_STATUS_SUCCESS);
  expect_status("an update at once", hand_over(&make_update(VERSION + 1, 0)->header, 0), EFI_SUCCESS);
  expect_true("CapsuleLast", last_is(RESULT_NAME));
  expect_result(RESULT_NAME, &firmware, EFI_SUCCESS);
  expect_resource("an attempt that succeeded", VERSION, VERSION + 1, LAST_ATTEMPT_STATUS_SUCCESS);
  make_update(VERSION + 2, 0)->payload[5000] ^= 1;
  expect_status("a damaged update", hand_over(&capsule.header, 0), EFI_CRC_ERROR);
  expect_resource("an attempt of no format", VERSION, VERSION + 2, LAST_ATTEMPT_STATUS_ERROR_INVALID_FORMAT);
  expect_status("an older update", hand_over(&make_update(VERSION - 1, 0)->header, 0), EFI_INCOMPATIBLE_VERSION);
  expect_resource("an attempt of a wrong version", VERSION, VERSION - 1, LAST_ATTEMPT_STATUS_ERROR_INCORRECT_VERSION);
  expect_result(u"Capsule0001", &firmware, EFI_CRC_ERROR);
  expect_result(u"Capsule0002", &firmware, EFI_INCOMPATIBLE_VERSION);
  make_update(VERSION + 2, 0)->update.PayloadSize++;
  expect_status("an update with more payload than it has", hand_over(&capsule.header, 0), EFI_INVALID_PARAMETER);
  expect_result(u"Capsule0003", &firmware, EFI_INVALID_PARAMETER);
}

typedef struct {
  EFI_CAPSULE_HEADER header;
  UINT8 text[36];
} TextCapsule;

static void make_text(TextCapsule *text, char first) {
  text->header = (EFI_CAPSULE_HEADER){own, sizeof(text->header), PERSIST | POPULATE | INITIATE, sizeof(*text)};
  for (UINTN i = 0; i < sizeof(text->text); i++) text->text[i] = (UINT8)(first + i % 20);
}

// Ends with a reset by the firmware.
static void before_reset(void) {
  static TextCapsule texts[2];
  report_section("capsules at once");
  headers_test();
  variables_test();
  at_once_test();
  make_update(VERSION + 3, PERSIST);
  expect_status("an update across reset", hand_over(&capsule.header, scatter(&capsule, sizeof(capsule))), EFI_SUCCESS);
  expect_true("is not processed yet", last_is(u"Capsule0003"));
  make_text(&texts[0], 'a');
  make_text(&texts[1], 'A');
  EFI_CAPSULE_HEADER *list[] = {&texts[0].header, &texts[1].header};
  EFI_PHYSICAL_ADDRESS memory = scatter(texts, sizeof(texts));
  enter_phase(1);
  report_end();
  rs->UpdateCapsule(list, 2, memory);
  expect_true("the firmware resets the machine", false);
}

static void table_test(void) {
  const EFI_CAPSULE_TABLE *table = table_of(&own);
  TextCapsule expected;
  expect_true("a table of two capsules", table && table->CapsuleArrayNumber == 2);
  if (!table) return;
  for (UINTN i = 0; i < 2; i++) {
    make_text(&expected, "aA"[i]);
    expect_true("a capsule as it was", memcmp(table->CapsulePtr[i], &expected, sizeof(expected)) == 0);
  }
}

static void leave_boot_services(EFI_HANDLE image) {
  static UINT8 map[0x4000];
  UINTN size = sizeof(map), key, step;
  UINT32 version;
  bs->GetMemoryMap(&size, (void *)map, &key, &step, &version);
  expect_status("ExitBootServices", bs->ExitBootServices(image, key), EFI_SUCCESS);
}

// What nobody should believe. Each is announced as an update of the firmware.
static void hostile_lists(EFI_PHYSICAL_ADDRESS *lists) {
  EFI_CAPSULE_BLOCK_DESCRIPTOR *circle = (void *)page();
  circle[0] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){1, (UINTN)page()};
  circle[1] = (EFI_CAPSULE_BLOCK_DESCRIPTOR){0, (UINTN)circle};
  lists[0] = (UINTN)circle;
  // Registers of a device, the flash, an end beyond all addresses.
  lists[1] = one_block(0xfee00000, sizeof(capsule));
  lists[2] = one_block(0xfffe0000, sizeof(capsule));
  lists[3] = one_block(0xfffffffffffff000ull, 0x2000);
  // The firmware's own memory, as data and as the list itself.
  lists[4] = one_block((UINTN)st, sizeof(capsule));
  lists[5] = (UINTN)st;
  // Less than was announced.
  lists[6] = scatter(&capsule, 100);
}

static void after_reset(EFI_HANDLE image) {
  EFI_PHYSICAL_ADDRESS lists[7];
  UINT64 largest;
  UINT32 reset;
  report_section("capsules after a reset by the firmware");
  expect_resource("the update has come", VERSION + 3, VERSION + 3, LAST_ATTEMPT_STATUS_SUCCESS);
  expect_true("the system table says so", st->FirmwareRevision == VERSION + 3);
  expect_true("CapsuleLast", last_is(u"Capsule0004"));
  expect_result(u"Capsule0004", &firmware, EFI_SUCCESS);
  table_test();
  make_update(VERSION - 1, PERSIST);
  EFI_PHYSICAL_ADDRESS older = scatter(&capsule, sizeof(capsule));
  hostile_lists(lists);
  enter_phase(2);
  leave_boot_services(image);
  EFI_CAPSULE_HEADER *list[] = {&capsule.header};
  capsule.header.Flags = 0;
  expect_status("QueryCapsuleCapabilities at runtime", rs->QueryCapsuleCapabilities(list, 1, &largest, &reset), EFI_OUT_OF_RESOURCES);
  expect_status("UpdateCapsule at runtime", hand_over(&capsule.header, 0), EFI_OUT_OF_RESOURCES);
  capsule.header.Flags = PERSIST;
  for (UINTN i = 0; i < ARRAY_LENGTH(lists); i++)
    expect_status("a list that is read at the next start", hand_over(&capsule.header, lists[i]), EFI_SUCCESS);
  expect_status("an older update", hand_over(&capsule.header, older), EFI_SUCCESS);
  expect_status("one call too many", hand_over(&capsule.header, older), EFI_OUT_OF_RESOURCES);
  report_end();
  rs->ResetSystem(EfiResetWarm, EFI_SUCCESS, 0, NULL);
}

static void after_hostile_lists(void) {
  report_section("capsules after a reset by the application");
  static const CHAR16 *const names[] = {
      u"Capsule0005", u"Capsule0006", u"Capsule0007", u"Capsule0008", u"Capsule0009", u"Capsule0000", u"Capsule0001",
  };
  for (UINTN i = 0; i < ARRAY_LENGTH(names); i++)
    expect_result(names[i], &firmware, i == 6 ? EFI_NOT_FOUND : EFI_INVALID_PARAMETER);
  expect_result(u"Capsule0002", &firmware, EFI_INCOMPATIBLE_VERSION);
  expect_true("CapsuleLast has begun again", last_is(u"Capsule0002"));
  expect_resource("the version stays", VERSION + 3, VERSION - 1, LAST_ATTEMPT_STATUS_ERROR_INCORRECT_VERSION);
  expect_true("the table is gone", table_of(&own) == NULL);
  make_update(VERSION + 4, PERSIST);
  expect_status("an update", hand_over(&capsule.header, scatter(&capsule, sizeof(capsule))), EFI_SUCCESS);
  enter_phase(3);
  report_end();
}

static void after_power_loss(void) {
  report_section("capsules after a loss of power");
  expect_result(u"Capsule0003", &firmware, EFI_NOT_FOUND);
  expect_resource("nothing has come", VERSION + 3, VERSION - 1, LAST_ATTEMPT_STATUS_ERROR_INCORRECT_VERSION);
  report_end();
}

EFI_STATUS EFIAPI application_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

EFI_STATUS EFIAPI application_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table) {
  UINT8 phase = 0;
  UINTN size = sizeof(phase);
  st = system_table;
  rs = st->RuntimeServices;
  bs = st->BootServices;
  rs->GetVariable(u"Phase", &own, NULL, &size, &phase);
  switch (phase) {
    case 0:
      before_reset();
      break;
    case 1:
      after_reset(image);
      break;
    case 2:
      after_hostile_lists();
      break;
    default:
      after_power_loss();
  }
  rs->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
  return EFI_SUCCESS;
}
