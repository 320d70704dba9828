// ACPI CPU hotplug registers at 0xaf00. Datasheet: QEMU docs/specs/acpi_cpu_hotplug. All processors are present from
// power-on and none is ever plugged or removed.

import type { StateObject, IoHandler, PortRange } from './ops.ts';

const CPU_HOTPLUG_BASE = 0xaf00;
const LENGTH = 12;

const CPU_SELECTOR = 0;
const CPU_STATUS = 4;
const COMMAND = 5;
const COMMAND_DATA = 8;

const CPU_ENABLED = 0x01;
const GET_NEXT_WITH_EVENT = 0;
const GET_ARCHITECTURE_ID = 3;

export type CpuHotplugState = StateObject & {
  readonly modern: number;
  readonly selector: number;
  readonly command: number;
};

export interface CpuHotplug {
  readonly portRanges: readonly PortRange[];
  readonly reset: () => void;
  readonly save: () => CpuHotplugState;
  readonly load: (state: CpuHotplugState) => void;
}

/** `cpus` processors with APIC ids 0 to `cpus - 1`. */
export const createCpuHotplug = (cpus: number): CpuHotplug => {
  /** The block starts as a bitmap of present processors; a write of 0 to it switches to the register interface. */
  let modern = false;
  let selector = 0;
  let command = 0;

  const bitmap = (byte: number): number => {
    let bits = 0;
    for (let i = 0; i < 8; i++) if (byte * 8 + i < cpus) bits |= 1 << i;
    return bits;
  };
  const data = (): number =>
    selector < cpus && (command === GET_NEXT_WITH_EVENT || command === GET_ARCHITECTURE_ID)
      ? selector
      : 0;

  const handler: IoHandler = {
    read: (offset, size) => {
      if (!modern) {
        let value = 0;
        for (let i = size - 1; i >= 0; i--) value = value * 256 + bitmap(offset + i);
        return value;
      }
      if (offset === CPU_STATUS) return selector < cpus ? CPU_ENABLED : 0;
      return offset === COMMAND_DATA ? data() : 0;
    },
    write: (offset, size, value) => {
      if (!modern) {
        modern = offset === CPU_SELECTOR && value === 0;
        return;
      }
      if (offset === CPU_SELECTOR && size === 4) selector = value;
      else if (offset === COMMAND && selector < cpus) command = value & 0xff;
    },
  };
  return {
    portRanges: [
      { name: 'CPU hotplug', first: CPU_HOTPLUG_BASE, count: LENGTH, maxSize: 4, handler },
    ],
    reset: () => {
      modern = false;
      selector = command = 0;
    },
    save: () => ({ modern: Number(modern), selector, command }),
    load: (state) => {
      modern = state.modern !== 0;
      ({ selector, command } = state);
    },
  };
};
