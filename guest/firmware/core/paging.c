// RAM above 4 GiB joins the one to one mapping that reset.S began (UEFI 2.10, 2.3.4: all memory of the map is mapped).
#include "firmware.h"

#define GIB_SHIFT 30
#define PAGE_2M_SHIFT 21
#define PRESENT_WRITABLE 3
#define PAGE_2M 0x80
// One page-directory-pointer table reaches 512 GiB.
#define MAX_GIB 512

void paging_start(void) {
  UINT64 *pointers;
  __asm__ volatile("mov %%cr3, %0" : "=r"(pointers));
  pointers = (UINT64 *)(pointers[0] & ~(UINT64)EFI_PAGE_MASK);
  UINT64 gibs = (memory_map_end() + (1ull << GIB_SHIFT) - 1) >> GIB_SHIFT;
  for (UINT64 gib = 4; gib < gibs && gib < MAX_GIB; gib++) {
    UINT64 *directory = allocate_pages_of(EfiBootServicesData, 1);
    if (!directory) platform_halt("no memory for page tables");
    for (UINT64 i = 0; i < 512; i++)
      directory[i] = gib << GIB_SHIFT | i << PAGE_2M_SHIFT | PAGE_2M | PRESENT_WRITABLE;
    pointers[gib] = (UINTN)directory | PRESENT_WRITABLE;
  }
}
