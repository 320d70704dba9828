/** Why routes differ from bare metal when the hypervisor was told to behave otherwise than by default. */
import type { Explanation } from './explanations.ts';
import type { RouteName } from './route.ts';

const ROUTES: readonly RouteName[] = ['ops', 'systab', 'efi-call'];

const NO_RUNTIME_SERVICES =
  'the hypervisor calls no runtime service (efi=no-rs): -EOPNOTSUPP, and the firmware hears of nothing';
const XEN_RUNTIME = 'Xen 4.17, common/efi/runtime.c, efi_rs_enter';

const BOOT_SERVICES_STAY =
  'boot services were not ended (-noexitboot): variables without runtime access are there, and can be written';
const UEFI_VARIABLES = 'UEFI 2.10, 8.2.3';

export const SWITCH_EXPLANATIONS: readonly Explanation[] = [
  ...(
    [
      ['boot.secure-boot', /^unknown$/],
      [/^(?:time|boot-entries|counter)\./, /^UNSUPPORTED$/],
      [/^variables\./, /^(?:UNSUPPORTED|EINVAL|\nfailed)$/],
    ] as const
  ).map(([operation, value]): Explanation => ({
    operation,
    routes: ROUTES,
    value,
    why: NO_RUNTIME_SERVICES,
    source: XEN_RUNTIME,
    when: ({ runtimeServices }) => !runtimeServices,
  })),
  {
    operation: 'boot.system-table',
    routes: ROUTES,
    value: /^UNKNOWN, /,
    why: 'the hypervisor keeps no name of the firmware where it calls no runtime service: XEN_FW_EFI_VENDOR is -EOPNOTSUPP',
    source: 'Xen 4.17, common/efi/runtime.c, efi_get_info',
    when: ({ runtimeServices }) => !runtimeServices,
  },
  ...(
    [
      ['variables.boot-only', /^SUCCESS$/],
      [/^variables\.list/, /\ncomplete$/],
      ['variables.info', /^\d+ \d+ \d+$/],
    ] as const
  ).map(([operation, value]): Explanation => ({
    operation,
    routes: ROUTES,
    value,
    why: BOOT_SERVICES_STAY,
    source: UEFI_VARIABLES,
    when: ({ keepsBootServices }) => keepsBootServices,
  })),
];
