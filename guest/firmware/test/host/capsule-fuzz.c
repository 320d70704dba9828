// Scatter gather lists of capsules, good ones and hostile ones: what is read lies inside intact memory, every list comes to an end, and
// a good one gives its bytes. Meant to be built with sanitizers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "capsule-list.h"

#define BASE 0x10000u
#define PAGES 24u
#define PAGE 0x1000u
#define SIZE (PAGES * PAGE)
#define ROUNDS 4000u
#define MAX_ITEMS 200u
#define MAX_GIVEN 0x20000u

static UINT8 memory[SIZE];
static bool is_used[PAGES];
// Copies of exactly the size asked for, so that a read beyond it is seen.
static UINT8 *given[MAX_GIVEN];
static UINTN given_count;

static UINT32 random32(void) {
  static UINT32 state = 0x2545f491;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

static void fail(const char *what) {
  fprintf(stderr, "FAIL %s\n", what);
  exit(1);
}

static bool is_intact(UINT64 start, UINT64 length) {
  if (length == 0 || start < BASE || start - BASE >= SIZE || length > SIZE - (start - BASE)) return false;
  for (UINT64 at = (start - BASE) / PAGE; at <= (start - BASE + length - 1) / PAGE; at++)
    if (is_used[at]) return false;
  return true;
}

const UINT8 *intact_memory(UINT64 start, UINT64 length) {
  if (!is_intact(start, length)) return NULL;
  if (given_count == MAX_GIVEN) fail("a list without an end");
  UINT8 *copy = malloc((size_t)length);
  memcpy(copy, memory + (start - BASE), (size_t)length);
  return given[given_count++] = copy;
}

static void forget(void) {
  while (given_count) free(given[--given_count]);
}

static void put(UINT32 at, UINT64 length, UINT64 address) {
  EFI_CAPSULE_BLOCK_DESCRIPTOR descriptor = {length, address};
  memcpy(memory + at, &descriptor, sizeof(descriptor));
}

static void expect(const char *what, EFI_PHYSICAL_ADDRESS list, EFI_STATUS status, UINT64 size) {
  UINT64 measured;
  if (capsule_list_measure(list, &measured) != status || (status == EFI_SUCCESS && measured != size)) fail(what);
  capsule_list_conflict(list, 0, UINT64_MAX / 2);
  forget();
}

static void known_lists(void) {
  memset(memory, 0, sizeof(memory));
  is_used[2] = true;
  expect("no list", 0, EFI_NOT_FOUND, 0);
  expect("an empty list", BASE, EFI_NOT_FOUND, 0);
  expect("a list outside memory", BASE - 16, EFI_INVALID_PARAMETER, 0);
  expect("a list at the end of all addresses", UINT64_MAX - 7, EFI_INVALID_PARAMETER, 0);
  expect("a list that begins in used memory", BASE + 2 * PAGE, EFI_INVALID_PARAMETER, 0);
  put(0, 100, BASE + PAGE);
  expect("one block", BASE, EFI_SUCCESS, 100);
  put(0, PAGE, BASE + PAGE);
  expect("up to used memory", BASE, EFI_SUCCESS, PAGE);
  put(0, PAGE + 1, BASE + PAGE);
  expect("into used memory", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, SIZE, BASE + 3 * PAGE);
  expect("beyond memory", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, UINT64_MAX, BASE + PAGE);
  expect("a length of all addresses", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, 2 * PAGE, UINT64_MAX - PAGE + 1);
  expect("beyond all addresses", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, 10, BASE + SIZE - 10);
  put(16, 0, BASE);
  expect("a circle", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, 0, BASE);
  expect("a circle without data", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, 0, BASE + 2 * PAGE - 8);
  expect("more descriptors half in used memory", BASE, EFI_INVALID_PARAMETER, 0);
  put(0, 0, BASE + SIZE - 16);
  put(SIZE - 16, 8, BASE + PAGE);
  expect("descriptors that run out of memory", BASE, EFI_INVALID_PARAMETER, 0);
  // Overlapping blocks are good, and count each time: 257 times 64 KiB are too much.
  is_used[2] = false;
  for (UINT32 i = 0; i <= 256; i++) put(i * 16, 16 * PAGE, BASE + 8 * PAGE);
  put(257 * 16, 0, 0);
  expect("more than a capsule may have", BASE, EFI_INVALID_PARAMETER, 0);
  put(256 * 16, 0, 0);
  expect("as much as a capsule may have", BASE, EFI_SUCCESS, CAPSULE_LIST_MAX_SIZE);
}

typedef struct {
  UINT64 start;
  UINT64 length;
} Stretch;

// A good list in the first half of memory, blocks in the second; its stretches and its bytes.
static UINT32 make_list(Stretch *stretches, UINT32 *count, UINT8 *bytes) {
  UINT32 at = random32() % 64 * 16, size = 0;
  memset(memory, 0, sizeof(memory));
  for (UINT32 i = SIZE / 2; i < SIZE; i++) memory[i] = (UINT8)random32();
  *count = 0;
  for (UINT32 blocks = 1 + random32() % 40; blocks; blocks--) {
    if (random32() % 5 == 0) {
      UINT32 next = at + 16 + random32() % 16 * 16;
      stretches[(*count)++] = (Stretch){BASE + at, 16};
      put(at, 0, BASE + next);
      at = next;
    }
    UINT32 length = 1 + random32() % (random32() % 4 ? 100 : 3000), start = SIZE / 2 + random32() % (SIZE / 2 - length);
    put(at, length, BASE + start);
    stretches[(*count)++] = (Stretch){BASE + at, 16};
    stretches[(*count)++] = (Stretch){BASE + start, length};
    memcpy(bytes + size, memory + start, length);
    size += length;
    at += 16;
  }
  stretches[(*count)++] = (Stretch){BASE + at, 16};
  return size;
}

static UINT64 naive_conflict(const Stretch *stretches, UINT32 count, UINT64 start, UINT64 length) {
  UINT64 lowest = UINT64_MAX;
  for (UINT32 i = 0; i < count; i++)
    for (UINT64 at = start; at < start + length; at++)
      if (at - stretches[i].start < stretches[i].length && stretches[i].start < lowest) lowest = stretches[i].start;
  return lowest;
}

// Reads whatever stands there; a list that passes is copied to a buffer of its size.
static void read_list(EFI_PHYSICAL_ADDRESS list) {
  UINT64 size;
  if (EFI_ERROR(capsule_list_measure(list, &size))) return;
  UINT8 *copy = malloc((size_t)size);
  capsule_list_copy(list, copy);
  EFI_CAPSULE_HEADER header;
  if (capsule_header_at(copy, size, &header) && header.CapsuleImageSize > size) fail("a capsule larger than its list");
  free(copy);
}

static void random_list(void) {
  static Stretch stretches[MAX_ITEMS];
  static UINT8 bytes[40 * 3100], copy[sizeof(bytes)];
  UINT32 count;
  memset(is_used, 0, sizeof(is_used));
  UINT32 size = make_list(stretches, &count, bytes);
  EFI_PHYSICAL_ADDRESS list = stretches[0].start;
  UINT64 measured;
  if (capsule_list_measure(list, &measured) != EFI_SUCCESS || measured != size) fail("a good list has another size");
  capsule_list_copy(list, copy);
  if (memcmp(copy, bytes, size) != 0) fail("a good list has other bytes");
  UINT64 start = BASE + random32() % SIZE, length = 1 + random32() % 300;
  if (capsule_list_conflict(list, start, length) != naive_conflict(stretches, count, start, length))
    fail("another conflict than byte by byte");
  forget();
  // The same with used pages and changed descriptors.
  for (UINT32 n = random32() % 4; n; n--) is_used[random32() % PAGES] = true;
  for (UINT32 n = random32() % 12; n; n--) {
    UINT32 at = (UINT32)(stretches[random32() % count].start - BASE);
    memory[at + random32() % 16] = (UINT8)(random32() % 3 ? random32() : 0);
  }
  read_list(list);
  read_list(BASE + random32() % SIZE);
  forget();
}

static void headers(void) {
  for (UINT32 size = 0; size < 100; size++) {
    UINT8 *bytes = malloc(size + 1);
    EFI_CAPSULE_HEADER header = {.HeaderSize = random32() % 64, .CapsuleImageSize = random32() % 128};
    memset(bytes, 0, size);
    memcpy(bytes, &header, size < sizeof(header) ? size : sizeof(header));
    bool whole = size >= sizeof(header) && header.HeaderSize >= sizeof(header) &&
                 header.HeaderSize <= header.CapsuleImageSize && header.CapsuleImageSize <= size;
    if (capsule_header_at(bytes, size, &header) != whole) fail("a header");
    free(bytes);
  }
}

int main(void) {
  known_lists();
  for (UINT32 round = 0; round < ROUNDS; round++) random_list();
  for (UINT32 round = 0; round < 100; round++) headers();
  printf("%u lists, good and changed\n", ROUNDS);
  return 0;
}
