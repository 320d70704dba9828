// Segment and interrupt descriptors, SYSCALL registers. SDM Vol. 3A, 3.4.5, 6.14, 7.7; the selectors are those of a PV guest's ABI.
#include "hypervisor.h"

// The first 14 pages of the table belong to the guest; ours are in the page after them.
#define FIRST_RESERVED_GDT_BYTE 0xe000
#define HYPERVISOR_CS 0xe008
#define HYPERVISOR_SS 0xe010
#define RING3_BASE 0xe023
#define TSS_SELECTOR 0xe040
#define TSS_LIMIT 103
// Words of the task state segment (SDM Vol. 3A, 7.7).
#define TSS_RSP0 1
#define TSS_IST1 9

#define CODE64_RING0 0x00af9a000000ffffull
#define DATA_RING0 0x00cf92000000ffffull
#define CODE32_RING3 0x00cffa000000ffffull
#define DATA_RING3 0x00cff2000000ffffull
#define CODE64_RING3 0x00affa000000ffffull
#define TSS_AVAILABLE 0x0000890000000000ull
#define INTERRUPT_GATE 0x8e00
// Vectors that may come while RSP is still the guest's: they have a stack of their own (SDM Vol. 3A, 6.14.5).
#define OWN_STACK 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_MACHINE_CHECK 18

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_PAT 0x277
// Types by PAT, PCD, PWT: write back, write through, UC-, UC, then with PAT write combining and write protected (Xen's choice).
#define PAT_TYPES 0x0000050100070406ull
#define EFER_SCE 0x001
#define EFER_NXE 0x800
// Cleared at SYSCALL: AC, NT, IOPL, DF, IF, TF and the arithmetic flags, as Xen does.
#define SYSCALL_FLAGS 0x00057fd5ull

#define CR0_WRITE_PROTECT 0x10000ull
#define CR0_NUMERIC_ERROR 0x20ull
#define CR0_MONITOR 0x2ull
#define CR0_EMULATION 0x4ull
#define CR0_TASK_SWITCHED 0x8ull
#define CR4_PAE 0x20ull
#define CR4_FXSR 0x200ull
#define CR4_SIMD_EXCEPTIONS 0x400ull

typedef struct {
  UINT16 offset_low;
  UINT16 selector;
  UINT16 type;
  UINT16 offset_middle;
  UINT32 offset_high;
  UINT32 reserved;
} Gate;

typedef struct {
  UINT16 limit;
  uint64_t base;
} __attribute__((packed)) TablePointer;

// In words of 32 bits, for the stack pointers are not aligned to 8 bytes.
static UINT32 task_state[26];
static UINT8 gdt[FIRST_RESERVED_GDT_BYTE + PAGE_SIZE] __attribute__((aligned(4096)));
static Gate idt[256] __attribute__((aligned(16)));

static void write_msr(UINT32 msr, UINT64 value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((UINT32)value), "d"((UINT32)(value >> 32)));
}

static UINT64 read_msr(UINT32 msr) {
  UINT32 low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (UINT64)high << 32 | low;
}

static bool has_nx(void) {
  UINT32 eax = 0x80000001u, ebx, ecx, edx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
  return (edx >> 20 & 1) != 0;
}

void processor_features_start(void) {
  write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE | (has_nx() ? EFER_NXE : 0));
  write_msr(MSR_PAT, PAT_TYPES);
}

static void gdt_start(void) {
  UINT64 *own = (UINT64 *)(gdt + FIRST_RESERVED_GDT_BYTE);
  UINT64 task = (UINT64)task_state;
  own[1] = CODE64_RING0;
  own[2] = DATA_RING0;
  own[4] = CODE32_RING3;
  own[5] = DATA_RING3;
  own[6] = CODE64_RING3;
  own[8] = TSS_AVAILABLE | TSS_LIMIT | (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56;
  own[9] = task >> 32;
  TablePointer pointer = {sizeof(gdt) - 1, (UINT64)gdt};
  __asm__ volatile("lgdt %0" : : "m"(pointer));
  __asm__ volatile(
      "pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1: movl %1, %%ss; movl %2, %%ds; movl %2, %%es; movl %2, %%fs;"
      "movl %2, %%gs; lldt %w2; ltr %w3"
      :
      : "i"(HYPERVISOR_CS), "r"(HYPERVISOR_SS), "r"(0), "r"(TSS_SELECTOR)
      : "rax", "memory");
}

static void idt_start(void) {
  for (UINTN vector = 0; vector < ARRAY_LENGTH(idt); vector++) {
    UINT64 stub = trap_stub(vector);
    bool is_urgent = vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK;
    UINT16 type = is_urgent ? INTERRUPT_GATE | OWN_STACK : INTERRUPT_GATE;
    idt[vector] = (Gate){(UINT16)stub, HYPERVISOR_CS, type, (UINT16)(stub >> 16), (UINT32)(stub >> 32), 0};
  }
  TablePointer pointer = {sizeof(idt) - 1, (UINT64)idt};
  __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void set_stack(UINTN word, const char *top) {
  task_state[word] = (UINT32)(UINT64)top;
  task_state[word + 1] = (UINT32)((UINT64)top >> 32);
}

void descriptors_start(void) {
  set_stack(TSS_RSP0, hypervisor_stack_top);
  set_stack(TSS_IST1, urgent_stack_top);
  // The I/O permission map is beyond the limit: there is none.
  task_state[25] = (TSS_LIMIT + 1) << 16;
  gdt_start();
  idt_start();
  write_msr(MSR_STAR, (UINT64)RING3_BASE << 48 | (UINT64)HYPERVISOR_CS << 32);
  write_msr(MSR_LSTAR, (UINT64)syscall_entry);
  // 32-bit code of a 64-bit guest has no business here: it gets the same entry, on AMD processors.
  write_msr(MSR_CSTAR, (UINT64)syscall_entry);
  write_msr(MSR_SYSCALL_MASK, SYSCALL_FLAGS);
  UINT64 cr0, cr4;
  __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
  cr0 |= CR0_WRITE_PROTECT | CR0_NUMERIC_ERROR | CR0_MONITOR;
  cr0 &= ~(CR0_EMULATION | CR0_TASK_SWITCHED);
  __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
  // No SMEP, SMAP or PCIDE: guest memory is the guest's own through CR3 alone.
  cr4 = CR4_PAE | CR4_FXSR | CR4_SIMD_EXCEPTIONS;
  __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}
