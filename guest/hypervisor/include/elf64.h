// ELF files for x86-64 (ELF gABI, chapters 4 and 5) and the notes of a PV kernel (Xen 4.17, xen/include/public/elfnote.h).
#pragma once
#include "efi-base.h"

typedef struct {
  UINT8 e_ident[16];
  UINT16 e_type;
  UINT16 e_machine;
  UINT32 e_version;
  UINT64 e_entry;
  UINT64 e_phoff;
  UINT64 e_shoff;
  UINT32 e_flags;
  UINT16 e_ehsize;
  UINT16 e_phentsize;
  UINT16 e_phnum;
  UINT16 e_shentsize;
  UINT16 e_shnum;
  UINT16 e_shstrndx;
} Elf64Header;

typedef struct {
  UINT32 p_type;
  UINT32 p_flags;
  UINT64 p_offset;
  UINT64 p_vaddr;
  UINT64 p_paddr;
  UINT64 p_filesz;
  UINT64 p_memsz;
  UINT64 p_align;
} Elf64ProgramHeader;

typedef struct {
  UINT32 n_namesz;
  UINT32 n_descsz;
  UINT32 n_type;
} ElfNote;

#define ELF_IDENT "\177ELF\2\1\1"
#define EM_X86_64 62
#define PT_LOAD 1
#define PT_NOTE 4

#define XEN_ELFNOTE_ENTRY 1
#define XEN_ELFNOTE_HYPERCALL_PAGE 2
#define XEN_ELFNOTE_VIRT_BASE 3
#define XEN_ELFNOTE_PADDR_OFFSET 4
#define XEN_ELFNOTE_XEN_VERSION 5
#define XEN_ELFNOTE_GUEST_OS 6
#define XEN_ELFNOTE_LOADER 8
#define XEN_ELFNOTE_SUPPORTED_FEATURES 17
// Bit of XEN_ELFNOTE_SUPPORTED_FEATURES: the kernel can be the initial domain.
#define XENFEAT_dom0 11
