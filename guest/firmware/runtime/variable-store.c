// An update is safe against a power cut at any byte: the old record is marked as going, the new one written and marked
// as added, then the old one marked as gone. Until the new one is added the old one is the value.
#include "variable-store.h"
#include "flash.h"
#include "memory.h"
#include "variable-volume.h"

#define ALIGNMENT 4u
#define COPY_CHUNK 64u

static UINT32 align(UINT32 size) {
  return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

UINT32 record_span(UINT32 name_size, UINT32 data_size) {
  return align((UINT32)sizeof(VariableRecord) + name_size + data_size);
}

UINT32 name_bytes(const CHAR16 *name) {
  UINT32 length = 0;
  while (name[length]) length++;
  return (length + 1) * (UINT32)sizeof(CHAR16);
}

bool same_name(const CHAR16 *name, const CHAR16 *other) {
  while (*name && *name == *other) name++, other++;
  return *name == *other;
}

static UINT32 span_of(const VariableRecord *record) {
  return record_span(record->name_size, record->data_size);
}

static UINT32 offset_of(const VariableStore *store, const VariableRecord *record) {
  return (UINT32)((const UINT8 *)record - store->base);
}

static void write(const VariableStore *store, UINT32 offset, const void *bytes, UINTN count) {
  if (store->in_flash) flash_program(VOLUME_HEADER_SIZE + offset, bytes, count);
  else memcpy(store->base + offset, bytes, count);
}

static void set_state(const VariableStore *store, const VariableRecord *record, UINT8 state) {
  write(store, offset_of(store, record) + (UINT32)offsetof(VariableRecord, state), &state, 1);
}

// Whether a record begins at `offset` whose sizes can be relied on.
static bool is_record(const VariableStore *store, UINT32 offset) {
  if (store->size - offset < sizeof(VariableRecord)) return false;
  const VariableRecord *record = (const void *)(store->base + offset);
  if (record->start != RECORD_START || (record->state & 0x80)) return false;
  UINT32 room = store->size - offset - (UINT32)sizeof(VariableRecord);
  return record->name_size <= room && record->data_size <= room - record->name_size;
}

// The records of any state from `offset` on.
static VariableRecord *record_at(const VariableStore *store, UINT32 offset) {
  return offset < store->end ? (VariableRecord *)(store->base + offset) : NULL;
}

static bool is_same_variable(const VariableRecord *record, const CHAR16 *name, UINT32 size, const EFI_GUID *vendor) {
  return record->name_size == size && same_guid(&record->vendor, vendor) &&
         memcmp(record_name(record), name, size) == 0;
}

static bool is_added(const VariableRecord *record) {
  return record->state == STATE_ADDED;
}

// A record on its way out is the value as long as no other has been added.
static bool is_live(const VariableStore *store, const VariableRecord *record) {
  if (is_added(record)) return true;
  if (record->state != (STATE_ADDED & STATE_IN_DELETED_TRANSITION)) return false;
  for (UINT32 at = STORE_HEADER_SIZE; at < store->end;) {
    const VariableRecord *other = record_at(store, at);
    if (is_added(other) && is_same_variable(other, record_name(record), record->name_size, &record->vendor))
      return false;
    at += span_of(other);
  }
  return true;
}

VariableRecord *store_next(const VariableStore *store, const VariableRecord *record) {
  UINT32 at = record ? offset_of(store, record) + span_of(record) : STORE_HEADER_SIZE;
  for (VariableRecord *next; (next = record_at(store, at)); at += span_of(next))
    if (is_live(store, next)) return next;
  return NULL;
}

VariableRecord *store_find(const VariableStore *store, const CHAR16 *name, const EFI_GUID *vendor) {
  UINT32 size = name_bytes(name);
  VariableRecord *leaving = NULL;
  for (UINT32 at = STORE_HEADER_SIZE; at < store->end;) {
    VariableRecord *record = record_at(store, at);
    at += span_of(record);
    if (!is_same_variable(record, name, size, vendor)) continue;
    if (is_added(record)) return record;
    if (record->state == (STATE_ADDED & STATE_IN_DELETED_TRANSITION)) leaving = record;
  }
  return leaving;
}

UINT32 store_capacity(const VariableStore *store) {
  return store->size - STORE_HEADER_SIZE;
}

UINT32 store_remaining(const VariableStore *store) {
  UINT32 used = 0;
  for (VariableRecord *record = store_next(store, NULL); record; record = store_next(store, record))
    used += span_of(record);
  return store_capacity(store) - used;
}

static void find_end(VariableStore *store) {
  store->end = STORE_HEADER_SIZE;
  while (is_record(store, store->end)) {
    UINT32 span = span_of((const VariableRecord *)(store->base + store->end));
    store->end += span < store->size - store->end ? span : store->size - store->end;
  }
}

// Copies one live record into the spare blocks; it is an added one there.
static void copy_to_spare(const VariableRecord *record, UINT32 offset) {
  UINT8 chunk[COPY_CHUNK];
  UINT32 size = (UINT32)sizeof(*record) + record->name_size + record->data_size;
  for (UINT32 at = 0; at < size; at += COPY_CHUNK) {
    UINT32 count = size - at < COPY_CHUNK ? size - at : COPY_CHUNK;
    memcpy(chunk, (const UINT8 *)record + at, count);
    if (at == 0) chunk[offsetof(VariableRecord, state)] = STATE_ADDED;
    flash_program(SPARE_AREA + VOLUME_HEADER_SIZE + offset + at, chunk, count);
  }
}

// Drops the records that are no value any more.
static void reclaim(VariableStore *store) {
  UINT32 to = STORE_HEADER_SIZE;
  if (store->in_flash) volume_begin_replacement();
  for (VariableRecord *record = store_next(store, NULL), *next; record; record = next) {
    next = store_next(store, record);
    UINT32 span = span_of(record);
    if (store->in_flash) copy_to_spare(record, to);
    else memmove(store->base + to, record, span);
    to += span;
  }
  if (store->in_flash) volume_finish_replacement();
  store->end = to;
}

// An update that was cut short after its new record was added: the old record goes, or it would come back as the value
// when the new one is deleted.
static void finish_updates(const VariableStore *store) {
  for (UINT32 at = STORE_HEADER_SIZE; at < store->end;) {
    const VariableRecord *record = record_at(store, at);
    if (record->state == (STATE_ADDED & STATE_IN_DELETED_TRANSITION) && !is_live(store, record))
      set_state(store, record, record->state & STATE_DELETED);
    at += span_of(record);
  }
}

static bool is_tail_blank(const VariableStore *store) {
  for (UINT32 at = store->end; at < store->size; at++)
    if (store->base[at] != 0xff) return false;
  return true;
}

void store_open_flash(VariableStore *store) {
  volume_open();
  *store = (VariableStore){.base = flash_base + VOLUME_HEADER_SIZE, .size = FLASH_STORE_SIZE, .in_flash = true};
  find_end(store);
  finish_updates(store);
  // A record whose header was never completed cannot be stepped over.
  if (!is_tail_blank(store)) reclaim(store);
}

void store_open_ram(VariableStore *store, UINT8 *memory, UINT32 size) {
  *store = (VariableStore){.base = memory, .size = size, .end = STORE_HEADER_SIZE};
}

EFI_STATUS store_put(VariableStore *store, VariableRecord *old, const VariableValue *value) {
  UINT32 name_size = name_bytes(value->name);
  UINT32 span = record_span(name_size, value->size);
  if (span > store->size - store->end) {
    // The old record has to stay until the new one is added, so both must fit.
    if (span > store_remaining(store)) return EFI_OUT_OF_RESOURCES;
    reclaim(store);
    if (old) old = store_find(store, value->name, value->vendor);
  }
  VariableRecord *record = (VariableRecord *)(store->base + store->end);
  VariableRecord header = {
      .start = RECORD_START,
      .state = 0xff,
      .attributes = value->attributes & ~EFI_VARIABLE_APPEND_WRITE,
      .name_size = name_size,
      .data_size = value->size,
      .vendor = *value->vendor,
  };
  if (value->timestamp) header.timestamp = *value->timestamp;
  if (old) set_state(store, old, old->state & STATE_IN_DELETED_TRANSITION);
  UINT32 at = store->end;
  write(store, at, &header, sizeof(header));
  set_state(store, record, STATE_HEADER_VALID);
  store->end += span;
  write(store, at + (UINT32)sizeof(header), value->name, name_size);
  write(store, at + (UINT32)sizeof(header) + name_size, value->data, value->size);
  set_state(store, record, STATE_ADDED);
  if (old) set_state(store, old, old->state & STATE_DELETED);
  return EFI_SUCCESS;
}

void store_delete(VariableStore *store, VariableRecord *record) {
  set_state(store, record, record->state & STATE_DELETED);
}
