// From the number in RAX to the function; arguments are in RDI, RSI, RDX, R10, R8 (Xen 4.17, arch-x86/xen-x86_64.h).
#include "hypervisor.h"

static INTN dispatch(const Frame *frame) {
  switch (frame->rax) {
    case HYPERCALL_platform_op:
      return do_platform_op(frame->rdi);
    case HYPERCALL_memory_op:
      return do_memory_op((UINT32)frame->rdi, frame->rsi);
    case HYPERCALL_update_va_mapping:
      return do_update_va_mapping(frame->rdi, frame->rsi, frame->rdx);
    case HYPERCALL_xen_version:
      return do_xen_version((UINT32)frame->rdi, frame->rsi);
    case HYPERCALL_console_io:
      return do_console_io((UINT32)frame->rdi, (INTN)(int32_t)frame->rsi, frame->rdx);
    case HYPERCALL_sched_op:
      return do_sched_op((UINT32)frame->rdi, frame->rsi);
    default:
      return -XEN_ENOSYS;
  }
}

static bool is_canonical(UINT64 address) {
  return (UINT64)((int64_t)(address << 16) >> 16) == address;
}

void hypercall(Frame *frame) {
  frame->rax = (UINT64)dispatch(frame);
  // SYSRET to such an address would fault in ring 0 (SDM Vol. 2B, SYSRET).
  if (!is_canonical(frame->rip)) domain_crash(frame, "Hypercall from the end of the address space");
}
