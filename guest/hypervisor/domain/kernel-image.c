// The initial domain's kernel: an ELF file and its notes. Xen 4.17 asks the same of it (common/libelf).
#include "kernel-image.h"

static bool within(UINT64 offset, UINT64 size, UINT64 total) {
  return offset <= total && size <= total - offset;
}

static bool starts_with(const UINT8 *text, UINTN length, const char *word) {
  UINTN i = 0;
  while (word[i] && i < length && text[i] == (UINT8)word[i]) i++;
  return !word[i];
}

static UINT64 number(const UINT8 *value, UINT32 size) {
  UINT64 result = 0;
  memcpy(&result, value, size < sizeof(result) ? size : sizeof(result));
  return result;
}

static void read_note(KernelImage *image, UINT32 type, const UINT8 *value, UINT32 size) {
  switch (type) {
    case XEN_ELFNOTE_ENTRY:
      image->entry = number(value, size);
      break;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
      image->hypercall_page = number(value, size);
      image->has_hypercall_page = true;
      break;
    case XEN_ELFNOTE_VIRT_BASE:
      image->virt_base = number(value, size);
      break;
    case XEN_ELFNOTE_PADDR_OFFSET:
      image->paddr_offset = number(value, size);
      break;
    case XEN_ELFNOTE_XEN_VERSION:
      image->is_for_xen = starts_with(value, size, "xen-3.0");
      break;
    case XEN_ELFNOTE_GUEST_OS:
      image->is_known |= starts_with(value, size, "linux");
      break;
    case XEN_ELFNOTE_LOADER:
      image->is_known |= starts_with(value, size, "generic");
      break;
    case XEN_ELFNOTE_SUPPORTED_FEATURES:
      image->is_no_dom0 = !(number(value, size) >> XENFEAT_dom0 & 1);
      break;
    default:
      break;
  }
}

static void read_notes(KernelImage *image, const UINT8 *at, UINT64 size) {
  while (size >= sizeof(ElfNote)) {
    ElfNote note;
    memcpy(&note, at, sizeof(note));
    UINT64 name = ROUND_UP((UINT64)note.n_namesz, 4), value = ROUND_UP((UINT64)note.n_descsz, 4);
    if (!within(sizeof(note), name + value, size)) return;
    if (note.n_namesz == sizeof("Xen") && memcmp(at + sizeof(note), "Xen", sizeof("Xen")) == 0)
      read_note(image, note.n_type, at + sizeof(note) + name, note.n_descsz);
    at += sizeof(note) + name + value;
    size -= sizeof(note) + name + value;
  }
}

const Elf64ProgramHeader *kernel_segment(const KernelImage *image, UINTN index) {
  return (const void *)(image->file + image->segments + index * sizeof(Elf64ProgramHeader));
}

static const char *read_segments(KernelImage *image) {
  image->start = UINT64_MAX;
  for (UINTN i = 0; i < image->segment_count; i++) {
    const Elf64ProgramHeader *segment = kernel_segment(image, i);
    if (segment->p_type != PT_LOAD && segment->p_type != PT_NOTE) continue;
    if (!within(segment->p_offset, segment->p_filesz, image->size)) return "a segment is beyond the end of the file";
    if (segment->p_type == PT_NOTE) {
      read_notes(image, image->file + segment->p_offset, segment->p_filesz);
      continue;
    }
    if (segment->p_filesz > segment->p_memsz || segment->p_paddr + segment->p_memsz < segment->p_paddr)
      return "a segment is larger in the file than in memory";
    if (segment->p_paddr < image->start) image->start = segment->p_paddr;
    if (segment->p_paddr + segment->p_memsz > image->end) image->end = segment->p_paddr + segment->p_memsz;
  }
  return image->end > image->start ? NULL : "there is nothing to load";
}

const char *kernel_image_read(KernelImage *image, const UINT8 *file, UINTN size) {
  const Elf64Header *header = (const void *)file;
  *image = (KernelImage){.file = file, .size = size};
  if (size < sizeof(*header) || memcmp(header->e_ident, ELF_IDENT, sizeof(ELF_IDENT) - 1) != 0 ||
      header->e_machine != EM_X86_64 || header->e_phentsize != sizeof(Elf64ProgramHeader))
    return "not an ELF file for x86-64";
  if (!within(header->e_phoff, (UINT64)header->e_phnum * sizeof(Elf64ProgramHeader), size))
    return "the program headers are beyond the end of the file";
  image->segments = header->e_phoff;
  image->segment_count = header->e_phnum;
  image->entry = header->e_entry;
  const char *trouble = read_segments(image);
  if (trouble) return trouble;
  if (!image->is_for_xen) return "no note XEN_VERSION that begins with xen-3.0";
  if (!image->is_known) return "neither a note GUEST_OS that begins with linux nor a note LOADER that begins with generic";
  if (image->is_no_dom0) return "Kernel does not support Dom0 operation";
  UINT64 offset = image->virt_base - image->paddr_offset, length = image->end - image->start;
  UINT64 virtual_start = image->start + offset, virtual_end = virtual_start + length;
  if (virtual_start < image->virt_base || virtual_end < virtual_start || image->entry < virtual_start ||
      image->entry >= virtual_end)
    return "ENTRY or VIRT_BASE do not fit the segments";
  if (image->has_hypercall_page && (image->hypercall_page % PAGE_SIZE || image->hypercall_page < virtual_start ||
                                    image->hypercall_page > virtual_end - PAGE_SIZE))
    return "HYPERCALL_PAGE is not a page of the image";
  if (virtual_end > HYPERVISOR_VIRT_START && image->virt_base < HYPERVISOR_VIRT_END)
    return "DOM0 image overlaps with Xen private area.";
  image->start = virtual_start;
  image->end = virtual_end;
  return NULL;
}
