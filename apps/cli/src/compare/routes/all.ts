/** Every route, on one firmware and one hypervisor. */
import type { Route, RouteName } from '../route.ts';
import { directRoute } from './direct.ts';
import type { ComparedFirmware } from './firmware.ts';
import { opsRoute } from './ops.ts';

type MakeRoute = (firmware: ComparedFirmware, hypervisor: Uint8Array) => Route;

/** How each route is made, bare metal first. */
export const ROUTES: Readonly<Partial<Record<RouteName, MakeRoute>>> = {
  direct: directRoute,
  ops: opsRoute,
};
