// A store of variables: records one after the other, in flash (non-volatile) or RAM (volatile). The format is the
// authenticated variable store that EDK II firmware keeps in its flash, so that the same tools read it:
// volume header 72 bytes, store header 28 bytes, records of a 60-byte header, name and data, aligned to 4.
#pragma once
#include "efi-variable.h"

#define RECORD_START 0x55aa
// States clear one bit after the other; no step can be half done.
#define STATE_HEADER_VALID 0x7f
#define STATE_ADDED 0x3f
#define STATE_IN_DELETED_TRANSITION 0xfe
#define STATE_DELETED 0xfd

typedef struct {
  UINT16 start;
  UINT8 state;
  UINT8 reserved;
  UINT32 attributes;
  uint64_t monotonic_count;
  EFI_TIME timestamp;
  UINT32 public_key_index;
  UINT32 name_size;
  UINT32 data_size;
  EFI_GUID vendor;
} __attribute__((packed, aligned(4))) VariableRecord;

_Static_assert(sizeof(VariableRecord) == 60, "record header");

typedef struct {
  // The store header; records follow it.
  UINT8 *base;
  UINT32 size;
  // Where the next record goes, counted from `base`.
  UINT32 end;
  bool in_flash;
} VariableStore;

#define STORE_HEADER_SIZE 28u

// What a new record holds; `data` lies in RAM.
typedef struct {
  const CHAR16 *name;
  const EFI_GUID *vendor;
  UINT32 attributes;
  const EFI_TIME *timestamp;
  const void *data;
  UINT32 size;
} VariableValue;

// The flash store: finishes what a power cut left undone, formats an empty device.
void store_open_flash(VariableStore *store);
void store_open_ram(VariableStore *store, UINT8 *memory, UINT32 size);

// Live records in order; NULL after the last. Start with NULL.
VariableRecord *store_next(const VariableStore *store, const VariableRecord *record);
VariableRecord *store_find(const VariableStore *store, const CHAR16 *name, const EFI_GUID *vendor);
// Puts a value in the place of `old` (NULL for a new one). OUT_OF_RESOURCES leaves the old value as it was.
EFI_STATUS store_put(VariableStore *store, VariableRecord *old, const VariableValue *value);
void store_delete(VariableStore *store, VariableRecord *record);

// Bytes for records; bytes that live records leave; bytes one record takes.
UINT32 store_capacity(const VariableStore *store);
UINT32 store_remaining(const VariableStore *store);
UINT32 record_span(UINT32 name_size, UINT32 data_size);
UINT32 name_bytes(const CHAR16 *name);
bool same_name(const CHAR16 *name, const CHAR16 *other);

static inline CHAR16 *record_name(const VariableRecord *record) {
  return (CHAR16 *)(record + 1);
}
static inline UINT8 *record_data(const VariableRecord *record) {
  return (UINT8 *)(record + 1) + record->name_size;
}
