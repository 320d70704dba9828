import { describeConformance, OVMF_DIFFERENCES } from '@systab/efi-conformance';
import type { Lacks, ObservedCall, System } from '@systab/efi-conformance';
import { bindPlatform } from '@systab/efi-core';
import type { RuntimeServiceName } from '@systab/efi-core';
import { vi } from 'vitest';
import { XEN_EFI, XENPF } from '../src/abi/platform-op.ts';
import type { XenEfiFunction } from '../src/abi/platform-op.ts';
import { enterDom0, xenBackend } from '../src/index.ts';
import type { XenBackendOptions } from '../src/index.ts';
import { bootedWithBootOnly, HYPERVISORS, runToEntry, SIGNED_UPDATES } from './dom0-run.ts';
import type { Machine0 } from './dom0-run.ts';
import { XEN_DIFFERENCES } from './xen-differences.ts';

// OVMF and Xen boot, with other work on the machine.
vi.setConfig({ testTimeout: 180_000 });

/** Small enough that a hung call is noticed soon, large enough for OVMF to program 32 KiB of flash. */
const BUDGET = 50_000_000;

const SERVICES: Readonly<Record<XenEfiFunction, RuntimeServiceName>> = {
  get_time: 'GetTime',
  set_time: 'SetTime',
  get_wakeup_time: 'GetWakeupTime',
  set_wakeup_time: 'SetWakeupTime',
  get_next_high_monotonic_count: 'GetNextHighMonotonicCount',
  get_variable: 'GetVariable',
  set_variable: 'SetVariable',
  get_next_variable_name: 'GetNextVariableName',
  query_variable_info: 'QueryVariableInfo',
  query_capsule_capabilities: 'QueryCapsuleCapabilities',
  update_capsule: 'UpdateCapsule',
};
const BY_NUMBER: ReadonlyMap<number, RuntimeServiceName> = new Map(
  Object.entries(XEN_EFI).map(([name, number]) => [number, SERVICES[name as XenEfiFunction]]),
);

/** The service that a platform_op asks for. */
const serviceOf = ({ pc }: Machine0, at: bigint): RuntimeServiceName | undefined => {
  const bytes = pc.machine.readLinear(at, 12);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0, true) === XENPF.efi_runtime_call
    ? BY_NUMBER.get(view.getUint32(8, true))
    : undefined;
};

/** The domain of a machine that is at its entry point. */
const takenOver = (machine: Machine0, options: XenBackendOptions): System => {
  const calls: ObservedCall[] = [];
  const dom0 = enterDom0(machine.pc.machine, {
    budget: BUDGET,
    onHypercall: ({ name, args: [first = 0n], breaches }) => {
      const service = name === 'platform_op' ? serviceOf(machine, first) : undefined;
      if (service !== undefined)
        calls.push({
          service,
          breaches: breaches.map(
            ({ what, expected, actual }) => `${what} is ${actual}, expected ${expected}`,
          ),
        });
      else if (name === 'sched_op') calls.push({ service: 'ResetSystem', breaches: [] });
    },
  });
  if (!dom0.ok) throw new Error(dom0.error.why);
  return {
    tables: bindPlatform(xenBackend(dom0.value, options)),
    calls,
    signedUpdates: SIGNED_UPDATES,
    reboot: () => {
      machine.pc.reset();
      const exit = runToEntry(machine);
      if (exit.kind !== 'until') throw new Error(`${exit.kind}\n${machine.text()}`);
      return takenOver(machine, options);
    },
  };
};

/** SLP_TYPa of this machine's _S5. */
const SOFT_OFF = 0;

const LACKS: Lacks = {
  'virtual mode': 'the hypervisor calls the firmware in physical mode',
  UpdateCapsule: 'Xen 4.17 passes no capsule on',
  QueryCapsuleCapabilities: 'Xen 4.17 passes no capsule on',
  'damaged firmware': 'a fault of the firmware is one of the hypervisor, and ends the machine',
};

for (const name of HYPERVISORS) {
  const below = name === 'xen' ? 'Xen 4.17 on OVMF' : 'the embedded hypervisor';
  const differences = name === 'xen' ? [...XEN_DIFFERENCES, ...OVMF_DIFFERENCES] : XEN_DIFFERENCES;
  describeConformance(below, {
    boot: (context) => takenOver(bootedWithBootOnly(context, name), { softOff: SOFT_OFF }),
    lacks: { ...LACKS, 'memory map': 'the hypervisor owns it' },
    differences,
  });
}
