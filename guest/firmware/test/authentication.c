// Authenticated variables (UEFI 2.10, 8.2.6 and 32.3) with updates that auth-vectors.ts has signed.
#include "report.h"

// Sizes and bytes of the updates, one after the other.
__asm__(".section .rdata,\"dr\"\n"
        "test_auth_vectors: .incbin \"auth-vectors.bin\"\n"
        ".text\n");
extern const UINT8 vectors[] __asm__("test_auth_vectors");

enum {
  KEK_IN_SETUP_MODE,
  PK_IN_SETUP_MODE,
  DB_BY_KEK,
  DB_BY_STRANGER,
  DB_APPEND_BY_KEK,
  DB_BY_CHAIN,
  DB_BY_BROKEN_CHAIN,
  DB_WITHOUT_LIST,
  KEK_BY_KEK,
  KEK_BY_PK,
  PK_DELETED_BY_KEK,
  PK_DELETED_BY_PK,
  PRIVATE_FIRST,
  PRIVATE_BY_STRANGER,
  PRIVATE_APPEND,
  PRIVATE_DELETED,
  PRIVATE_DELETED_BY_STRANGER,
  KEK_DELETED,
  DB_DELETED,
};

#define AUTHENTICATED 0x27u
#define APPEND 0x67u
#define LIST_OVERHEAD 28u
#define HASH_SIZE 48u

static const EFI_GUID global = EFI_GLOBAL_VARIABLE_GUID;
static const EFI_GUID security = EFI_IMAGE_SECURITY_DATABASE_GUID;
static const EFI_GUID own = {0xdb2d43a1, 0x7f4b, 0x4c0e, {0x9a, 1, 2, 3, 4, 5, 6, 7}};
static UINT8 data[0x4000];

static EFI_STATUS send(UINTN index, const CHAR16 *name, const EFI_GUID *vendor, UINT32 attributes, UINTN broken) {
  const UINT8 *at = vectors;
  UINT32 size;
  for (;; at += sizeof(size) + size) {
    memcpy(&size, at, sizeof(size));
    if (index-- == 0) break;
  }
  memcpy(data, at + sizeof(size), size);
  if (broken) data[size - broken] ^= 1;
  return rs->SetVariable(name, vendor, attributes, size, data);
}

static EFI_STATUS send_db(UINTN index, UINT32 attributes) {
  return send(index, u"db", &security, attributes, 0);
}

static EFI_STATUS send_own(UINTN index, UINT32 attributes) {
  return send(index, u"Private", &own, attributes, 0);
}

static UINTN size_of(const CHAR16 *name, const EFI_GUID *vendor) {
  UINTN size = sizeof(data);
  return rs->GetVariable(name, vendor, NULL, &size, data) == EFI_SUCCESS ? size : 0;
}

static bool is_setup_mode(UINT8 mode) {
  return size_of(u"SetupMode", &global) == 1 && data[0] == mode;
}

static void setup_mode_test(void) {
  expect_true("SetupMode is 1", is_setup_mode(1));
  expect_true("SecureBoot is 0", size_of(u"SecureBoot", &global) == 1 && data[0] == 0);
  expect_true("SignatureSupport", size_of(u"SignatureSupport", &global) == 32);
  UINT8 zero = 0;
  expect_status("SetVariable of SetupMode", rs->SetVariable(u"SetupMode", &global, 6, 1, &zero), EFI_WRITE_PROTECTED);
  expect_status("PK without authentication", rs->SetVariable(u"PK", &global, 7, 1, &zero), EFI_INVALID_PARAMETER);
  expect_status("PK with half a descriptor", rs->SetVariable(u"PK", &global, AUTHENTICATED, 20, data), EFI_SECURITY_VIOLATION);
  expect_status("KEK in setup mode", send(KEK_IN_SETUP_MODE, u"KEK", &global, AUTHENTICATED, 0), EFI_SUCCESS);
  expect_status("PK in setup mode", send(PK_IN_SETUP_MODE, u"PK", &global, AUTHENTICATED, 0), EFI_SUCCESS);
  expect_true("SetupMode is 0", is_setup_mode(0));
}

static void user_mode_test(void) {
  expect_status("db changed on the way", send(DB_BY_KEK, u"db", &security, AUTHENTICATED, 1), EFI_SECURITY_VIOLATION);
  expect_status("db with a broken signature", send(DB_BY_KEK, u"db", &security, AUTHENTICATED, LIST_OVERHEAD + 2 * HASH_SIZE + 9), EFI_SECURITY_VIOLATION);
  expect_status("db sent to dbx", send(DB_BY_KEK, u"dbx", &security, AUTHENTICATED, 0), EFI_SECURITY_VIOLATION);
  expect_status("db signed by the exchange key", send_db(DB_BY_KEK, AUTHENTICATED), EFI_SUCCESS);
  expect_true("holds the payload alone", size_of(u"db", &security) == LIST_OVERHEAD + 2 * HASH_SIZE);
  expect_status("db sent again", send_db(DB_BY_KEK, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("db signed by a stranger", send_db(DB_BY_STRANGER, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("append to db", send_db(DB_APPEND_BY_KEK, APPEND), EFI_SUCCESS);
  expect_true("adds what is new", size_of(u"db", &security) == 2 * LIST_OVERHEAD + 3 * HASH_SIZE);
  expect_status("append once more", send_db(DB_APPEND_BY_KEK, APPEND), EFI_SUCCESS);
  expect_true("adds nothing", size_of(u"db", &security) == 2 * LIST_OVERHEAD + 3 * HASH_SIZE);
  expect_status("append as a new value", send_db(DB_APPEND_BY_KEK, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("db signed over a chain", send_db(DB_BY_CHAIN, AUTHENTICATED), EFI_SUCCESS);
  expect_status("db signed over a chain with a gap", send_db(DB_BY_BROKEN_CHAIN, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("db that is no list", send_db(DB_WITHOUT_LIST, AUTHENTICATED), EFI_INVALID_PARAMETER);
  expect_status("KEK signed by itself", send(KEK_BY_KEK, u"KEK", &global, AUTHENTICATED, 0), EFI_SECURITY_VIOLATION);
  expect_status("KEK signed by the platform key", send(KEK_BY_PK, u"KEK", &global, AUTHENTICATED, 0), EFI_SUCCESS);
  expect_status("PK deleted by the exchange key", send(PK_DELETED_BY_KEK, u"PK", &global, AUTHENTICATED, 0), EFI_SECURITY_VIOLATION);
  expect_status("PK deleted without attributes", rs->SetVariable(u"PK", &global, 0, 0, NULL), EFI_INVALID_PARAMETER);
  expect_status("PK deleted by itself", send(PK_DELETED_BY_PK, u"PK", &global, AUTHENTICATED, 0), EFI_SUCCESS);
  expect_true("SetupMode is 1 again", is_setup_mode(1));
  expect_status("KEK deleted in setup mode", send(KEK_DELETED, u"KEK", &global, AUTHENTICATED, 0), EFI_SUCCESS);
  expect_status("db deleted in setup mode", send_db(DB_DELETED, AUTHENTICATED), EFI_SUCCESS);
}

static void private_test(void) {
  expect_status("private variable", send_own(PRIVATE_FIRST, AUTHENTICATED), EFI_SUCCESS);
  expect_status("private variable by a stranger", send_own(PRIVATE_BY_STRANGER, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("private variable without authentication", rs->SetVariable(u"Private", &own, 7, 1, data), EFI_INVALID_PARAMETER);
  expect_status("append to the private variable", send_own(PRIVATE_APPEND, APPEND), EFI_SUCCESS);
  expect_true("holds both", size_of(u"Private", &own) == 10 && memcmp(data, "mine alone", 10) == 0);
  expect_status("private variable of old", send_own(PRIVATE_FIRST, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("private variable deleted", send_own(PRIVATE_DELETED, AUTHENTICATED), EFI_SUCCESS);
  expect_status("has no owner any more", send_own(PRIVATE_BY_STRANGER, AUTHENTICATED), EFI_SUCCESS);
  expect_status("so its owner of old is a stranger", send_own(PRIVATE_DELETED, AUTHENTICATED), EFI_SECURITY_VIOLATION);
  expect_status("and the stranger deletes it", send_own(PRIVATE_DELETED_BY_STRANGER, AUTHENTICATED), EFI_SUCCESS);
}

void authentication_test(void) {
  report_section("authenticated variables");
  setup_mode_test();
  user_mode_test();
  private_test();
}
