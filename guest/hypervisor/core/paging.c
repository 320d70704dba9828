// Page tables. SDM Vol. 3A, 4.5.
#include "hypervisor.h"

#define ENTRIES 512
#define LEVELS 4
#define PAGE_2M 0x200000ull

UINT64 direct_base;

static UINT64 pool_next, pool_end;

void page_pool_start(UINT64 start, UINTN pages) {
  pool_next = start;
  pool_end = start + pages * PAGE_SIZE;
}

UINT64 *new_table(void) {
  if (pool_next == pool_end) panic("No memory for page tables");
  UINT64 *table = machine_pointer(pool_next);
  pool_next += PAGE_SIZE;
  memset(table, 0, PAGE_SIZE);
  return table;
}

static UINTN index_at(UINT64 virtual, UINTN level) {
  return virtual >> (PAGE_SHIFT + 9 * level) & (ENTRIES - 1);
}

// The table that an entry points to; a large page becomes one of small pages that map the same.
static UINT64 *descend(UINT64 *entry) {
  if (!(*entry & PTE_PRESENT)) *entry = ((UINT64)new_table() - direct_base) | PTE_MEMORY | PTE_USER;
  if (*entry & PTE_PAGE_2M) {
    UINT64 *table = new_table();
    UINT64 first = *entry & PTE_ADDRESS & ~(PAGE_2M - 1);
    UINT64 flags = *entry & ~PTE_ADDRESS & ~PTE_PAGE_2M;
    if (*entry & PTE_PAT_2M) flags |= PTE_PAT_4K;
    for (UINTN i = 0; i < ENTRIES; i++) table[i] = (first + i * PAGE_SIZE) | flags;
    *entry = ((UINT64)table - direct_base) | PTE_MEMORY | PTE_USER;
  }
  return machine_pointer(*entry & PTE_ADDRESS);
}

static UINT64 large(UINT64 flags) {
  return (flags & ~PTE_PAT_4K) | PTE_PAGE_2M | (flags & PTE_PAT_4K ? PTE_PAT_2M : 0);
}

void map_range(UINT64 *root, UINT64 virtual, UINT64 machine, UINT64 size, UINT64 flags) {
  while (size) {
    UINT64 *table = root;
    for (UINTN level = LEVELS - 1; level > 1; level--) table = descend(&table[index_at(virtual, level)]);
    UINT64 step = PAGE_2M;
    if ((virtual | machine) % PAGE_2M == 0 && size >= PAGE_2M) {
      table[index_at(virtual, 1)] = machine | large(flags);
    } else {
      table = descend(&table[index_at(virtual, 1)]);
      table[index_at(virtual, 0)] = machine | flags;
      step = PAGE_SIZE;
    }
    virtual += step;
    machine += step;
    size -= step;
  }
}

UINT64 *find_page_entry(UINT64 *root, UINT64 virtual) {
  UINT64 *table = root;
  for (UINTN level = LEVELS - 1; level > 0; level--) {
    UINT64 entry = table[index_at(virtual, level)];
    if (!(entry & PTE_PRESENT) || (level == 1 && entry & PTE_PAGE_2M)) return NULL;
    table = machine_pointer(entry & PTE_ADDRESS);
  }
  return &table[index_at(virtual, 0)];
}

void clear_pages(UINT64 machine, UINT64 size) {
  void *cursor = machine_pointer(machine);
  UINT64 words = size / sizeof(UINT64);
  __asm__ volatile("rep stosq" : "+D"(cursor), "+c"(words) : "a"(0ull) : "memory");
}

void load_root(UINT64 machine_address) {
  __asm__ volatile("mov %0, %%cr3" : : "r"(machine_address) : "memory");
}

UINT64 current_root(void) {
  UINT64 root;
  __asm__ volatile("mov %%cr3, %0" : "=r"(root));
  return root;
}
