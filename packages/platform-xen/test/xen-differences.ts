import type { Difference } from '@systab/efi-conformance';

const RUNTIME = 'Xen 4.17, xen/common/efi/runtime.c, efi_runtime_call; Linux, drivers/xen/efi.c';

/** The hypervisor finds NULL where it copies: -EFAULT, which has no EFI status. */
const nullPointer = (check: string, question: string): Difference => ({
  check,
  answers: { [question]: 'EFI_UNSUPPORTED' },
  why: 'the hypervisor copies what the pointer points to and answers -EFAULT, which becomes EFI_UNSUPPORTED',
  source: RUNTIME,
});

/** Where a hypercall does not do what the specification asks of the service. */
export const XEN_DIFFERENCES: readonly Difference[] = [
  nullPointer('GetVariable: NULL for VariableName', 'answer'),
  nullPointer('GetVariable: NULL for Data although the size would do', 'read'),
  nullPointer('GetNextVariableName: NULL for VariableName', 'answer'),
  nullPointer('SetVariable: NULL for VariableName', 'answer'),
  nullPointer('SetVariable: NULL for Data of some size', 'write'),
  {
    check: 'ResetSystem: EfiResetShutdown',
    answers: { outcome: 'halted' },
    why: 'there is no hypercall for ResetSystem, and a shutdown of the domain stops the processor',
    source: 'Xen 4.17, xen/common/shutdown.c, hwdom_shutdown',
  },
  {
    check: 're-entry: by the rules: GetVariable may overlap GetTime',
    answers: { entered: '0' },
    why: 'the question has NULL for VendorGuid, which the hypercall carries by value: it is answered without one',
    source: 'Xen 4.17, xen/include/public/platform.h, xenpf_efi_runtime_call',
  },
];
