/**
 * Why a route may differ from bare metal. Data: each entry names the operation, the routes, what they give, the reason and its
 * source. A difference without an entry is unexplained; an entry that explains nothing is stale.
 */
import type { HypervisorOptions } from '@systab/platform-xen';
import type { MemoryMapChoice, RouteName } from './route.ts';
import { SWITCH_EXPLANATIONS } from './switch-explanations.ts';

export interface Explanation {
  /** Id of the operation, or what the ids of several have in common. */
  readonly operation: string | RegExp;
  readonly routes: readonly RouteName[];
  /** What the routes give. */
  readonly value: RegExp;
  readonly why: string;
  /** Section of a specification, header or source file that says so. */
  readonly source: string;
  /** The memory maps it is about; default: all. */
  readonly memoryMaps?: readonly MemoryMapChoice[];
  /** Whether there is a difference depends on firmware and hypervisor: never stale. */
  readonly depends?: true;
  /** What the hypervisor must have been told; default: anything. */
  readonly when?: (hypervisor: HypervisorOptions) => boolean;
}

const HYPERCALL_ROUTES: readonly RouteName[] = ['ops', 'systab', 'efi-call'];

const LINUX_DOM0 = 'Linux 6.1, arch/x86/xen/efi.c';
const XEN_BOOT = 'Xen 4.17, common/efi/boot.c';
const XEN_MEMORY = 'Xen 4.17, arch/x86/efi/efi-boot.h and mm.c';
const XEN_RUNTIME = 'Xen 4.17, common/efi/runtime.c';

/** NULL pointers that only the hypervisor can notice. */
const BAD_POINTER =
  'the hypervisor reads the argument, not the firmware: -EFAULT, for which there is no EFI status';

const NO_CAPSULES = 'capsules are not passed on: -ENOSYS before anything is looked at';

const rows = (
  routes: readonly RouteName[],
  list: readonly (readonly [operation: string, value: RegExp, why: string, source: string])[],
  memoryMaps?: readonly MemoryMapChoice[],
): readonly Explanation[] =>
  list.map(([operation, value, why, source]) => ({
    operation,
    routes,
    value,
    why,
    source,
    ...(memoryMaps === undefined ? {} : { memoryMaps }),
  }));

const GIVEN_AWAY =
  "what lies in boot services memory, the memory attributes table among it, was the hypervisor's to give away";

const EXPLANATIONS: readonly Explanation[] = [
  ...rows(
    HYPERCALL_ROUTES,
    [
      [
        'boot.facilities',
        /^EFI_BOOT EFI_CONFIG_TABLES EFI_RUNTIME_SERVICES EFI_64BIT$/,
        'no memory map reaches the domain, so neither EFI_MEMMAP nor EFI_MEM_ATTR',
        LINUX_DOM0,
      ],
      ['boot.memory-map', /^absent$/, 'the hypervisor owns the map', LINUX_DOM0],
      [
        'boot.runtime-map',
        /^absent$/,
        'the firmware stays in physical mode: SetVirtualAddressMap is compiled out',
        XEN_BOOT,
      ],
    ],
    ['absent'],
  ),
  ...rows(
    HYPERCALL_ROUTES,
    [
      [
        'boot.facilities',
        /^EFI_BOOT EFI_CONFIG_TABLES EFI_RUNTIME_SERVICES EFI_MEMMAP EFI_64BIT$/,
        'the map is there, but not the memory attributes table',
        LINUX_DOM0,
      ],
    ],
    ['machine', 'firmware'],
  ),
  ...rows(
    HYPERCALL_ROUTES,
    [
      [
        'boot.memory-map',
        /^Efi/,
        "the hypervisor's E820 map in EFI's words: boot services are free memory, and what holds its own image is missing",
        XEN_MEMORY,
      ],
      ['boot.runtime-map', /^$/, 'the E820 map knows no runtime regions', XEN_MEMORY],
    ],
    ['machine'],
  ),
  ...rows(
    HYPERCALL_ROUTES,
    [
      [
        'boot.memory-map',
        /^Efi/,
        'as the hypervisor found it when it took over: what it loaded itself lies elsewhere than a kernel would',
        XEN_BOOT,
      ],
      [
        'boot.runtime-map',
        /->/,
        'addresses that nobody uses: the firmware stays in physical mode',
        XEN_BOOT,
      ],
    ],
    ['firmware'],
  ),
  ...rows(HYPERCALL_ROUTES, [
    [
      'boot.system-table-address',
      /^0x/,
      "the table is made of what the hypervisor tells, in the domain's own memory",
      LINUX_DOM0,
    ],
    ['tables.memory-attributes', /^absent$/, GIVEN_AWAY, LINUX_DOM0],
    ['capsules.query-none', /^UNSUPPORTED$/, NO_CAPSULES, XEN_RUNTIME],
    ['capsules.update-none', /^UNSUPPORTED$/, NO_CAPSULES, XEN_RUNTIME],
  ]),
  ...rows(
    HYPERCALL_ROUTES,
    ['null-name', 'null-data', 'set-null-name', 'set-null-data'].map((call) => [
      `variables.${call}`,
      /^UNSUPPORTED$/,
      BAD_POINTER,
      XEN_RUNTIME,
    ]),
  ).map((one): Explanation => ({ ...one, when: ({ runtimeServices }) => runtimeServices })),
  ...rows(
    ['ops', 'efi-call'],
    [
      [
        'boot.runtime-pointer',
        /^0xffffffffffffffff$/,
        'nobody may call through the made-up table: its pointers are all ones',
        LINUX_DOM0,
      ],
    ],
  ),
  ...rows(
    ['systab'],
    [
      [
        'boot.runtime-pointer',
        /^0x/,
        "the table of stubs lies in the domain's own memory",
        'the review of August 2013, second answer',
      ],
    ],
  ),
  ...rows(
    ['ops'],
    [
      ['tables.list', /^(?!.*dcfa911d)/s, GIVEN_AWAY, LINUX_DOM0],
      [
        'tables.addresses',
        /^0x/,
        'without those tables; the others are where the firmware put them',
        LINUX_DOM0,
      ],
    ],
  ),
  ...rows(
    HYPERCALL_ROUTES,
    [
      [
        'tables.esrt',
        /^absent$/,
        "the E820 map does not say that the table's memory is the firmware's",
        XEN_MEMORY,
      ],
    ],
    ['machine'],
  ).map((one): Explanation => ({ ...one, depends: true })),
  ...rows(
    ['systab', 'efi-call'],
    [
      [
        'tables.esrt',
        /^absent$/,
        'unchanged bare-metal steps look the table up in the memory map, which is not there',
        'Linux 6.1, drivers/firmware/efi/esrt.c',
      ],
    ],
    ['absent'],
  ).map((one): Explanation => ({ ...one, depends: true })),
  ...rows(
    ['systab', 'efi-call'],
    [
      [
        'tables.addresses',
        /^0x/,
        'the memory attributes table is allocated when boot services end: behind what the hypervisor allocated, not a kernel',
        'edk2, MdeModulePkg/Core/Dxe/Misc/MemoryAttributesTable.c',
      ],
    ],
  ).map((one): Explanation => ({ ...one, depends: true })),
];

/** The explanations for a choice of memory map and what the hypervisor was told. */
export const explanationsFor = (
  memoryMap: MemoryMapChoice,
  hypervisor: HypervisorOptions,
): readonly Explanation[] =>
  [...EXPLANATIONS, ...SWITCH_EXPLANATIONS].filter(
    ({ memoryMaps, when }) =>
      (memoryMaps?.includes(memoryMap) ?? true) && (when?.(hypervisor) ?? true),
  );
