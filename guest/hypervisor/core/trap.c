// Exceptions and interrupts. A domain has no trap table here: an exception of its own ends it, as under Xen before set_trap_table.
#include "hypervisor.h"
#include "port-io.h"

#define FIRST_INTERRUPT 32
#define NMI 2
#define PAGE_FAULT 14
#define APIC_EOI 0xb0
#define MSR_APIC_BASE 0x1b
#define APIC_ENABLED 0x800

static void print_registers(const Frame *frame) {
  printk("RIP:    %04x:[<%016llx>]", (UINT32)frame->cs, frame->rip);
  printk("RFLAGS: %016llx", frame->rflags);
  printk("rax: %016llx   rbx: %016llx   rcx: %016llx", frame->rax, frame->rbx, frame->rcx);
  printk("rdx: %016llx   rsi: %016llx   rdi: %016llx", frame->rdx, frame->rsi, frame->rdi);
  printk("rbp: %016llx   rsp: %016llx   r8:  %016llx", frame->rbp, frame->rsp, frame->r8);
  printk("r9:  %016llx   r10: %016llx   r11: %016llx", frame->r9, frame->r10, frame->r11);
  printk("r12: %016llx   r13: %016llx   r14: %016llx", frame->r12, frame->r13, frame->r14);
  printk("r15: %016llx   cr3: %016llx", frame->r15, current_root());
}

_Noreturn void domain_crash(const Frame *frame, const char *why) {
  printk("d0v0 %s", why);
  printk("Domain 0 (vcpu#0) crashed on cpu#0:");
  print_registers(frame);
  printk("Hardware Dom0 crashed: rebooting machine");
  restart_unless_forbidden();
}

// Lines are masked at the interrupt controller, so what arrives is left over from the firmware's timer.
static void acknowledge_interrupt(void) {
  UINT32 low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_APIC_BASE));
  if (low & APIC_ENABLED) *(volatile UINT32 *)machine_pointer((low & ~0xfffull) + APIC_EOI) = 0;
}

static UINT64 fault_address(void) {
  UINT64 address;
  __asm__ volatile("mov %%cr2, %0" : "=r"(address));
  return address;
}

void trap(Frame *frame) {
  // The stub pushes the vector after the error code.
  if (frame->vector >= FIRST_INTERRUPT) {
    acknowledge_interrupt();
    return;
  }
  // Nobody here asks for one, and nobody is to be told.
  if (frame->vector == NMI) return;
  if (frame->cs & 3) {
    printk("d0v0 exception %llu, error code %llx, address %016llx", frame->vector, frame->error_code, fault_address());
    domain_crash(frame, "Unhandled exception: no trap table is registered");
  }
  if (frame->rip == (UINT64)copy_guest_instruction) {
    frame->rip = (UINT64)copy_guest_end;
    return;
  }
  printk("CPU: 0, exception %llu, error code %llx", frame->vector, frame->error_code);
  print_registers(frame);
  if (frame->vector == PAGE_FAULT) panic("FATAL PAGE FAULT, faulting linear address: %016llx", fault_address());
  panic("FATAL TRAP: vector = %llu", frame->vector);
}
