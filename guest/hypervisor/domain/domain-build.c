// Builds the initial domain in the layout of Xen's builder (arch/x86/pv/dom0_build.c of 4.17): kernel, frame list, start
// information, page tables, boot stack.
#include "kernel-image.h"

#define MIN_FREE (512ull << 10)
#define REGION (4ull << 20)
#define FIRST_TABLE_SHIFT 21
#define HYPERVISOR_SLOT 256
#define HYPERVISOR_SLOTS 16
#define GUEST_PAGE (PTE_MEMORY | PTE_USER)
#define INVALID_M2P UINT64_MAX

Domain domain;

static UINT64 machine_to_phys, machine_to_phys_frames;

typedef struct {
  UINT64 p2m;
  UINT64 start_info;
  UINT64 tables;
  UINTN table_count;
  UINT64 stack;
  UINT64 end;
} Layout;

static UINTN tables_for(UINT64 start, UINT64 end) {
  UINTN count = 1;
  for (UINTN shift = FIRST_TABLE_SHIFT; shift < 48; shift += 9)
    count += ((end - 1) >> shift) - (start >> shift) + 1;
  return count;
}

static Layout lay_out(const KernelImage *image) {
  Layout layout;
  layout.p2m = ROUND_UP(image->end, PAGE_SIZE);
  layout.start_info = ROUND_UP(layout.p2m + domain.frames * sizeof(UINT64), PAGE_SIZE);
  layout.tables = layout.start_info + PAGE_SIZE;
  // More tables make the region longer, which may take more tables.
  for (layout.table_count = 2;; layout.table_count++) {
    layout.stack = layout.tables + layout.table_count * PAGE_SIZE;
    layout.end = ROUND_UP(layout.stack + PAGE_SIZE, REGION);
    if (layout.end - layout.stack - PAGE_SIZE < MIN_FREE) layout.end += REGION;
    if (tables_for(domain.v_start, layout.end) <= layout.table_count) return layout;
  }
}

static UINT64 machine_of(UINT64 virtual) {
  return domain.start + (virtual - domain.v_start);
}

static void print_layout(const KernelImage *image, const Layout *layout) {
  printk("PHYSICAL MEMORY ARRANGEMENT:");
  printk(" Dom0 alloc.:   %016llx->%016llx", domain.start, domain.start + domain.frames * PAGE_SIZE);
  printk("VIRTUAL MEMORY ARRANGEMENT:");
  printk(" Loaded kernel: %016llx->%016llx", image->start, image->end);
  printk(" Phys-Mach map: %016llx->%016llx", layout->p2m, layout->p2m + domain.frames * sizeof(UINT64));
  printk(" Start info:    %016llx->%016llx", layout->start_info, layout->start_info + sizeof(StartInfo));
  printk(" Page tables:   %016llx->%016llx", layout->tables, layout->stack);
  printk(" Boot stack:    %016llx->%016llx", layout->stack, layout->stack + PAGE_SIZE);
  printk(" TOTAL:         %016llx->%016llx", domain.v_start, layout->end);
  printk(" ENTRY ADDRESS: %016llx", image->entry);
}

static void load_segments(const KernelImage *image) {
  for (UINTN i = 0; i < image->segment_count; i++) {
    const Elf64ProgramHeader *segment = kernel_segment(image, i);
    if (segment->p_type != PT_LOAD) continue;
    UINT64 at = machine_of(segment->p_paddr + image->virt_base - image->paddr_offset);
    memcpy(machine_pointer(at), image->file + segment->p_offset, segment->p_filesz);
  }
}

// push rcx; push r11; mov eax, number; syscall; pop r11; pop rcx; ret. The one for iret is jumped to and does not return.
static void write_hypercall_page(UINT8 *page) {
  memset(page, 0xcc, PAGE_SIZE);
  for (UINT32 number = 0; number < HYPERCALL_SLOTS; number++) {
    UINT8 *slot = page + number * HYPERCALL_SLOT_SIZE;
    static const UINT8 call[] = {0x51, 0x41, 0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    static const UINT8 iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 0, 0, 0, 0, 0x0f, 0x05};
    bool is_iret = number == HYPERCALL_iret;
    memcpy(slot, is_iret ? iret : call, is_iret ? sizeof(iret) : sizeof(call));
    memcpy(slot + (is_iret ? 5 : 4), &number, sizeof(number));
  }
}

static void build_tables(const Layout *layout) {
  page_pool_start(machine_of(layout->tables), layout->table_count);
  domain.root = new_table();
  // One page at a time: a guest has no large pages.
  for (UINT64 at = domain.v_start; at < layout->end; at += PAGE_SIZE)
    map_range(domain.root, at, machine_of(at), PAGE_SIZE, GUEST_PAGE);
  for (UINT64 at = layout->tables; at < layout->stack; at += PAGE_SIZE)
    *find_page_entry(domain.root, at) &= ~PTE_WRITABLE;
  const UINT64 *host = machine_pointer(runtime_root());
  memcpy(domain.root + HYPERVISOR_SLOT, host + HYPERVISOR_SLOT, HYPERVISOR_SLOTS * sizeof(UINT64));
  domain.tables_start = machine_of(layout->tables);
  domain.tables_end = machine_of(layout->stack);
}

static void number_frames(const Layout *layout) {
  UINT64 *p2m = machine_pointer(machine_of(layout->p2m));
  UINT64 *m2p = machine_pointer(machine_to_phys);
  for (UINT64 i = 0; i < machine_to_phys_frames; i++) m2p[i] = INVALID_M2P;
  for (UINT64 i = 0; i < domain.frames; i++) {
    UINT64 frame = (domain.start >> PAGE_SHIFT) + i;
    p2m[i] = frame;
    if (frame < machine_to_phys_frames) m2p[frame] = i;
  }
}

static void write_start_info(const Layout *layout) {
  StartInfo *info = machine_pointer(machine_of(layout->start_info));
  memcpy(info->magic, XEN_PV_MAGIC, sizeof(XEN_PV_MAGIC));
  info->nr_pages = domain.frames;
  info->shared_info = domain.shared_info_address;
  info->flags = domain.privileged ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0;
  info->pt_base = layout->tables;
  info->nr_pt_frames = layout->table_count;
  info->mfn_list = layout->p2m;
  memcpy(info->cmd_line, options.dom0_command_line, sizeof(info->cmd_line));
}

static void start_shared_info(void) {
  clear_pages(domain.shared_info_address, PAGE_SIZE);
  domain.shared_info = machine_pointer(domain.shared_info_address);
  for (UINTN i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) domain.shared_info->vcpu_info[i].evtchn_upcall_mask = 1;
}

void machine_to_phys_start(UINT64 address) {
  machine_to_phys = address;
  machine_to_phys_frames = max_frame();
  map_range(machine_pointer(runtime_root()), MACH2PHYS_VIRT_START, address,
            ROUND_UP(machine_to_phys_frames * sizeof(UINT64), PAGE_SIZE), PTE_PRESENT | PTE_USER | PTE_ACCESSED);
}

void domain_build(UINT64 kernel, UINTN kernel_size) {
  KernelImage image;
  printk("*** Building a PV Dom0 ***");
  const char *trouble = kernel_image_read(&image, machine_pointer(kernel), kernel_size);
  if (trouble) {
    printk("Dom0 kernel: %s", trouble);
    panic("Could not construct domain 0");
  }
  printk(" Xen  kernel: 64-bit, lsb");
  printk(" Dom0 kernel: 64-bit, lsb, paddr 0x%llx -> 0x%llx", image.start - image.virt_base + image.paddr_offset,
         image.end - image.virt_base + image.paddr_offset);
  domain.privileged = !options.unprivileged;
  domain.v_start = ROUND_DOWN(image.virt_base, PAGE_SIZE);
  Layout layout = lay_out(&image);
  if (layout.end - domain.v_start > domain.frames * PAGE_SIZE) panic("Domain 0 allocation is too small for kernel image");
  print_layout(&image, &layout);
  domain.v_end = layout.end;
  domain.entry = image.entry;
  domain.stack = layout.stack + PAGE_SIZE;
  domain.start_info = layout.start_info;
  clear_pages(domain.start, layout.end - domain.v_start);
  load_segments(&image);
  if (image.has_hypercall_page) write_hypercall_page(machine_pointer(machine_of(image.hypercall_page)));
  build_tables(&layout);
  number_frames(&layout);
  start_shared_info();
  write_start_info(&layout);
}
