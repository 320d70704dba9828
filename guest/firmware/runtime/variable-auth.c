// Authenticated variables. UEFI 2.10, 8.2.2 to 8.2.6 (time-based authentication) and 32.3 (PK, KEK, databases, modes).
// Images are not verified by this firmware, so SecureBoot is always 0; the databases are kept for whoever is interested.
#include "variable-auth.h"
#include "runtime.h"
#include "signature-list.h"

#define VOLATILE_ATTRIBUTES (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define SIGNER_ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)
#define SIGNER_PREFIX u"Signer"
#define SIGNER_PREFIX_LENGTH 6u
#define SIGNER_DIGITS 32u

static const EFI_GUID global = EFI_GLOBAL_VARIABLE_GUID;
static const EFI_GUID security = EFI_IMAGE_SECURITY_DATABASE_GUID;
static const EFI_GUID pkcs7 = EFI_CERT_TYPE_PKCS7_GUID;

typedef enum { PRIVATE, PLATFORM_KEY, KEY_EXCHANGE_KEY, DATABASE } Kind;

static Kind kind_of(const CHAR16 *name, const EFI_GUID *vendor) {
  if (same_guid(vendor, &global)) {
    if (same_name(name, u"PK")) return PLATFORM_KEY;
    if (same_name(name, u"KEK")) return KEY_EXCHANGE_KEY;
  }
  if (!same_guid(vendor, &security)) return PRIVATE;
  bool database = same_name(name, u"db") || same_name(name, u"dbx") || same_name(name, u"dbt") || same_name(name, u"dbr");
  return database ? DATABASE : PRIVATE;
}

static bool is_setup_mode(void) {
  return !auth_variable_find(u"PK", &global);
}

static EFI_STATUS publish_mode(void) {
  UINT8 mode = is_setup_mode();
  return variable_set_unchecked(u"SetupMode", &global, VOLATILE_ATTRIBUTES, &mode, sizeof(mode));
}

EFI_STATUS auth_start(void) {
  static const EFI_GUID supported[] = {
      {0xc1c41626, 0x504c, 0x4092, {0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}},
      {0xa5c059a1, 0x94e4, 0x4aa7, {0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}},
  };
  static const UINT8 secure_boot = 0;
  EFI_STATUS status = publish_mode();
  if (!EFI_ERROR(status))
    status = variable_set_unchecked(u"SecureBoot", &global, VOLATILE_ATTRIBUTES, &secure_boot, sizeof(secure_boot));
  if (!EFI_ERROR(status))
    status = variable_set_unchecked(u"SignatureSupport", &global, VOLATILE_ATTRIBUTES, supported, sizeof(supported));
  return status;
}

bool auth_is_read_only(const CHAR16 *name, const EFI_GUID *vendor) {
  if (same_guid(vendor, &firmware_class)) return true;
  return same_guid(vendor, &global) &&
         (same_name(name, u"SetupMode") || same_name(name, u"SecureBoot") || same_name(name, u"SignatureSupport"));
}

bool auth_needs_authentication(const CHAR16 *name, const EFI_GUID *vendor) {
  return kind_of(name, vendor) != PRIVATE;
}

// -1, 0 or 1 as `left` is earlier, equal or later.
static int compare_times(const EFI_TIME *left, const EFI_TIME *right) {
  const UINT16 a[] = {left->Year, left->Month, left->Day, left->Hour, left->Minute, left->Second};
  const UINT16 b[] = {right->Year, right->Month, right->Day, right->Hour, right->Minute, right->Second};
  for (UINTN i = 0; i < ARRAY_LENGTH(a); i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

// Takes the descriptor off the data.
static bool take_descriptor(VariableValue *value, EFI_VARIABLE_AUTHENTICATION_2 *descriptor, Span *certificate) {
  if (value->size < sizeof(*descriptor)) return false;
  memcpy(descriptor, value->data, sizeof(*descriptor));
  const EFI_TIME *time = &descriptor->TimeStamp;
  const WIN_CERTIFICATE *header = &descriptor->AuthInfo.Hdr;
  UINT32 room = value->size - (UINT32)sizeof(EFI_TIME);
  if (time->Pad1 || time->Nanosecond || time->TimeZone || time->Daylight || time->Pad2) return false;
  if (header->dwLength < sizeof(descriptor->AuthInfo) || header->dwLength > room || header->wRevision != WIN_CERT_REVISION ||
      header->wCertificateType != WIN_CERT_TYPE_EFI_GUID || !same_guid(&descriptor->AuthInfo.CertType, &pkcs7))
    return false;
  const UINT8 *data = value->data;
  *certificate = (Span){data + sizeof(*descriptor), header->dwLength - sizeof(descriptor->AuthInfo)};
  value->data = data + sizeof(EFI_TIME) + header->dwLength;
  value->size = room - header->dwLength;
  return true;
}

// What is signed: name without its end, vendor, attributes, timestamp, payload (8.2.6).
static void digest_of(const VariableValue *value, const EFI_TIME *time, UINT8 digest[SHA256_SIZE]) {
  Sha256 hash;
  sha256_start(&hash);
  sha256_add(&hash, value->name, name_bytes(value->name) - sizeof(CHAR16));
  sha256_add(&hash, value->vendor, sizeof(EFI_GUID));
  sha256_add(&hash, &value->attributes, sizeof(value->attributes));
  sha256_add(&hash, time, sizeof(*time));
  sha256_add(&hash, value->data, value->size);
  sha256_end(&hash, digest);
}

static bool is_trusted_by(const CHAR16 *name, const EFI_GUID *vendor, const Signature *signature) {
  const VariableRecord *record = auth_variable_find(name, vendor);
  return record && signature_lists_trust(record_data(record), record->data_size, signature);
}

// The variable that remembers who may write a private one: named after a digest of its name and vendor.
static void signer_name(const CHAR16 *name, const EFI_GUID *vendor, CHAR16 result[SIGNER_PREFIX_LENGTH + SIGNER_DIGITS + 1]) {
  Sha256 hash;
  UINT8 digest[SHA256_SIZE];
  sha256_start(&hash);
  sha256_add(&hash, name, name_bytes(name));
  sha256_add(&hash, vendor, sizeof(*vendor));
  sha256_end(&hash, digest);
  memcpy(result, SIGNER_PREFIX, SIGNER_PREFIX_LENGTH * sizeof(CHAR16));
  for (UINTN i = 0; i < SIGNER_DIGITS; i++)
    result[SIGNER_PREFIX_LENGTH + i] = (CHAR16) "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
  result[SIGNER_PREFIX_LENGTH + SIGNER_DIGITS] = 0;
}

// Signer and root of its chain are who a private variable belongs to (8.2.6).
static void signer_digest(const Signature *signature, UINT8 digest[SHA256_SIZE]) {
  Certificate top = pkcs7_top(signature);
  Sha256 hash;
  sha256_start(&hash);
  sha256_add(&hash, signature->signer.subject.at, signature->signer.subject.size);
  sha256_add(&hash, top.signed_part.at, top.signed_part.size);
  sha256_end(&hash, digest);
}

// The first writer owns the variable. It is written down before the variable is made: a power cut in between leaves an
// owner of nothing, whom the next first writer replaces.
static EFI_STATUS check_owner(const VariableRecord *old, const VariableValue *value, const Signature *signature) {
  CHAR16 name[SIGNER_PREFIX_LENGTH + SIGNER_DIGITS + 1];
  UINT8 digest[SHA256_SIZE], owner[SHA256_SIZE];
  signer_name(value->name, value->vendor, name);
  signer_digest(signature, digest);
  if (old) {
    bool same = firmware_variable_get(name, owner, sizeof(owner)) && memcmp(owner, digest, sizeof(owner)) == 0;
    return same ? EFI_SUCCESS : EFI_SECURITY_VIOLATION;
  }
  if (value->size == 0) return EFI_SUCCESS;
  return firmware_variable_set(name, SIGNER_ATTRIBUTES, digest, sizeof(digest));
}

static bool is_authorised(Kind kind, const Signature *signature) {
  if (is_trusted_by(u"PK", &global, signature)) return true;
  return kind == DATABASE && is_trusted_by(u"KEK", &global, signature);
}

// The payload of a key or database; what is there already is not appended again (8.2.3).
static EFI_STATUS check_lists(Kind kind, const VariableRecord *old, VariableValue *value, bool append) {
  if (!signature_lists_are_valid(value->data, value->size, kind == PLATFORM_KEY && value->size)) return EFI_INVALID_PARAMETER;
  if (!append || !old) return EFI_SUCCESS;
  if (kind == PLATFORM_KEY) return EFI_INVALID_PARAMETER;
  if (value->size > MAX_SIGNATURE_BYTES) return EFI_INVALID_PARAMETER;
  UINT8 *buffer = handover->scratch + handover->scratch_size - MAX_SIGNATURE_BYTES;
  value->size = signature_lists_new(buffer, value->data, value->size, record_data(old), old->data_size);
  value->data = buffer;
  return EFI_SUCCESS;
}

EFI_STATUS auth_check(const VariableRecord *old, VariableValue *value, EFI_TIME *timestamp) {
  EFI_VARIABLE_AUTHENTICATION_2 descriptor;
  Span certificate;
  Kind kind = kind_of(value->name, value->vendor);
  bool append = (value->attributes & EFI_VARIABLE_APPEND_WRITE) != 0;
  if (!(value->attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)) return EFI_INVALID_PARAMETER;
  if (kind != PRIVATE && !(value->attributes & EFI_VARIABLE_NON_VOLATILE)) return EFI_INVALID_PARAMETER;
  if (!take_descriptor(value, &descriptor, &certificate)) return EFI_SECURITY_VIOLATION;
  *timestamp = descriptor.TimeStamp;
  if (old) {
    bool later = compare_times(timestamp, &old->timestamp) > 0;
    if (!append && !later) return EFI_SECURITY_VIOLATION;
    if (!later) *timestamp = old->timestamp;
  }
  value->timestamp = timestamp;
  // In setup mode keys and databases are open to anyone (32.3.1).
  if (kind == PRIVATE || !is_setup_mode()) {
    static Signature signature;
    UINT8 digest[SHA256_SIZE];
    digest_of(value, &descriptor.TimeStamp, digest);
    if (!pkcs7_verify(certificate, digest, &signature)) return EFI_SECURITY_VIOLATION;
    if (kind == PRIVATE) return check_owner(old, value, &signature);
    if (!is_authorised(kind, &signature)) return EFI_SECURITY_VIOLATION;
  }
  return check_lists(kind, old, value, append);
}

void auth_after_update(const CHAR16 *name, const EFI_GUID *vendor) {
  Kind kind = kind_of(name, vendor);
  if (kind == PLATFORM_KEY) publish_mode();
  if (kind != PRIVATE || auth_variable_find(name, vendor)) return;
  CHAR16 signer[SIGNER_PREFIX_LENGTH + SIGNER_DIGITS + 1];
  signer_name(name, vendor, signer);
  firmware_variable_set(signer, SIGNER_ATTRIBUTES, NULL, 0);
}
