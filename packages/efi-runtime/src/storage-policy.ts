import {
  EFI_DONE,
  efiFail,
  EfiStatus,
  mapResult,
  VariableAttribute,
  WellKnownGuid,
} from '@systab/efi-core';
import type { EfiResult, EfiRuntimeOps, VariableAttributes } from '@systab/efi-core';

/**
 * Bytes that a write must leave free in the variable store. Notebooks of 2013 never started again once their store
 * was about half full; the figure came from their manufacturer.
 */
export const EFI_MIN_RESERVE = 5120n;

/** Largest variable to try where the firmware cannot say how much room there is. */
export const UNKNOWN_SPACE_LIMIT = 65_536n;

/** Name of the variable that provokes a reclaim; its GUID is `WellKnownGuid.LINUX_EFI_DUMMY_GUID`. */
export const DUMMY_NAME = 'DUMMY';

const { NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS } = VariableAttribute;
const DUMMY_ATTRIBUTES = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS;
/** What the dummy asks for beyond all that is left. */
const DUMMY_EXCESS = 1024n;
/** No variable store is larger; a firmware that claims more than this free is not asked to fill it. */
const DUMMY_LIMIT = 0x400_0000n;

type StoreServices = Pick<EfiRuntimeOps, 'setVariable' | 'queryVariableInfo'>;

/** Removes the dummy variable, in case an earlier boot died between creating and deleting it. */
export const deleteDummyVariable = (services: StoreServices): EfiResult<void> =>
  services.setVariable(DUMMY_NAME, WellKnownGuid.LINUX_EFI_DUMMY_GUID, DUMMY_ATTRIBUTES, 0, null);

const remaining = (services: StoreServices, attributes: VariableAttributes): EfiResult<bigint> =>
  mapResult(
    services.queryVariableInfo(attributes),
    ({ remainingVariableStorageSize }) => remainingVariableStorageSize,
  );

/**
 * Less than the reserve would be left. A write larger than all that is left passes: the firmware must refuse it, or
 * reclaim, by itself (Linux comes to the same with unsigned arithmetic).
 */
const breaksReserve = (left: bigint, size: bigint): boolean =>
  size <= left && left - size < EFI_MIN_RESERVE;

/**
 * Whether a write of `size` bytes, name included, may be tried. When it would eat into the reserve, the firmware is first made
 * to reclaim deleted variables by a write that cannot fit; some reclaim in no other case.
 */
export const checkVariableSpace = (
  services: StoreServices,
  attributes: VariableAttributes,
  size: bigint,
  paranoia: boolean,
): EfiResult<void> => {
  if ((attributes & NON_VOLATILE) === 0) return EFI_DONE;
  const before = remaining(services, attributes);
  if (!before.ok) {
    if (before.status !== EfiStatus.UNSUPPORTED) return before;
    return size <= UNKNOWN_SPACE_LIMIT
      ? EFI_DONE
      : efiFail(EfiStatus.OUT_OF_RESOURCES, {
          why: 'more than 64 KiB into a store of unknown size',
        });
  }
  if (!paranoia || !breaksReserve(before.value, size)) return EFI_DONE;
  const dummySize = before.value + DUMMY_EXCESS;
  if (dummySize <= DUMMY_LIMIT) {
    const bytes = new Uint8Array(Number(dummySize));
    const vendorGuid = WellKnownGuid.LINUX_EFI_DUMMY_GUID;
    const tried = services.setVariable(
      DUMMY_NAME,
      vendorGuid,
      DUMMY_ATTRIBUTES,
      bytes.length,
      bytes,
    );
    if (tried.ok) deleteDummyVariable(services);
  }
  const after = remaining(services, attributes);
  if (!after.ok) return after;
  return breaksReserve(after.value, size)
    ? efiFail(EfiStatus.OUT_OF_RESOURCES, {
        why: `less than ${String(EFI_MIN_RESERVE)} bytes of the variable store would be left`,
      })
    : EFI_DONE;
};
