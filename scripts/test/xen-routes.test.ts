// Routes `systab` and `efi-call`: the bare-metal backend as it is, in a dom0, with machine code that makes hypercalls behind the system
// table, and with the layer of calls replaced. Both pass the suite of every backend on the embedded hypervisor; there and on unmodified Xen
// they tell the generic layer what the route `ops` tells it.
import { describe, expect, it, vi } from 'vitest';
import type { TestContext } from 'vitest';
import { describeConformance } from '../../packages/efi-conformance/src/index.ts';
import type { Difference, System } from '../../packages/efi-conformance/src/index.ts';
import {
  bindPlatform,
  EfiStatus,
  formatEfiStatus,
  guid,
  WellKnownGuid,
} from '../../packages/efi-core/src/index.ts';
import type {
  BoundPlatform,
  EfiResult,
  PlatformBackend,
} from '../../packages/efi-core/src/index.ts';
import { initEfi } from '../../packages/efi-init/src/index.ts';
import { createEfiRuntime } from '../../packages/efi-runtime/src/index.ts';
import { createBareMetalBackend } from '../../packages/platform-baremetal/src/index.ts';
import type { KernelEnvironment } from '../../packages/platform-baremetal/src/index.ts';
import {
  createDom0Environment,
  efiCallBackend,
  enterDom0,
  xenBackend,
} from '../../packages/platform-xen/src/index.ts';
import type { Dom0 } from '../../packages/platform-xen/src/index.ts';
import {
  bootedWithBootOnly,
  HYPERVISORS,
  runToEntry,
  SIGNED_UPDATES,
} from '../../packages/platform-xen/test/dom0-run.ts';
import type { Machine0 } from '../../packages/platform-xen/test/dom0-run.ts';
import { XEN_DIFFERENCES } from '../../packages/platform-xen/test/xen-differences.ts';

// OVMF and Xen boot, with other work on the machine.
vi.setConfig({ testTimeout: 180_000 });

/** Small enough that a hung call is noticed soon, large enough for OVMF to program 32 KiB of flash. */
const BUDGET = 50_000_000;
const VENDOR = guid('12345678-1234-1234-1234-123456789abc');

/** A domain is what the bare-metal backend expects of a kernel: the compiler says so. */
const kernelIn = (dom0: Dom0, runtimeStubs: boolean): KernelEnvironment => {
  const made = createDom0Environment(dom0, { runtimeStubs });
  if (!made.ok) throw new Error(made.why);
  return made.value;
};

const ROUTES: Readonly<Record<'systab' | 'efi-call', (dom0: Dom0) => PlatformBackend>> = {
  systab: (dom0) => createBareMetalBackend(kernelIn(dom0, true), { budget: BUDGET }),
  'efi-call': (dom0) =>
    efiCallBackend(dom0, createBareMetalBackend(kernelIn(dom0, false), { budget: BUDGET })),
};

const dom0On = ({ pc }: Machine0): Dom0 => {
  const dom0 = enterDom0(pc.machine, { budget: BUDGET });
  if (!dom0.ok) throw new Error(dom0.error.why);
  return dom0.value;
};

const takenOver = (machine: Machine0, route: keyof typeof ROUTES): System => {
  return {
    tables: bindPlatform(ROUTES[route](dom0On(machine))),
    signedUpdates: SIGNED_UPDATES,
    reboot: () => {
      machine.pc.reset();
      const exit = runToEntry(machine);
      if (exit.kind !== 'until') throw new Error(`${exit.kind}\n${machine.text()}`);
      return takenOver(machine, route);
    },
  };
};

/** Where bare metal's own ways lead in a domain. */
const differences = (): readonly Difference[] => {
  const capsules = [
    'UpdateCapsule: no capsule',
    'UpdateCapsule: POPULATE_SYSTEM_TABLE without PERSIST_ACROSS_RESET',
    'UpdateCapsule: INITIATE_RESET without PERSIST_ACROSS_RESET',
    'UpdateCapsule: PERSIST_ACROSS_RESET without a scatter gather list',
    'QueryCapsuleCapabilities: no capsule',
    'QueryCapsuleCapabilities: POPULATE_SYSTEM_TABLE without PERSIST_ACROSS_RESET',
    'QueryCapsuleCapabilities: INITIATE_RESET without PERSIST_ACROSS_RESET',
  ].map((check) => ({
    check,
    answers: { answer: 'EFI_UNSUPPORTED' },
    why: 'Xen 4.17 passes no capsule on: -ENOSYS, which becomes EFI_UNSUPPORTED',
    source: 'Xen 4.17, xen/common/efi/runtime.c, efi_runtime_call',
  }));
  return [
    ...XEN_DIFFERENCES.filter(({ check }) => !check.startsWith('re-entry')),
    ...capsules,
    {
      check: 'initialisation: the facilities of a sound boot',
      answers: { 'EFI_MEM_ATTR with the table of that name': 'no' },
      why: 'bare metal trusts every configuration table; that one is in memory the hypervisor has given away',
      source: 'Xen 4.17, xen/arch/x86/mm.c, get_page_from_l1e',
    },
    {
      check: 'initialisation: configuration tables',
      answers: { unreadable: WellKnownGuid.EFI_MEMORY_ATTRIBUTES_TABLE_GUID },
      why: 'bare metal trusts every configuration table; that one is in memory the hypervisor has given away',
      source: 'Xen 4.17, xen/arch/x86/mm.c, get_page_from_l1e',
    },
    {
      check: 'leaving the machine: power off',
      answers: { outcome: 'halted' },
      why: 'bare metal powers off through ResetSystem, which is a shutdown of the domain',
      source: 'Xen 4.17, xen/common/shutdown.c, hwdom_shutdown',
    },
  ];
};

for (const route of ['systab', 'efi-call'] as const)
  describeConformance(`route ${route}`, {
    boot: (context) => takenOver(bootedWithBootOnly(context, 'embedded'), route),
    lacks: {
      'memory map': 'the hypervisor owns it',
      'damaged firmware': 'a fault of the firmware is one of the hypervisor, and ends the machine',
      'observed calls': 'those of route ops are',
    },
    differences: differences(),
  });

/** What a few calls through the generic layer come to, in text. */
const scenario = (tables: BoundPlatform): readonly string[] => {
  const { efi } = initEfi(tables);
  const { services, variables, clock } = createEfiRuntime(efi, tables);
  const told = (result: EfiResult<unknown>): string => {
    if (!result.ok) return `${formatEfiStatus(result.status)} ${String(result.needed ?? '')}`;
    return JSON.stringify(result.value, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  };
  const data = Uint8Array.of(1, 2, 3);
  return [
    efi.facilities.list().join(),
    `${efi.vendor ?? ''} ${String(efi.runtimeVersion)} ${efi.secureBoot}`,
    told(services.getTime()),
    told(services.getWakeupTime()),
    told(services.setVariable('Route', VENDOR, 7, 3, data)),
    told(services.getVariable('Route', VENDOR, 16)),
    told(services.getVariable('Route', VENDOR, 2)),
    told(services.getVariable(null, VENDOR, 2)),
    told(services.getVariable('Route', null, 2)),
    told(services.setVariable('Route', VENDOR, 7, 3, null)),
    told(services.queryVariableInfo(7)),
    told(services.queryVariableInfo(1)),
    told(services.getNextHighMonotonicCount()),
    told(services.queryCapsuleCapabilities([new Uint8Array(28)], 1)),
    told(services.setVariable('Route', VENDOR, 7, 0, null)),
    told(services.getVariable('Route', VENDOR, 16)),
    variables
      .list()
      .labels.map(({ name }) => name)
      .join(),
    told(clock.now()),
    told(services.resetSystem(0, EfiStatus.SUCCESS, 2, Uint8Array.of(0x41, 0))),
  ];
};

describe.each(HYPERVISORS)('the generic layer over %s', (name) => {
  const run = (context: TestContext, backend: (dom0: Dom0) => PlatformBackend): readonly string[] =>
    scenario(bindPlatform(backend(dom0On(bootedWithBootOnly(context, name)))));

  it.for(['systab', 'efi-call'] as const)('is told the same by %s as by ops', (route, context) => {
    const told = run(context, ROUTES[route]);
    expect(told).toEqual(run(context, (dom0) => xenBackend(dom0)));
    expect(told.at(-1)).toBe('"restarted"');
    expect(told).toContain('EFI_NOT_FOUND ');
  });
});
