// Routes `systab` and `efi-call`: the bare-metal backend as it is, in a dom0, with machine code that makes hypercalls behind the system
// table, and with the layer of calls replaced. Both pass the suite of every backend, on the embedded hypervisor and on Xen.
import { vi } from 'vitest';
import { describeConformance, OVMF_DIFFERENCES } from '../../packages/efi-conformance/src/index.ts';
import type { Difference, Lacks, System } from '../../packages/efi-conformance/src/index.ts';
import { bindPlatform } from '../../packages/efi-core/src/index.ts';
import type { PlatformBackend } from '../../packages/efi-core/src/index.ts';
import { createBareMetalBackend } from '../../packages/platform-baremetal/src/index.ts';
import {
  createDom0Environment,
  efiCallBackend,
  enterDom0,
} from '../../packages/platform-xen/src/index.ts';
import type { Dom0 } from '../../packages/platform-xen/src/index.ts';
import {
  bootedWithBootOnly,
  HYPERVISORS,
  runToEntry,
} from '../../packages/platform-xen/test/dom0-run.ts';
import type { Machine0 } from '../../packages/platform-xen/test/dom0-run.ts';
import { XEN_DIFFERENCES } from '../../packages/platform-xen/test/xen-differences.ts';

// OVMF and Xen boot, with other work on the machine.
vi.setConfig({ testTimeout: 180_000 });

const BUDGET = 50_000_000;

const environment = (dom0: Dom0, runtimeStubs: boolean) => {
  const made = createDom0Environment(dom0, { runtimeStubs });
  if (!made.ok) throw new Error(made.why);
  return made.value;
};

/** The backends of the two routes. Types say that a domain is what the bare-metal backend expects of a kernel. */
const ROUTES: Readonly<Record<'systab' | 'efi-call', (dom0: Dom0) => PlatformBackend>> = {
  systab: (dom0) => createBareMetalBackend(environment(dom0, true), { budget: BUDGET }),
  'efi-call': (dom0) =>
    efiCallBackend(dom0, createBareMetalBackend(environment(dom0, false), { budget: BUDGET })),
};

const takenOver = (machine: Machine0, route: keyof typeof ROUTES): System => {
  const dom0 = enterDom0(machine.pc.machine, { budget: BUDGET });
  if (!dom0.ok) throw new Error(dom0.error.why);
  return {
    tables: bindPlatform(ROUTES[route](dom0.value)),
    reboot: () => {
      machine.pc.reset();
      const exit = runToEntry(machine);
      if (exit.kind !== 'until') throw new Error(`${exit.kind}\n${machine.text()}`);
      return takenOver(machine, route);
    },
  };
};

const LACKS: Lacks = {};

const DIFFERENCES: readonly Difference[] = [...XEN_DIFFERENCES];

for (const name of HYPERVISORS)
  for (const route of ['systab', 'efi-call'] as const)
    describeConformance(`route ${route} over ${name}`, {
      boot: (context) => takenOver(bootedWithBootOnly(context, name), route),
      lacks: {
        ...LACKS,
        'virtual mode': 'the hypervisor calls the firmware in physical mode',
        'memory map': 'the hypervisor owns it',
        UpdateCapsule: 'Xen 4.17 passes no capsule on',
        QueryCapsuleCapabilities: 'Xen 4.17 passes no capsule on',
        'damaged firmware':
          'a fault of the firmware is one of the hypervisor, and ends the machine',
        'observed calls': 'tested with the route ops',
      },
      differences: name === 'xen' ? [...DIFFERENCES, ...OVMF_DIFFERENCES] : DIFFERENCES,
    });
