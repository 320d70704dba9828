import { defineStruct, POINTER, UINT32, UINT64 } from './struct.ts';
import type { Struct } from './struct.ts';

/** EFI_LOADED_IMAGE_PROTOCOL (UEFI 2.10, section 9.1): what the firmware says about an image it loaded. */
export interface LoadedImage {
  readonly revision: number;
  readonly parentHandle: bigint;
  readonly systemTable: bigint;
  readonly deviceHandle: bigint;
  readonly filePath: bigint;
  readonly reserved: bigint;
  /** Bytes. */
  readonly loadOptionsSize: number;
  /** By convention CHAR16: the command line of an operating system. */
  readonly loadOptions: bigint;
  readonly imageBase: bigint;
  /** Bytes. */
  readonly imageSize: bigint;
  readonly imageCodeType: number;
  readonly imageDataType: number;
  readonly unload: bigint;
}

export const EFI_LOADED_IMAGE_PROTOCOL: Struct<LoadedImage> = defineStruct<LoadedImage>(
  'EFI_LOADED_IMAGE_PROTOCOL',
  'UEFI 2.10, 9.1',
  {
    revision: UINT32,
    parentHandle: POINTER,
    systemTable: POINTER,
    deviceHandle: POINTER,
    filePath: POINTER,
    reserved: POINTER,
    loadOptionsSize: UINT32,
    loadOptions: POINTER,
    imageBase: POINTER,
    imageSize: UINT64,
    imageCodeType: UINT32,
    imageDataType: UINT32,
    unload: POINTER,
  },
);
