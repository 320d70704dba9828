// Pool memory. UEFI 2.10, 7.2.4 and 7.2.5. Blocks of a power of two from pages of their memory type; larger ones are
// pages of their own.
#include "firmware.h"

#define SMALLEST_SHIFT 6
#define CLASS_COUNT 5
#define LARGEST_BLOCK ((UINTN)1 << (SMALLEST_SHIFT + CLASS_COUNT - 1))
#define SLAB_PAGES 2
#define MAX_TYPES 24
#define BLOCK_USED SIGNATURE_32('p', 'o', 'o', 'l')
#define BLOCK_FREE SIGNATURE_32('f', 'r', 'e', 'e')

// Stands before every block and keeps what follows aligned to 16 bytes.
typedef struct Block {
  UINT32 signature;
  UINT32 type;
  UINT32 pages;
  UINT32 size_class;
  struct Block *next;
  UINT64 unused;
} Block;

typedef struct {
  bool known;
  UINT32 type;
  Block *blocks[CLASS_COUNT];
} FreeLists;

static FreeLists lists[MAX_TYPES];

static FreeLists *lists_of(UINT32 type) {
  for (UINTN i = 0; i < MAX_TYPES; i++) {
    if (lists[i].known && lists[i].type == type) return &lists[i];
    if (lists[i].known) continue;
    lists[i] = (FreeLists){.known = true, .type = type};
    return &lists[i];
  }
  return NULL;
}

static EFI_STATUS allocate_large(UINT32 type, UINTN size, Block **block) {
  UINTN pages = EFI_SIZE_TO_PAGES(size);
  EFI_PHYSICAL_ADDRESS memory;
  EFI_STATUS status = allocate_pages(AllocateAnyPages, type, pages, &memory);
  if (EFI_ERROR(status)) return status;
  *block = (Block *)(UINTN)memory;
  **block = (Block){.type = type, .pages = (UINT32)pages};
  return EFI_SUCCESS;
}

// Cuts new pages into blocks of one class.
static EFI_STATUS refill(FreeLists *list, UINT32 size_class) {
  EFI_PHYSICAL_ADDRESS memory;
  EFI_STATUS status = allocate_pages(AllocateAnyPages, list->type, SLAB_PAGES, &memory);
  if (EFI_ERROR(status)) return status;
  UINTN size = (UINTN)1 << (SMALLEST_SHIFT + size_class);
  for (UINTN at = SLAB_PAGES * EFI_PAGE_SIZE; at >= size; at -= size) {
    Block *block = (Block *)((UINTN)memory + at - size);
    *block = (Block){.signature = BLOCK_FREE, .type = list->type, .size_class = size_class};
    block->next = list->blocks[size_class];
    list->blocks[size_class] = block;
  }
  return EFI_SUCCESS;
}

EFI_STATUS EFIAPI allocate_pool(UINT32 type, UINTN size, void **buffer) {
  if (!buffer) return EFI_INVALID_PARAMETER;
  if ((type >= EfiMaxMemoryType && type < EFI_MEMORY_TYPE_OPEN) || type == EfiConventionalMemory ||
      type == EfiPersistentMemory || type == EfiUnacceptedMemoryType)
    return EFI_INVALID_PARAMETER;
  if (size > UINTPTR_MAX - sizeof(Block)) return EFI_OUT_OF_RESOURCES;
  UINTN whole = size + sizeof(Block);
  Block *block;
  if (whole > LARGEST_BLOCK) {
    EFI_STATUS status = allocate_large(type, whole, &block);
    if (EFI_ERROR(status)) return status;
  } else {
    UINT32 size_class = 0;
    while (((UINTN)1 << (SMALLEST_SHIFT + size_class)) < whole) size_class++;
    FreeLists *list = lists_of(type);
    if (!list) return EFI_OUT_OF_RESOURCES;
    if (!list->blocks[size_class]) {
      EFI_STATUS status = refill(list, size_class);
      if (EFI_ERROR(status)) return status;
    }
    block = list->blocks[size_class];
    list->blocks[size_class] = block->next;
  }
  block->signature = BLOCK_USED;
  *buffer = block + 1;
  return EFI_SUCCESS;
}

void *allocate_pool_of(UINT32 type, UINTN size) {
  void *buffer;
  if (EFI_ERROR(allocate_pool(type, size, &buffer))) return NULL;
  memset(buffer, 0, size);
  return buffer;
}

EFI_STATUS EFIAPI free_pool(void *buffer) {
  if (!buffer) return EFI_INVALID_PARAMETER;
  Block *block = (Block *)buffer - 1;
  if (block->signature != BLOCK_USED) return EFI_INVALID_PARAMETER;
  block->signature = BLOCK_FREE;
  if (block->pages) return free_pages((UINTN)block, block->pages);
  FreeLists *list = lists_of(block->type);
  block->next = list->blocks[block->size_class];
  list->blocks[block->size_class] = block;
  return EFI_SUCCESS;
}
