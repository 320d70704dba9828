// Guest memory as hypercalls may touch it: only where the guest could itself, and faults are no disaster.
#include "hypervisor.h"

static UINT64 bounce_address;
static UINTN bounce_size, bounce_used;

// Below the hole of non-canonical addresses, or above the hypervisor's part.
static bool is_guest_range(GuestHandle start, UINTN size) {
  UINT64 end = start + size;
  if (end < start) return false;
  return end <= GUEST_LOW_END || start >= HYPERVISOR_VIRT_END;
}

bool copy_from_guest(void *to, GuestHandle from, UINTN size) {
  return is_guest_range(from, size) && copy_guest(to, (const void *)from, size) == 0;
}

bool copy_to_guest(GuestHandle to, const void *from, UINTN size) {
  return is_guest_range(to, size) && copy_guest((void *)to, from, size) == 0;
}

void bounce_start(UINT64 address, UINTN size) {
  bounce_address = address;
  bounce_size = size;
}

void bounce_reset(void) {
  bounce_used = 0;
}

void *bounce_allocate(UINTN size) {
  if (size > bounce_size - bounce_used) return NULL;
  void *start = machine_pointer(bounce_address + bounce_used);
  bounce_used += ROUND_UP(size, 16);
  if (bounce_used > bounce_size) bounce_used = bounce_size;
  return start;
}
