/** Every route, on one firmware and one hypervisor. */
import type { MemoryMapChoice, Route, RouteName } from '../route.ts';
import { directRoute } from './direct.ts';
import type { ComparedHypervisor } from './dom0.ts';
import { efiCallRoute } from './efi-call.ts';
import type { ComparedFirmware } from './firmware.ts';
import { opsRoute } from './ops.ts';
import { systabRoute } from './systab.ts';

type MakeRoute = (
  firmware: ComparedFirmware,
  hypervisor: ComparedHypervisor,
  memoryMap: MemoryMapChoice,
) => Route;

/** How each route is made. */
export const ROUTES: Readonly<Record<RouteName, MakeRoute>> = {
  direct: directRoute,
  ops: opsRoute,
  systab: systabRoute,
  'efi-call': efiCallRoute,
};
