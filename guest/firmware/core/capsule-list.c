#include "capsule-list.h"
#include "memory.h"

typedef enum { LIST_DATA, LIST_DESCRIPTOR, LIST_END, LIST_BROKEN } ListItemKind;

typedef struct {
  ListItemKind kind;
  UINT64 start;
  UINT64 length;
  const UINT8 *bytes;
} ListItem;

typedef struct {
  EFI_PHYSICAL_ADDRESS next;
  UINT32 descriptors;
  // A block whose descriptor has been given, but not itself.
  EFI_CAPSULE_BLOCK_DESCRIPTOR block;
} ListCursor;

static ListItem memory_item(ListItemKind kind, UINT64 start, UINT64 length) {
  const UINT8 *bytes = intact_memory(start, length);
  return bytes ? (ListItem){kind, start, length, bytes} : (ListItem){.kind = LIST_BROKEN};
}

// The next descriptor or block of a list. A list that runs in a circle is broken off.
static ListItem next_item(ListCursor *cursor) {
  if (cursor->block.Length) {
    ListItem block = memory_item(LIST_DATA, cursor->block.Union, cursor->block.Length);
    cursor->block.Length = 0;
    return block;
  }
  if (cursor->next == 0) return (ListItem){.kind = LIST_END};
  if (cursor->descriptors++ == CAPSULE_LIST_MAX_DESCRIPTORS) return (ListItem){.kind = LIST_BROKEN};
  ListItem item = memory_item(LIST_DESCRIPTOR, cursor->next, sizeof(cursor->block));
  if (item.kind == LIST_BROKEN) return item;
  memcpy(&cursor->block, item.bytes, sizeof(cursor->block));
  // Without a length it is the address of more descriptors, or the end.
  cursor->next = cursor->block.Length ? cursor->next + sizeof(cursor->block) : cursor->block.Union;
  return item;
}

EFI_STATUS capsule_list_measure(EFI_PHYSICAL_ADDRESS list, UINT64 *size) {
  ListCursor cursor = {.next = list};
  *size = 0;
  for (;;) {
    ListItem item = next_item(&cursor);
    if (item.kind == LIST_BROKEN) return EFI_INVALID_PARAMETER;
    if (item.kind == LIST_END) return *size ? EFI_SUCCESS : EFI_NOT_FOUND;
    if (item.kind != LIST_DATA) continue;
    if (item.length > CAPSULE_LIST_MAX_SIZE - *size) return EFI_INVALID_PARAMETER;
    *size += item.length;
  }
}

UINT64 capsule_list_conflict(EFI_PHYSICAL_ADDRESS list, UINT64 start, UINT64 length) {
  ListCursor cursor = {.next = list};
  UINT64 lowest = UINT64_MAX;
  for (;;) {
    ListItem item = next_item(&cursor);
    if (item.kind == LIST_END || item.kind == LIST_BROKEN) return lowest;
    if (item.start < start + length && start < item.start + item.length && item.start < lowest) lowest = item.start;
  }
}

void capsule_list_copy(EFI_PHYSICAL_ADDRESS list, UINT8 *to) {
  ListCursor cursor = {.next = list};
  for (;;) {
    ListItem item = next_item(&cursor);
    if (item.kind == LIST_END || item.kind == LIST_BROKEN) return;
    if (item.kind != LIST_DATA) continue;
    memcpy(to, item.bytes, (UINTN)item.length);
    to += item.length;
  }
}

bool capsule_header_at(const UINT8 *bytes, UINT64 size, EFI_CAPSULE_HEADER *header) {
  if (size < sizeof(*header)) return false;
  memcpy(header, bytes, sizeof(*header));
  return header->HeaderSize >= sizeof(*header) && header->HeaderSize <= header->CapsuleImageSize &&
         header->CapsuleImageSize <= size;
}
