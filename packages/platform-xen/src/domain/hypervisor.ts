/** What the domain asks of the hypervisor besides EFI: console, shutdown, memory, time, sleep. */
import type { MachineOutcome } from '@systab/efi-core';
import {
  CONSOLEIO,
  SCHEDOP_shutdown,
  SHUTDOWN,
  XEN_COMMANDLINE_LEN,
  XEN_EXTRAVERSION_LEN,
  XENVER,
} from '../abi/hypercall.ts';
import { e820entry, xen_memory_map, XENMEM_machine_memory_map } from '../abi/memory-op.ts';
import type { E820Entry } from '../abi/memory-op.ts';
import {
  xen_platform_op,
  XENPF,
  xenpf_enter_acpi_sleep,
  XENPF_INTERFACE_VERSION,
  xenpf_settime64,
} from '../abi/platform-op.ts';
import type { Dom0 } from './dom0.ts';
import { mapXen, xenDone, xenOk } from './hypercall.ts';
import type { XenResult } from './hypercall.ts';

const CHUNK = 4096;
const MAX_E820 = 128;
const ACPI_STATE_S5 = 5;
/** Fields of PM1 control (ACPI 6.4, 4.8.3.2.1). */
const PM1_SLEEP_TYPE_SHIFT = 10;
const PM1_SLEEP_ENABLE = 0x2000;

const NO_ROOM = {
  ok: false,
  failure: { kind: 'failed', errno: 'ENOMEM' },
} as const satisfies XenResult<never>;

/** Bytes of the union of a platform_op. */
const UNION_SIZE = xen_platform_op.size() - xen_platform_op.offsetOf('u');

/** Makes a platform_op whose union is `payload`, at a place of the domain's memory; gives the union as it is afterwards. */
export const platformOp = (
  dom0: Dom0,
  cmd: number,
  payload: Uint8Array,
  at: bigint,
): XenResult<Uint8Array> => {
  const u = new Uint8Array(UNION_SIZE);
  u.set(payload);
  const op = { cmd, interface_version: XENPF_INTERFACE_VERSION, u };
  dom0.store(at, xen_platform_op.encode(op));
  return mapXen(xenDone(dom0.hypercall('platform_op', [at])), () =>
    dom0.load(at + BigInt(xen_platform_op.offsetOf('u')), UNION_SIZE),
  );
};

/** A platform_op without buffers of its own. */
export const plainPlatformOp = (
  dom0: Dom0,
  cmd: number,
  payload: Uint8Array,
): XenResult<Uint8Array> => {
  const [at] = dom0.reserveArguments([xen_platform_op.size()]) ?? [];
  return at === undefined ? NO_ROOM : platformOp(dom0, cmd, payload, at);
};

/** Writes to the hypervisor's console. */
export const writeConsole = (dom0: Dom0, text: string): XenResult<void> => {
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length; from += CHUNK) {
    const chunk = bytes.subarray(from, from + CHUNK);
    const [at] = dom0.reserveArguments([chunk.length]) ?? [];
    if (at === undefined) return NO_ROOM;
    dom0.store(at, chunk);
    const done = xenDone(
      dom0.hypercall('console_io', [BigInt(CONSOLEIO.write), BigInt(chunk.length), at]),
    );
    if (!done.ok) return done;
  }
  return xenOk(undefined);
};

/** What was typed on the console and not read yet, at most `most` bytes. */
export const readConsole = (dom0: Dom0, most: number = CHUNK): XenResult<Uint8Array> => {
  const [at] = dom0.reserveArguments([most]) ?? [];
  if (at === undefined) return NO_ROOM;
  const read = xenDone(dom0.hypercall('console_io', [BigInt(CONSOLEIO.read), BigInt(most), at]));
  return mapXen(read, (count) => dom0.load(at, Number(count)));
};

/** Ends the domain, and with it the machine. The value says how; `returned` when the hypervisor refused. */
export const shutDown = (dom0: Dom0, reason: keyof typeof SHUTDOWN): XenResult<MachineOutcome> => {
  const [at] = dom0.reserveArguments([4]) ?? [];
  if (at === undefined) return NO_ROOM;
  dom0.store(at, Uint8Array.of(SHUTDOWN[reason], 0, 0, 0));
  const outcome = dom0.hypercall('sched_op', [BigInt(SCHEDOP_shutdown), at]);
  if (outcome.kind === 'left') return xenOk<MachineOutcome>(outcome.how);
  return mapXen(xenDone(outcome), () => 'returned');
};

const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
};

const versionText = (dom0: Dom0, command: number, size: number): XenResult<string> => {
  const [at] = dom0.reserveArguments([size]) ?? [];
  if (at === undefined) return NO_ROOM;
  const done = xenDone(dom0.hypercall('xen_version', [BigInt(command), at]));
  return mapXen(done, () => text(dom0.load(at, size)));
};

/** The hypervisor's version, as `4.17.0`. */
export const hypervisorVersion = (dom0: Dom0): XenResult<string> => {
  const version = xenDone(dom0.hypercall('xen_version', [BigInt(XENVER.version), 0n]));
  if (!version.ok) return version;
  const extra = versionText(dom0, XENVER.extraversion, XEN_EXTRAVERSION_LEN);
  return mapXen(
    extra,
    (tail) => `${String(version.value >> 16n)}.${String(version.value & 0xffffn)}${tail}`,
  );
};

/** The options the hypervisor runs with. */
export const hypervisorCommandLine = (dom0: Dom0): XenResult<string> =>
  versionText(dom0, XENVER.commandline, XEN_COMMANDLINE_LEN);

/** The machine's memory map, E820 by E820. */
export const machineMemoryMap = (dom0: Dom0): XenResult<readonly E820Entry[]> => {
  const places = dom0.reserveArguments([xen_memory_map.size(), MAX_E820 * e820entry.size()]);
  const [at, buffer] = places ?? [];
  if (at === undefined || buffer === undefined) return NO_ROOM;
  dom0.store(at, xen_memory_map.encode({ nr_entries: MAX_E820, buffer }));
  const done = xenDone(dom0.hypercall('memory_op', [BigInt(XENMEM_machine_memory_map), at]));
  return mapXen(done, () => {
    const map = xen_memory_map.decode(dom0.load(at, xen_memory_map.size()));
    if (!map.ok) throw new Error('xen_memory_map of its own size decodes');
    const count = Math.min(map.value.nr_entries, MAX_E820);
    const bytes = dom0.load(buffer, count * e820entry.size());
    return Array.from({ length: count }, (_, index) => {
      const entry = e820entry.decode(bytes, index * e820entry.size());
      if (!entry.ok) throw new Error('an entry inside its buffer decodes');
      return entry.value;
    });
  });
};

/** Sets the wallclock that domains see: seconds and nanoseconds since 1970, and the system time in nanoseconds they belong to. */
export const setWallclock = (
  dom0: Dom0,
  secs: bigint,
  nsecs: number,
  systemTime: bigint = 0n,
): XenResult<void> => {
  const payload = xenpf_settime64.encode({ secs, nsecs, mbz: 0, system_time: systemTime });
  return mapXen(plainPlatformOp(dom0, XENPF.settime64, payload), () => undefined);
};

/**
 * Switches the machine off by ACPI. `sleepType` is SLP_TYPa, 0 to 7, as the package _S5 of the DSDT has it (ACPI 6.4, 7.4.2); the value
 * written to PM1a control is the domain's to make.
 */
export const enterSoftOff = (dom0: Dom0, sleepType: number): XenResult<MachineOutcome> => {
  const sleep = {
    val_a: (sleepType << PM1_SLEEP_TYPE_SHIFT) | PM1_SLEEP_ENABLE,
    val_b: 0,
    sleep_state: ACPI_STATE_S5,
    flags: 0,
  };
  const done = plainPlatformOp(dom0, XENPF.enter_acpi_sleep, xenpf_enter_acpi_sleep.encode(sleep));
  if (!done.ok && done.failure.kind === 'left') return xenOk<MachineOutcome>(done.failure.how);
  return mapXen(done, () => 'returned');
};
