import {
  bindPlatform,
  char16Buffer,
  createEfi,
  decodeChar16Z,
  EFI_DONE,
  efiFail,
  efiOk,
  EfiStatus,
  efiTime,
  guid,
  physAddr,
  VariableAttribute,
  variableLabel,
  variableNameSize,
} from '@systab/efi-core';
import type {
  BoundPlatform,
  Efi,
  EfiRuntimeOps,
  EfiTime,
  EfiVariable,
  Guid,
  MemoryOps,
  PhysAddr,
  ResetType,
} from '@systab/efi-core';

export const VENDOR: Guid = guid('00112233-4455-6677-8899-aabbccddeeff');
export const NV_BS_RT = 7;
const { APPEND_WRITE, NON_VOLATILE } = VariableAttribute;

/** A firmware in memory: a log-structured variable store of limited size, a clock, an alarm. Tests replace members to make it lie. */
export interface FirmwareDouble {
  readonly services: EfiRuntimeOps;
  readonly variables: Map<string, EfiVariable>;
  /** Name of every service called, in order. */
  readonly calls: string[];
  /** Bytes used that no live variable accounts for. */
  readonly dead: () => number;
  readonly clock: { time: EfiTime; alarm: EfiTime | undefined };
  readonly resets: ResetType[];
}

export interface DoubleOptions {
  /** Bytes of the variable store; default 64 KiB. */
  readonly capacity?: number;
  /** When deleted variables give their space back; default never. */
  readonly reclaim?: 'never' | 'when full';
}

const cost = (name: string, size: number): number => 60 + variableNameSize(name) + size;

export const createDouble = (options: DoubleOptions = {}): FirmwareDouble => {
  const { capacity = 0x1_0000, reclaim = 'never' } = options;
  const variables = new Map<string, EfiVariable>();
  const calls: string[] = [];
  const resets: ResetType[] = [];
  const clock: FirmwareDouble['clock'] = {
    time: efiTime({ year: 2013, month: 8, day: 1, hour: 12, minute: 30, second: 15 }),
    alarm: undefined,
  };
  let used = 0;
  const live = (): number =>
    [...variables.values()]
      .filter(({ attributes }) => (attributes & NON_VOLATILE) !== 0)
      .reduce((sum, { name, data }) => sum + cost(name, data.length), 0);

  const called = <A extends readonly unknown[], R>(
    name: string,
    run: (...args: A) => R,
  ): ((...args: A) => R) => {
    return (...args) => {
      calls.push(name);
      return run(...args);
    };
  };

  const services: EfiRuntimeOps = {
    getTime: called('GetTime', (nullOut = []) =>
      efiOk({
        time: clock.time,
        ...(nullOut.includes('capabilities')
          ? {}
          : { capabilities: { resolution: 1, accuracy: 50_000_000, setsToZero: false } }),
      }),
    ),
    setTime: called('SetTime', (time) => {
      if (time === null) return efiFail(EfiStatus.INVALID_PARAMETER);
      clock.time = time;
      return EFI_DONE;
    }),
    getWakeupTime: called('GetWakeupTime', () =>
      efiOk({
        enabled: clock.alarm !== undefined,
        pending: false,
        time: clock.alarm ?? clock.time,
      }),
    ),
    setWakeupTime: called('SetWakeupTime', (enable, time) => {
      if (enable && time === null) return efiFail(EfiStatus.INVALID_PARAMETER);
      clock.alarm = enable ? (time ?? undefined) : undefined;
      return EFI_DONE;
    }),
    getVariable: called('GetVariable', (name, vendorGuid, dataSize) => {
      if (name === null || vendorGuid === null) return efiFail(EfiStatus.INVALID_PARAMETER);
      const found = variables.get(variableLabel(name, vendorGuid));
      if (found === undefined) return efiFail(EfiStatus.NOT_FOUND);
      return found.data.length > dataSize
        ? efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed: found.data.length })
        : efiOk({ attributes: found.attributes, data: found.data.slice() });
    }),
    getNextVariableName: called('GetNextVariableName', (size, buffer, vendorGuid) => {
      if (size === null || buffer === null || vendorGuid === null) {
        return efiFail(EfiStatus.INVALID_PARAMETER);
      }
      const name = decodeChar16Z(buffer, 0, size);
      if (!name.ok) return efiFail(EfiStatus.INVALID_PARAMETER);
      const all = [...variables.values()];
      const index = all.findIndex(
        (one) => one.name === name.value.text && one.vendorGuid === vendorGuid,
      );
      if (name.value.text !== '' && index === -1) return efiFail(EfiStatus.INVALID_PARAMETER);
      const next = all[index + 1];
      if (next === undefined) return efiFail(EfiStatus.NOT_FOUND);
      const needed = variableNameSize(next.name);
      const variableName = char16Buffer(next.name, size);
      return variableName === undefined
        ? efiFail(EfiStatus.BUFFER_TOO_SMALL, { needed })
        : efiOk({
            variableNameSize: needed,
            variableName,
            vendorGuid: next.vendorGuid,
          });
    }),
    setVariable: called('SetVariable', (name, vendorGuid, attributes, dataSize, data) => {
      if (name === null || name === '' || vendorGuid === null) {
        return efiFail(EfiStatus.INVALID_PARAMETER);
      }
      const key = variableLabel(name, vendorGuid);
      const old = variables.get(key);
      const appends = (attributes & APPEND_WRITE) !== 0;
      if (dataSize === 0 && !appends) {
        return variables.delete(key) ? EFI_DONE : efiFail(EfiStatus.NOT_FOUND);
      }
      const plain = attributes & ~APPEND_WRITE;
      if (old !== undefined && old.attributes !== plain) {
        return efiFail(EfiStatus.INVALID_PARAMETER);
      }
      const bytes = [...(appends ? (old?.data ?? []) : []), ...(data ?? [])];
      const nonVolatile = (plain & NON_VOLATILE) !== 0;
      const wanted = nonVolatile ? cost(name, bytes.length) : 0;
      if (used + wanted > capacity && reclaim === 'when full') used = live();
      if (used + wanted > capacity) return efiFail(EfiStatus.OUT_OF_RESOURCES);
      used += wanted;
      variables.set(key, { name, vendorGuid, attributes: plain, data: Uint8Array.from(bytes) });
      return EFI_DONE;
    }),
    getNextHighMonotonicCount: called('GetNextHighMonotonicCount', () => efiOk(1)),
    resetSystem: called('ResetSystem', (resetType) => {
      resets.push(resetType);
      return efiOk(resetType === 2 ? ('powered off' as const) : ('restarted' as const));
    }),
    updateCapsule: called('UpdateCapsule', () => EFI_DONE),
    queryCapsuleCapabilities: called('QueryCapsuleCapabilities', () =>
      efiOk({ maximumCapsuleSize: 0x100_0000n, resetType: 1 }),
    ),
    queryVariableInfo: called('QueryVariableInfo', () =>
      efiOk({
        maximumVariableStorageSize: BigInt(capacity),
        remainingVariableStorageSize: BigInt(capacity - used),
        maximumVariableSize: BigInt(Math.min(capacity - used, 0x8000)),
      }),
    ),
  };
  return { services, variables, calls, dead: () => used - live(), clock, resets };
};

/** An `efi` object as initialisation leaves it for a UEFI 2.x firmware. */
export const readyEfi = (): Efi => {
  const efi = createEfi();
  efi.runtimeVersion = 0x0002_0046;
  efi.facilities.enable('EFI_RUNTIME_SERVICES', 'the test says so');
  return efi;
};

/** Memory of 4 MiB from address 0 whose pages are handed out once and counted back. */
export const createMemory = (): {
  readonly ops: Partial<MemoryOps>;
  readonly bytes: Uint8Array;
  readonly held: Map<number, number>;
} => {
  const bytes = new Uint8Array(0x40_0000);
  const held = new Map<number, number>();
  let next = 0x1000;
  return {
    bytes,
    held,
    ops: {
      read: (at, length) => efiOk(bytes.slice(at, at + length)),
      write: (at, data) => {
        bytes.set(data, at);
        return EFI_DONE;
      },
      allocatePages: ({ pages }) => {
        const at = physAddr(next) as PhysAddr;
        if (next + pages * 4096 > bytes.length) return efiFail(EfiStatus.OUT_OF_RESOURCES);
        next += pages * 4096;
        held.set(at, pages);
        return efiOk(at);
      },
      freePages: (at) => {
        held.delete(at);
        return EFI_DONE;
      },
    },
  };
};

/** The tables of a platform made of a double, with members replaced. */
export const bindDouble = (
  double: FirmwareDouble,
  lies: Partial<EfiRuntimeOps> = {},
  memory: Partial<MemoryOps> = {},
): BoundPlatform =>
  bindPlatform({
    name: 'double',
    detect: () => 1,
    memory: () => memory,
    runtime: () => ({ ...double.services, ...lies }),
  });
