// Power fails at every single write of every kind of change, and again while the damage is repaired: afterwards each
// variable has its old or its new value, and the store goes on working. Then flash contents that nobody has written:
// whatever they are, the store reads and writes inside its bounds. Meant to be built with sanitizers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flash-model.h"
#include "variable-store.h"

#define ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define NAME u"Changed"
#define STEADY_COUNT 3u
#define LARGE 700u
#define FUZZ_ROUNDS 3000u

static const EFI_GUID vendor = {0x12345678, 0x1234, 0x5678, {1, 2, 3, 4, 5, 6, 7, 8}};
static const CHAR16 *const steady[STEADY_COUNT] = {u"Steady", u"StillSteady", u"S"};

// A value: `size` bytes of `fill`; none when size is 0.
typedef struct {
  UINT32 size;
  UINT8 fill;
} Value;

typedef struct {
  const char *name;
  Value before, after;
  // Old records in the store: as many as make the change reclaim it.
  UINT32 dead_bytes;
  // Replacements of the store that came before, so that the working block is full.
  UINT32 replacements;
} Scenario;

static UINT8 prepared[VOLUME_SIZE];

static EFI_STATUS put(VariableStore *store, const CHAR16 *name, Value value) {
  static UINT8 data[LARGE];
  memset(data, value.fill, value.size);
  VariableRecord *old = store_find(store, name, &vendor);
  if (value.size == 0) {
    if (old) store_delete(store, old);
    return EFI_SUCCESS;
  }
  VariableValue record = {.name = name, .vendor = &vendor, .attributes = ATTRIBUTES, .data = data, .size = value.size};
  return store_put(store, old, &record);
}

static bool holds(const VariableStore *store, const CHAR16 *name, Value value) {
  const VariableRecord *record = store_find(store, name, &vendor);
  if (!record || value.size == 0) return !record && value.size == 0;
  if (record->data_size != value.size || record->attributes != ATTRIBUTES) return false;
  for (UINT32 i = 0; i < value.size; i++)
    if (record_data(record)[i] != value.fill) return false;
  return true;
}

static void prepare(const Scenario *scenario) {
  VariableStore store;
  flash_power(UINTPTR_MAX, ERASE_NOTHING);
  memset(flash_model, 0xff, sizeof(flash_model));
  store_open_flash(&store);
  for (UINT32 i = 0; i < scenario->replacements; i++) {
    volume_begin_replacement();
    volume_finish_replacement();
  }
  store_open_flash(&store);
  for (UINT32 i = 0; i < STEADY_COUNT; i++) put(&store, steady[i], (Value){20 + i, (UINT8)(0x30 + i)});
  put(&store, NAME, scenario->before);
  for (UINT32 start = store.end; store.end - start < scenario->dead_bytes;) {
    put(&store, u"Dead", (Value){LARGE, 0});
    put(&store, u"Dead", (Value){0, 0});
  }
  memcpy(prepared, flash_model, sizeof(prepared));
}

static void check(const Scenario *scenario, VariableStore *store) {
  for (UINT32 i = 0; i < STEADY_COUNT; i++)
    if (!holds(store, steady[i], (Value){20 + i, (UINT8)(0x30 + i)})) fail("another variable has changed");
  bool before = holds(store, NAME, scenario->before);
  if (!before && !holds(store, NAME, scenario->after)) fail("neither the old nor the new value");
  UINT32 count = 0;
  for (VariableRecord *record = store_next(store, NULL); record; record = store_next(store, record)) count++;
  UINT32 expected = STEADY_COUNT + ((before ? scenario->before : scenario->after).size != 0);
  if (count != expected) fail("the walk does not show each variable once");
}

// The store as the next start finds it takes the change, and another, and keeps them.
static void check_goes_on(const Scenario *scenario) {
  VariableStore store;
  flash_power(UINTPTR_MAX, ERASE_NOTHING);
  store_open_flash(&store);
  check(scenario, &store);
  // Another value than the one that was cut: nothing of that may be in its way.
  if (EFI_ERROR(put(&store, u"Unrelated", (Value){77, 0xaa}))) fail("the store takes nothing new");
  if (!holds(&store, u"Unrelated", (Value){77, 0xaa})) fail("a new value is wrong");
  put(&store, u"Unrelated", (Value){0, 0});
  put(&store, NAME, scenario->after);
  put(&store, NAME, (Value){0, 0});
  if (!holds(&store, NAME, (Value){0, 0})) fail("a deleted value came back");
  if (EFI_ERROR(put(&store, NAME, scenario->after))) fail("the store takes no more");
  store_open_flash(&store);
  if (!holds(&store, NAME, scenario->after)) fail("a value did not last");
}

static void change(const Scenario *scenario) {
  VariableStore store;
  store_open_flash(&store);
  put(&store, NAME, scenario->after);
}

static void repair(void) {
  VariableStore store;
  store_open_flash(&store);
}

// False when the change ended before the power failed.
static bool cut_change(const Scenario *scenario, UINTN writes, EraseCut erase) {
  memcpy(flash_model, prepared, sizeof(prepared));
  flash_power(writes, erase);
  if (setjmp(power_cut)) return true;
  change(scenario);
  return false;
}

static bool cut_repair(UINTN writes, EraseCut erase) {
  flash_power(writes, erase);
  if (setjmp(power_cut)) return true;
  repair();
  return false;
}

static void run(const Scenario *scenario) {
  static UINT8 damaged[VOLUME_SIZE];
  prepare(scenario);
  UINTN cuts = 0, repairs = 0;
  for (EraseCut erase = ERASE_NOTHING; erase < ERASE_MODES; erase++)
    for (UINTN writes = 0; cut_change(scenario, writes, erase); writes++) {
      cuts++;
      memcpy(damaged, flash_model, sizeof(damaged));
      check_goes_on(scenario);
      if (writes % 251 != 0) continue;
      for (UINTN again = 0;; again += 17) {
        memcpy(flash_model, damaged, sizeof(damaged));
        if (!cut_repair(again, erase)) break;
        repairs++;
        check_goes_on(scenario);
      }
    }
  printf("%s: power cut at %zu writes, and at %zu of repairs\n", scenario->name, (size_t)cuts, (size_t)repairs);
}

// The device comes erased; formatting it may be cut as well.
static void first_start(void) {
  static const Scenario empty = {.after = {9, 2}};
  static UINTN cuts;
  for (EraseCut erase = ERASE_NOTHING; erase < ERASE_MODES; erase++)
    for (cuts = 0;; cuts++) {
      memset(flash_model, 0xff, sizeof(flash_model));
      if (!cut_repair(cuts, erase)) break;
      VariableStore store;
      flash_power(UINTPTR_MAX, ERASE_NOTHING);
      store_open_flash(&store);
      put(&store, NAME, empty.after);
      store_open_flash(&store);
      if (!holds(&store, NAME, empty.after)) fail("a formatted store does not work");
    }
  printf("first start: power cut at %zu writes\n", (size_t)cuts);
}

static UINT32 random32(void) {
  static UINT32 state = 0x2545f491;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

static void fuzz(void) {
  flash_allow_setting_bits();
  flash_power(UINTPTR_MAX, ERASE_NOTHING);
  for (UINT32 round = 0; round < FUZZ_ROUNDS; round++) {
    memcpy(flash_model, prepared, sizeof(prepared));
    for (UINT32 n = random32() % 64; n; n--) {
      UINT32 area = random32() % 4;
      UINT32 at = area == 0 ? WORKING_BLOCK + random32() % 256 : area == 1 ? random32() % VOLUME_SIZE : 0x64 + random32() % 1024;
      flash_model[at] = (UINT8)random32();
    }
    VariableStore store;
    store_open_flash(&store);
    UINT32 bytes = 0;
    for (VariableRecord *record = store_next(&store, NULL); record; record = store_next(&store, record))
      for (UINT32 i = 0; i < record->name_size + record->data_size; i++) bytes += ((UINT8 *)record_name(record))[i];
    put(&store, NAME, (Value){LARGE, (UINT8)bytes});
    put(&store, NAME, (Value){0, 0});
  }
  printf("%u devices with random contents\n", FUZZ_ROUNDS);
}

int main(void) {
  static const Scenario scenarios[] = {
      {.name = "new variable", .after = {9, 2}},
      {.name = "changed variable", .before = {9, 1}, .after = {40, 2}},
      {.name = "deleted variable", .before = {9, 1}},
      {.name = "changed variable in a full store", .before = {9, 1}, .after = {LARGE, 2}, .dead_bytes = 56100},
      {.name = "full store, full working block", .before = {9, 1}, .after = {LARGE, 2}, .dead_bytes = 56100, .replacements = 50},
  };
  for (UINT32 i = 0; i < ARRAY_LENGTH(scenarios); i++) run(&scenarios[i]);
  first_start();
  fuzz();
  return 0;
}
