// sched_op: what the only domain of a machine can ask of its scheduler (Xen 4.17, common/sched/core.c and common/shutdown.c).
#include "hypervisor.h"

static _Noreturn void shut_down(UINT32 reason) {
  switch (reason) {
    case SHUTDOWN_poweroff:
      printk("Hardware Dom0 halted: halting machine");
      machine_halt();
    case SHUTDOWN_crash:
      printk("Hardware Dom0 crashed: rebooting machine");
      restart_unless_forbidden();
    case SHUTDOWN_reboot:
      printk("Hardware Dom0 shutdown: rebooting machine");
      machine_restart();
    case SHUTDOWN_watchdog:
      printk("Hardware Dom0 shutdown: watchdog rebooting machine");
      machine_restart();
    default:
      printk("Hardware Dom0 shutdown (unknown reason %u): rebooting machine", reason);
      restart_unless_forbidden();
  }
}

INTN do_sched_op(UINT32 command, GuestHandle argument) {
  UINT32 reason;
  switch (command) {
    case SCHEDOP_yield:
      return 0;
    // No event can arrive, so this waits for good.
    case SCHEDOP_block:
      machine_halt();
    case SCHEDOP_shutdown:
      if (!copy_from_guest(&reason, argument, sizeof(reason))) return -XEN_EFAULT;
      shut_down(reason);
    default:
      return -XEN_ENOSYS;
  }
}
