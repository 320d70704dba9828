/** What an EFI boot stub leaves for its kernel: the zero page, written to the machine's memory and read from there. */
import { decodeMemoryMap, EFI_PAGE_SIZE, formatDecodeError } from '@systab/efi-core';
import type { PlatformBackend } from '@systab/efi-core';
import {
  bootParamsInitOps,
  decodeBootParams,
  e820FromMemoryMap,
  encodeBootParams,
} from '@systab/efi-init';
import type { E820Entry } from '@systab/efi-init';
import type { Kernel } from '@systab/platform-baremetal';

/** A backend that finds the firmware's tables through the zero page, and the E820 map that stands there; none without firmware. */
export interface HandOver {
  readonly backend: PlatformBackend;
  readonly e820: readonly E820Entry[] | undefined;
}

/** The kernel's page for it. */
const PAGES = 1;

const e820Of = ({ memoryMap, machine }: Kernel): readonly E820Entry[] => {
  if (memoryMap === undefined) return [];
  const bytes = machine.memory.read(memoryMap.address, memoryMap.size);
  const map = decodeMemoryMap(bytes, memoryMap);
  if (!map.ok) throw new Error(formatDecodeError(map.error));
  return e820FromMemoryMap(map.value, { by: 'stub' });
};

/** Writes the zero page and lets `backend` find everything through it. */
export const handOver = (kernel: Kernel, backend: PlatformBackend): HandOver => {
  const { systemTable, memoryMap, width, machine } = kernel;
  const page = kernel.allocate(PAGES);
  if (!page.ok) throw new Error(page.why ?? 'no page for boot_params');
  kernel.write(
    page.value,
    encodeBootParams({
      systemTable: systemTable === undefined ? undefined : { address: systemTable, width },
      memoryMap,
      secureBoot: 'unset',
      e820: e820Of(kernel),
    }),
  );
  const params = decodeBootParams(machine.memory.read(page.value, PAGES * EFI_PAGE_SIZE));
  if (!params.ok) throw new Error(formatDecodeError(params.error));
  const found = bootParamsInitOps(params.value);
  return {
    backend: {
      ...backend,
      init: (lower) => ({ ...backend.init?.(lower), ...found }),
    },
    e820: memoryMap === undefined ? undefined : params.value.e820,
  };
};
