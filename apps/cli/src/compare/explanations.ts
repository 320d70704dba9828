/**
 * Why a route may differ from bare metal. Data: each entry names the operation, the routes, what they give, the reason and its
 * source. A difference without an entry is unexplained; an entry that explains nothing is stale.
 */
import type { RouteName } from './route.ts';

export interface Explanation {
  /** Id of the operation. */
  readonly operation: string;
  readonly routes: readonly RouteName[];
  /** What the routes give. */
  readonly value: RegExp;
  readonly why: string;
  /** Section of a specification, header or source file that says so. */
  readonly source: string;
}

const HYPERCALL_ROUTES: readonly RouteName[] = ['ops', 'systab', 'efi-call'];

const LINUX_DOM0 = 'Linux 6.1, arch/x86/xen/efi.c';
const XEN_BOOT = 'Xen 4.17, common/efi/boot.c';
const XEN_RUNTIME = 'Xen 4.17, common/efi/runtime.c';

/** NULL pointers that only the hypervisor can notice. */
const BAD_POINTER =
  'the hypervisor reads the argument, not the firmware: -EFAULT, for which there is no EFI status';

const rows = (
  routes: readonly RouteName[],
  list: readonly (readonly [operation: string, value: RegExp, why: string, source: string])[],
): readonly Explanation[] =>
  list.map(([operation, value, why, source]) => ({ operation, routes, value, why, source }));

export const EXPLANATIONS: readonly Explanation[] = [
  ...rows(
    ['ops'],
    [
      [
        'boot.facilities',
        /^EFI_BOOT EFI_CONFIG_TABLES EFI_RUNTIME_SERVICES EFI_64BIT$/,
        'no memory map reaches the domain, so neither EFI_MEMMAP nor EFI_MEM_ATTR',
        LINUX_DOM0,
      ],
      [
        'boot.system-table-address',
        /^0x/,
        "the table is made of what the hypervisor tells, in the domain's own memory",
        LINUX_DOM0,
      ],
      [
        'boot.runtime-pointer',
        /^0xffffffffffffffff$/,
        'nobody may call through the made-up table: its pointers are all ones',
        LINUX_DOM0,
      ],
      ['boot.memory-map', /^absent$/, 'the hypervisor owns the map', LINUX_DOM0],
      [
        'boot.runtime-map',
        /^absent$/,
        'the firmware stays in physical mode: SetVirtualAddressMap is compiled out',
        XEN_BOOT,
      ],
      [
        'tables.list',
        /^(?!.*dcfa911d)/s,
        "what lies in boot services memory, the memory attributes table among it, is the hypervisor's to give away",
        LINUX_DOM0,
      ],
      [
        'tables.addresses',
        /^0x/,
        'without those tables; the others are where the firmware put them',
        LINUX_DOM0,
      ],
      ['tables.memory-attributes', /^absent$/, 'its table cannot be used', LINUX_DOM0],
      ['variables.null-name', /^UNSUPPORTED$/, BAD_POINTER, XEN_RUNTIME],
      ['variables.null-data', /^UNSUPPORTED$/, BAD_POINTER, XEN_RUNTIME],
      ['variables.set-null-name', /^UNSUPPORTED$/, BAD_POINTER, XEN_RUNTIME],
      ['variables.set-null-data', /^UNSUPPORTED$/, BAD_POINTER, XEN_RUNTIME],
    ],
  ),
  ...rows(HYPERCALL_ROUTES, [
    [
      'capsules.query-none',
      /^UNSUPPORTED$/,
      'capsules are not passed on: -ENOSYS before anything is looked at',
      XEN_RUNTIME,
    ],
    [
      'capsules.update-none',
      /^UNSUPPORTED$/,
      'capsules are not passed on: -ENOSYS before anything is looked at',
      XEN_RUNTIME,
    ],
  ]),
];
