import { joinBytes } from '../join-bytes.ts';
import { WellKnownGuid } from '../well-known-guids.ts';
import { encodeWorkingBlockHeader } from './fault-tolerant-write.ts';
import {
  EFI_FIRMWARE_VOLUME_HEADER,
  EFI_FV_BLOCK_MAP_ENTRY,
  EFI_FVH_SIGNATURE,
} from './firmware-volume.ts';
import {
  VARIABLE_STORE_FORMATTED,
  VARIABLE_STORE_HEADER,
  VARIABLE_STORE_HEALTHY,
} from './volume.ts';
import type { VariableVolume } from './volume.ts';

/** Sizes of a flash image with a variable store; all multiples of 4 KiB. */
export interface VolumeGeometry {
  /** Bytes for volume header and variable store. */
  readonly variables: number;
  /** Bytes of the event log behind it. */
  readonly eventLog: number;
  /** Bytes of the fault tolerant write working block. */
  readonly working: number;
  /** Bytes of the spare area, at least the sum of the three before. */
  readonly spare: number;
}

/** Layouts of OVMF images (OvmfPkg/Include/Fdf/VarStore.fdf.inc): `4M` for the 4 MB build, `2M` for 1 and 2 MB builds. */
export const VOLUME_GEOMETRY: {
  readonly '2M': VolumeGeometry;
  readonly '4M': VolumeGeometry;
} = Object.freeze({
  '2M': { variables: 0xe000, eventLog: 0x1000, working: 0x1000, spare: 0x1_0000 },
  '4M': { variables: 0x4_0000, eventLog: 0x1000, working: 0x1000, spare: 0x4_2000 },
});

const BLOCK = 0x1000;
// Read and write enabled, sticky write, memory mapped, erased bits are 1: what OVMF's flash volume says of itself.
const ATTRIBUTES = 0x0004_feff;
const REVISION = 2;
const WORKING_HEADER = 32;

const erased = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0xff);

/** An empty, formatted volume for authenticated variables. */
export const blankVariableVolume = (geometry: VolumeGeometry): VariableVolume => {
  const { variables, eventLog, working, spare } = geometry;
  const length = variables + eventLog + working + spare;
  const headerLength = EFI_FIRMWARE_VOLUME_HEADER.size() + 2 * EFI_FV_BLOCK_MAP_ENTRY.size();
  const size = variables - headerLength;
  const header = {
    zeroVector: new Uint8Array(16),
    fileSystemGuid: WellKnownGuid.EFI_SYSTEM_NV_DATA_FV_GUID,
    fvLength: BigInt(length),
    signature: EFI_FVH_SIGNATURE,
    attributes: ATTRIBUTES,
    headerLength,
    checksum: 0,
    extHeaderOffset: 0,
    reserved: 0,
    revision: REVISION,
    blockMap: [{ numBlocks: length / BLOCK, length: BLOCK }],
  };
  return {
    header,
    store: {
      signature: WellKnownGuid.EFI_AUTHENTICATED_VARIABLE_GUID,
      size,
      format: VARIABLE_STORE_FORMATTED,
      state: VARIABLE_STORE_HEALTHY,
      reserved: 0,
      reserved1: 0,
    },
    format: 'authenticated',
    records: [],
    free: erased(size - VARIABLE_STORE_HEADER.size()),
    rest: joinBytes([
      erased(eventLog),
      encodeWorkingBlockHeader(BigInt(working - WORKING_HEADER)),
      erased(working - WORKING_HEADER + spare),
    ]),
  };
};
