#pragma once
#include "elf64.h"
#include "hypervisor.h"

typedef struct {
  const UINT8 *file;
  UINTN size;
  UINT64 segments;
  UINTN segment_count;
  // Virtual addresses.
  UINT64 virt_base;
  UINT64 start;
  UINT64 end;
  UINT64 entry;
  UINT64 hypercall_page;
  UINT64 paddr_offset;
  bool has_hypercall_page;
  bool is_for_xen;
  bool is_known;
  bool is_no_dom0;
} KernelImage;

// Reads an ELF file; gives what is wrong with it, or NULL.
const char *kernel_image_read(KernelImage *image, const UINT8 *file, UINTN size);
// For each index below segment_count.
const Elf64ProgramHeader *kernel_segment(const KernelImage *image, UINTN index);
