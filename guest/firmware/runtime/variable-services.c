// Variable services. UEFI 2.10, 8.2. Where the specification leaves the order of checks open it is EDK II's.
#include "runtime.h"
#include "flash.h"
#include "variable-auth.h"
#include "variable-store.h"

// Header, name and data of one variable together; it has to fit the working memory.
#define MAX_VARIABLE_SIZE 0x4000u
#define ACCESS (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define KNOWN_ATTRIBUTES                                                                                         \
  (EFI_VARIABLE_NON_VOLATILE | ACCESS | EFI_VARIABLE_HARDWARE_ERROR_RECORD |                                     \
   EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS |                \
   EFI_VARIABLE_APPEND_WRITE)


// Volatile variables first: the order in which GetNextVariableName walks them.
enum { VOLATILE, NON_VOLATILE, STORE_COUNT };
static VariableStore stores[STORE_COUNT];

static VariableStore *store_for(UINT32 attributes) {
  return &stores[attributes & EFI_VARIABLE_NON_VOLATILE ? NON_VOLATILE : VOLATILE];
}

static VariableRecord *find(const CHAR16 *name, const EFI_GUID *vendor) {
  VariableRecord *record = store_find(&stores[VOLATILE], name, vendor);
  return record ? record : store_find(&stores[NON_VOLATILE], name, vendor);
}

static bool is_visible(const VariableRecord *record) {
  return record && (!at_runtime || record->attributes & EFI_VARIABLE_RUNTIME_ACCESS);
}

EFI_STATUS variables_start(void) {
  flash_base = handover->variable_flash;
  if (!flash_is_writable()) return EFI_DEVICE_ERROR;
  store_open_flash(&stores[NON_VOLATILE]);
  store_open_ram(&stores[VOLATILE], handover->volatile_store, (UINT32)handover->volatile_store_size);
  return EFI_SUCCESS;
}

void variables_convert(void) {
  convert_pointer(0, (void **)&flash_base);
  for (UINTN i = 0; i < STORE_COUNT; i++) convert_pointer(0, (void **)&stores[i].base);
}

// 8.2.1
EFI_STATUS EFIAPI get_variable(const CHAR16 *name, const EFI_GUID *vendor, UINT32 *attributes, UINTN *size, void *data) {
  if (!name || !vendor || !size) return EFI_INVALID_PARAMETER;
  const VariableRecord *record = find(name, vendor);
  if (!name[0] || !is_visible(record)) return EFI_NOT_FOUND;
  UINTN given = *size;
  if (given >= record->data_size && record->data_size && !data) return EFI_INVALID_PARAMETER;
  *size = record->data_size;
  if (attributes) *attributes = record->attributes;
  if (given < record->data_size) return EFI_BUFFER_TOO_SMALL;
  memcpy(data, record_data(record), record->data_size);
  return EFI_SUCCESS;
}

static const VariableRecord *next_visible(UINTN store, const VariableRecord *record) {
  for (; store < STORE_COUNT; store++, record = NULL)
    while ((record = store_next(&stores[store], record)))
      if (is_visible(record)) return record;
  return NULL;
}

// 8.2.2
EFI_STATUS EFIAPI get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor) {
  if (!size || !name || !vendor) return EFI_INVALID_PARAMETER;
  UINTN length = 0;
  while (length < *size / sizeof(CHAR16) && name[length]) length++;
  if (length == *size / sizeof(CHAR16)) return EFI_INVALID_PARAMETER;
  UINTN store = VOLATILE;
  const VariableRecord *record = NULL;
  if (length) {
    while (store < STORE_COUNT && !(record = store_find(&stores[store], name, vendor))) store++;
    if (!is_visible(record)) return EFI_INVALID_PARAMETER;
  }
  record = next_visible(store, record);
  if (!record) return EFI_NOT_FOUND;
  UINTN given = *size;
  *size = record->name_size;
  if (given < record->name_size) return EFI_BUFFER_TOO_SMALL;
  memcpy(name, record_name(record), record->name_size);
  *vendor = record->vendor;
  return EFI_SUCCESS;
}

// What SetVariable refuses by its attributes alone.
static EFI_STATUS check_attributes(UINT32 attributes) {
  if (attributes & ~KNOWN_ATTRIBUTES) return EFI_INVALID_PARAMETER;
  if (attributes & EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS) return EFI_UNSUPPORTED;
  if ((attributes & ACCESS) == EFI_VARIABLE_RUNTIME_ACCESS) return EFI_INVALID_PARAMETER;
  if (attributes == EFI_VARIABLE_NON_VOLATILE) return EFI_INVALID_PARAMETER;
  // No storage is set apart for hardware error records (8.2.4).
  return attributes & EFI_VARIABLE_HARDWARE_ERROR_RECORD ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static bool is_same_value(const VariableRecord *record, const VariableValue *value) {
  return record->data_size == value->size && memcmp(record_data(record), value->data, value->size) == 0;
}

// Stores a value that has passed every check. The data is brought into working memory first, behind the old data when
// it is appended: it may not be read from flash while that is programmed.
static EFI_STATUS update(VariableRecord *old, VariableValue value, bool append) {
  if (value.size > MAX_VARIABLE_SIZE) return EFI_INVALID_PARAMETER;
  UINT32 kept = append && old ? old->data_size : 0;
  if (kept + value.size + name_bytes(value.name) > MAX_VARIABLE_SIZE - sizeof(VariableRecord))
    return EFI_INVALID_PARAMETER;
  if (old && !value.timestamp && !append && is_same_value(old, &value)) return EFI_SUCCESS;
  UINT8 *buffer = handover->scratch;
  memmove(buffer + kept, value.data, value.size);
  if (kept) memcpy(buffer, record_data(old), kept);
  value.data = buffer;
  value.size += kept;
  return store_put(store_for(value.attributes), old, &value);
}

// 8.2.3
EFI_STATUS EFIAPI set_variable(const CHAR16 *name, const EFI_GUID *vendor, UINT32 attributes, UINTN size, const void *data) {
  if (!name || !name[0] || !vendor || (size && !data)) return EFI_INVALID_PARAMETER;
  EFI_STATUS status = check_attributes(attributes);
  if (EFI_ERROR(status)) return status;
  bool append = (attributes & EFI_VARIABLE_APPEND_WRITE) != 0;
  bool authenticated = (attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS) != 0;
  if (size > MAX_VARIABLE_SIZE || name_bytes(name) > MAX_VARIABLE_SIZE - sizeof(VariableRecord))
    return EFI_INVALID_PARAMETER;

  VariableRecord *old = find(name, vendor);
  if (old && !is_visible(old)) return EFI_WRITE_PROTECTED;
  if (old && at_runtime && !(old->attributes & EFI_VARIABLE_NON_VOLATILE)) return EFI_WRITE_PROTECTED;
  if (auth_is_read_only(name, vendor) || capsule_result_is_read_only(name, vendor)) return EFI_WRITE_PROTECTED;
  bool no_access = !(attributes & ACCESS);
  if (old && !no_access && (attributes & ~EFI_VARIABLE_APPEND_WRITE) != old->attributes) return EFI_INVALID_PARAMETER;

  VariableValue value = {.name = name, .vendor = vendor, .attributes = attributes, .data = data, .size = (UINT32)size};
  EFI_TIME timestamp;
  if (authenticated || (old && old->attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)) {
    status = auth_check(old, &value, &timestamp);
    if (EFI_ERROR(status)) return status;
  } else if (auth_needs_authentication(name, vendor)) {
    return EFI_INVALID_PARAMETER;
  }
  if (append && value.size == 0) return EFI_SUCCESS;
  if (value.size == 0 || no_access) {
    if (!old) return EFI_NOT_FOUND;
    store_delete(store_for(old->attributes), old);
    auth_after_update(name, vendor);
    return EFI_SUCCESS;
  }
  UINT32 lasting = EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_RUNTIME_ACCESS;
  if (!old && at_runtime && (attributes & lasting) != lasting) return EFI_INVALID_PARAMETER;
  status = update(old, value, append);
  if (!EFI_ERROR(status)) auth_after_update(name, vendor);
  return status;
}

// 8.2.4
EFI_STATUS EFIAPI query_variable_info(UINT32 attributes, UINT64 *max_storage, UINT64 *remaining, UINT64 *max_size) {
  if (!max_storage || !remaining || !max_size || attributes == 0) return EFI_INVALID_PARAMETER;
  if (attributes & EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS || !(attributes & KNOWN_ATTRIBUTES)) return EFI_UNSUPPORTED;
  if ((attributes & ACCESS) == EFI_VARIABLE_RUNTIME_ACCESS || attributes == EFI_VARIABLE_NON_VOLATILE)
    return EFI_INVALID_PARAMETER;
  if (at_runtime && !(attributes & EFI_VARIABLE_RUNTIME_ACCESS)) return EFI_INVALID_PARAMETER;
  if (attributes & EFI_VARIABLE_HARDWARE_ERROR_RECORD)
    return attributes & EFI_VARIABLE_NON_VOLATILE ? EFI_UNSUPPORTED : EFI_INVALID_PARAMETER;
  const VariableStore *store = store_for(attributes);
  *max_storage = store_capacity(store);
  *remaining = store_remaining(store);
  UINT64 largest = *remaining < MAX_VARIABLE_SIZE ? *remaining : MAX_VARIABLE_SIZE;
  *max_size = largest < sizeof(VariableRecord) ? 0 : largest - sizeof(VariableRecord);
  return EFI_SUCCESS;
}

EFI_STATUS variable_set_unchecked(const CHAR16 *name, const EFI_GUID *vendor, UINT32 attributes, const void *data, UINTN size) {
  VariableRecord *old = find(name, vendor);
  if (size == 0) {
    if (!old) return EFI_NOT_FOUND;
    store_delete(store_for(old->attributes), old);
    return EFI_SUCCESS;
  }
  VariableValue value = {.name = name, .vendor = vendor, .attributes = attributes, .data = data, .size = (UINT32)size};
  if (old && is_same_value(old, &value)) return EFI_SUCCESS;
  return store_put(store_for(attributes), old, &value);
}

EFI_STATUS firmware_variable_set(const CHAR16 *name, UINT32 attributes, const void *data, UINTN size) {
  return variable_set_unchecked(name, &firmware_class, attributes, data, size);
}

bool firmware_variable_get(const CHAR16 *name, void *data, UINTN size) {
  const VariableRecord *record = find(name, &firmware_class);
  if (!record || record->data_size != size) return false;
  memcpy(data, record_data(record), size);
  return true;
}

UINTN variable_read_unchecked(const CHAR16 *name, const EFI_GUID *vendor, void *data, UINTN capacity) {
  const VariableRecord *record = find(name, vendor);
  if (!record) return 0;
  UINTN size = record->data_size < capacity ? record->data_size : capacity;
  memcpy(data, record_data(record), size);
  return size;
}

UINTN firmware_variable_read(const CHAR16 *name, void *data, UINTN capacity) {
  return variable_read_unchecked(name, &firmware_class, data, capacity);
}

const VariableRecord *auth_variable_find(const CHAR16 *name, const EFI_GUID *vendor) {
  return find(name, vendor);
}
