/** Variables of a store file, without firmware: the variable services answer from the file's volume. */
import {
  createStoreServices,
  decodeVariableVolume,
  EFI_TIME,
  encodeVariableVolume,
  findRecord,
  formatDecodeError,
} from '@systab/efi-core';
import { createVariables } from '@systab/efi-runtime';
import { CliError } from '../cli-error.ts';
import type { VariableAccess } from './access.ts';

/** Opens the bytes of a `.fd` file that starts with a variable store. @throws CliError with offset and expectation for any other. */
export const openStore = (path: string, bytes: Uint8Array): VariableAccess => {
  const volume = decodeVariableVolume(bytes);
  if (!volume.ok) throw new CliError(path, formatDecodeError(volume.error));
  const store = createStoreServices(volume.value);
  return {
    source: path,
    // The reserve protects firmware that dies of a full store while it runs; a file is reclaimed when it is written.
    variables: createVariables(store.services, { storageParanoia: false }),
    timeStamp: ({ name, vendorGuid }) => {
      const stamp = findRecord(store.volume(), name, vendorGuid)?.timeStamp;
      return stamp !== undefined && EFI_TIME.encode(stamp).some((byte) => byte !== 0)
        ? stamp
        : undefined;
    },
    image: () => encodeVariableVolume(store.volume()),
  };
};
