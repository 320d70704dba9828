// The ABI from the guest's side, at the level of structures and error numbers: the embedded hypervisor and unmodified Xen 4.17 answer
// the same to good and to bad input.
import { EFI_TIME, EfiStatus, encodeChar16Z, guid } from '@systab/efi-core';
import { callGuest } from '@systab/x86-emu';
import { describe, expect, it, vi } from 'vitest';
import { xenErrno } from '../src/abi/hypercall.ts';
import {
  XEN_EFI,
  xen_efi_get_time,
  xen_efi_next_variable_name,
  xen_efi_variable,
  xen_efi_variable_info,
  XEN_FW_EFI,
  xen_fw_config_table,
  xen_fw_mem_info,
  xen_fw_vendor,
  xen_platform_op,
  XENPF,
  XENPF_INTERFACE_VERSION,
  xenpf_efi_runtime_call,
  xenpf_enter_acpi_sleep,
} from '../src/abi/platform-op.ts';
import type { XenEfiFunction } from '../src/abi/platform-op.ts';
import { shared_wallclock, SHARED_WALLCLOCK_OFFSET } from '../src/abi/start-info.ts';
import type { Dom0, HypercallOutcome } from '../src/index.ts';
import { DOM0_LAYOUT, machineMemoryMap, writeConsole } from '../src/index.ts';
import { embeddedDom0, freshDom0, HYPERVISORS } from './dom0-run.ts';

// OVMF and Xen boot, with other work on the machine.
vi.setConfig({ testTimeout: 180_000 });

const VENDOR = guid('12345678-1234-1234-1234-123456789abc');
const NV_BS_RT = 7;
const U = xen_platform_op.offsetOf('u');
const PART = U + xenpf_efi_runtime_call.size();
/** Below everything that is mapped, in the hypervisor's part, and not canonical. */
const BAD_POINTERS = [0n, 0x1000n, 0xffff_8300_0000_0000n, 0x8000_0000_0000_0000n];

const place = (dom0: Dom0, ...sizes: number[]): readonly bigint[] => {
  const places = dom0.reserveArguments(sizes);
  if (places === undefined) throw new Error('no room');
  return places;
};

/** A platform_op as bytes; `u` at its offset. */
const envelope = (cmd: number, u: Uint8Array, version = XENPF_INTERFACE_VERSION): Uint8Array => {
  const bytes = new Uint8Array(xen_platform_op.size());
  const view = new DataView(bytes.buffer);
  view.setUint32(0, cmd, true);
  view.setUint32(4, version, true);
  bytes.set(u, U);
  return bytes;
};

const runtimeCall = (
  name: XenEfiFunction | number,
  misc: number,
  part?: Uint8Array,
): Uint8Array => {
  const bytes = new Uint8Array(128);
  const number = typeof name === 'number' ? name : XEN_EFI[name];
  bytes.set(xenpf_efi_runtime_call.encode({ function: number, misc, status: 0n }));
  bytes.set(part ?? new Uint8Array(), xenpf_efi_runtime_call.size());
  return envelope(XENPF.efi_runtime_call, bytes);
};

const firmwareInfo = (
  type: number,
  index: number,
  part: Uint8Array = new Uint8Array(),
): Uint8Array => {
  const bytes = new Uint8Array(40);
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setUint32(4, index, true);
  bytes.set(part, 8);
  return envelope(XENPF.firmware_info, bytes);
};

interface Answer {
  readonly outcome: HypercallOutcome;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Makes a platform_op at a place of its own. */
const platformOp = (dom0: Dom0, bytes: Uint8Array, at: bigint): Answer => {
  dom0.store(at, bytes);
  const outcome = dom0.hypercall('platform_op', [at]);
  return { outcome, before: bytes, after: dom0.load(at, bytes.length) };
};

const simple = (dom0: Dom0, bytes: Uint8Array): Answer =>
  platformOp(dom0, bytes, place(dom0, bytes.length)[0] ?? 0n);

/** The error, and whether the structure was written to all the same. */
const refusal = ({ outcome, before, after }: Answer): string => {
  if (outcome.kind !== 'failed') return outcome.kind;
  const same = after.every((byte, at) => byte === before[at]);
  return same ? `-${outcome.errno}` : `-${outcome.errno}, but written to`;
};

const head = ({ after }: Answer): { readonly misc: number; readonly status: bigint } => {
  const decoded = xenpf_efi_runtime_call.decode(after, U);
  if (!decoded.ok) throw new Error('short');
  return decoded.value;
};

/** A GetVariable with everything but the name's contents free. */
const variableCall = (
  dom0: Dom0,
  what: 'get_variable' | 'set_variable',
  options: {
    readonly name?: string | bigint;
    readonly size?: number;
    readonly data?: Uint8Array | bigint;
    readonly misc?: number;
  },
): Answer & { readonly data: () => Uint8Array; readonly size: bigint } => {
  const { name = 'Test', size = 16, data = new Uint8Array(size), misc = 0 } = options;
  const text = typeof name === 'string' ? encodeChar16Z(name) : new Uint8Array(2);
  const buffer = typeof data === 'bigint' ? new Uint8Array(2) : data;
  const [at = 0n, nameAt = 0n, dataAt = 0n] = place(
    dom0,
    xen_platform_op.size(),
    text.length,
    Math.max(buffer.length, typeof data === 'bigint' ? 0 : size),
  );
  dom0.store(nameAt, text);
  dom0.store(dataAt, buffer);
  const part = xen_efi_variable.encode({
    name: typeof name === 'bigint' ? name : nameAt,
    size: BigInt(size),
    data: typeof data === 'bigint' ? data : dataAt,
    vendor_guid: VENDOR,
  });
  const answer = platformOp(dom0, runtimeCall(what, misc, part), at);
  const left = xen_efi_variable.decode(answer.after, PART);
  if (!left.ok) throw new Error('short');
  return { ...answer, data: () => dom0.load(dataAt, size), size: left.value.size };
};

const set = (dom0: Dom0, name: string, data: Uint8Array): void => {
  const answer = variableCall(dom0, 'set_variable', {
    name,
    data,
    size: data.length,
    misc: NV_BS_RT,
  });
  expect(answer.outcome.kind).toBe('returned');
  expect(head(answer).status).toBe(EfiStatus.SUCCESS);
};

describe('layouts (Xen 4.17, public/platform.h)', () => {
  it('has the offsets of the header files', () => {
    expect(xen_platform_op.size()).toBe(136);
    expect([xenpf_efi_runtime_call.size(), PART]).toEqual([16, 24]);
    const offsets = (layout: readonly { field: string; offset: number }[]): object =>
      Object.fromEntries(layout.map(({ field, offset }) => [field, PART + offset]));
    expect(offsets(xen_efi_get_time.layout())).toEqual({ time: 24, resolution: 40, accuracy: 44 });
    expect(offsets(xen_efi_variable.layout())).toEqual({
      name: 24,
      size: 32,
      data: 40,
      vendor_guid: 48,
    });
    expect(offsets(xen_efi_next_variable_name.layout())).toEqual({
      size: 24,
      name: 32,
      vendor_guid: 40,
    });
    expect(offsets(xen_efi_variable_info.layout())).toEqual({
      attr: 24,
      max_store_size: 32,
      remain_store_size: 40,
      max_size: 48,
    });
    const info = (layout: readonly { field: string; offset: number }[]): object =>
      Object.fromEntries(layout.map(({ field, offset }) => [field, 16 + offset]));
    expect(info(xen_fw_config_table.layout())).toEqual({ addr: 16, nent: 24 });
    expect(info(xen_fw_vendor.layout())).toEqual({ revision: 16, bufsz: 20, name: 24 });
    expect(info(xen_fw_mem_info.layout())).toEqual({ addr: 16, size: 24, attr: 32, type: 40 });
  });

  it('knows errors by their names, values by their sign', () => {
    expect(xenErrno(0n)).toBeUndefined();
    expect(xenErrno(0x40011n)).toBeUndefined();
    expect(xenErrno(BigInt.asUintN(64, -14n))).toBe('EFAULT');
    expect(xenErrno(BigInt.asUintN(64, -77n))).toBe('77');
    expect(xenErrno(BigInt.asUintN(64, -5000n))).toBeUndefined();
  });
});

describe.each(HYPERVISORS)('entry state on %s', (name) => {
  it('is that of a privileged PV domain', (context) => {
    const { dom0, pc } = freshDom0(context, name);
    const { startInfo } = dom0;
    expect(startInfo.flags & 3).toBe(3);
    expect(startInfo.cmd_line.replace(/\0.*$/su, '')).toBe('from a section');
    expect(pc.machine.readRegister('cs')).toBe(0xe033n);
    expect(pc.machine.readRegister('ss')).toBe(0xe02bn);
    expect(pc.machine.readRegister('rflags') & 0x3_f600n).toBe(0x200n);
    const { pt_base: tables, nr_pt_frames: count, mfn_list: list } = startInfo;
    expect(pc.machine.readRegister('rsp')).toBe(tables + (count + 1n) * 0x1000n);
    // The frame list, the page tables and the machine agree on where the domain is.
    const frame = (pfn: bigint): bigint =>
      new DataView(dom0.load(list + pfn * 8n, 8).buffer).getBigUint64(0, true);
    for (const pfn of [0n, 5n, (tables - 0x40_0000_0000n) >> 12n]) {
      const machine = pc.machine.physicalAddress(0x40_0000_0000n + (pfn << 12n));
      expect(BigInt(machine ?? -1)).toBe(frame(pfn) << 12n);
    }
    const table = pc.machine.physicalAddress(tables);
    expect(BigInt(table ?? -1)).toBe(pc.machine.readRegister('cr3') & ~0xfffn);
  });

  it('has a hypercall page of stubs', (context) => {
    const { dom0 } = freshDom0(context, name);
    const stub = dom0.load(DOM0_LAYOUT.hypercallPage + 7n * 32n, 14);
    expect([...stub]).toEqual([
      0x51, 0x41, 0x53, 0xb8, 7, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3,
    ]);
    const iret = dom0.load(DOM0_LAYOUT.hypercallPage + 23n * 32n, 11);
    expect([...iret]).toEqual([0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05]);
  });
});

describe.each(HYPERVISORS)('platform_op on %s', (name) => {
  it('refuses what is not there, then another version, then unknown commands', (context) => {
    const { dom0 } = freshDom0(context, name);
    for (const pointer of BAD_POINTERS)
      expect(dom0.hypercall('platform_op', [pointer])).toEqual({ kind: 'failed', errno: 'EFAULT' });
    const old = envelope(XENPF.firmware_info, new Uint8Array(), 0x0300_0000);
    expect(refusal(simple(dom0, old))).toBe('-EACCES');
    expect(refusal(simple(dom0, envelope(0x7777, new Uint8Array())))).toBe('-ENOSYS');
    expect(refusal(simple(dom0, runtimeCall(99, 0)))).toBe('-ENOSYS');
  });

  it('asks for no misc where a function has none, and copies nothing back then', (context) => {
    const { dom0 } = freshDom0(context, name);
    const functions: readonly XenEfiFunction[] = [
      'get_time',
      'set_time',
      'get_wakeup_time',
      'get_next_high_monotonic_count',
      'query_capsule_capabilities',
      'update_capsule',
    ];
    for (const one of functions) expect(refusal(simple(dom0, runtimeCall(one, 1)))).toBe('-EINVAL');
    expect(refusal(simple(dom0, runtimeCall('set_wakeup_time', 4)))).toBe('-EINVAL');
    expect(refusal(simple(dom0, runtimeCall('query_variable_info', 2)))).toBe('-EINVAL');
    expect(refusal(variableCall(dom0, 'get_variable', { misc: 1 }))).toBe('-EINVAL');
  });

  it('gives the time, and the firmware’s errors as a status', (context) => {
    const { dom0 } = freshDom0(context, name);
    const answer = simple(dom0, runtimeCall('get_time', 0));
    expect(answer.outcome).toEqual({ kind: 'returned', value: 0n });
    expect(head(answer)).toMatchObject({ misc: 0, status: EfiStatus.SUCCESS });
    const time = xen_efi_get_time.decode(answer.after, PART);
    expect(time.ok && time.value.time.year).toBe(2024);
    expect(time.ok && time.value.resolution).toBe(1);
    const bad = simple(dom0, runtimeCall('set_time', 0, new Uint8Array(EFI_TIME.size())));
    expect(bad.outcome.kind).toBe('returned');
    expect(head(bad).status).toBe(EfiStatus.INVALID_PARAMETER);
    const count = simple(dom0, runtimeCall('get_next_high_monotonic_count', 0));
    expect(head(count)).toMatchObject({ misc: 2, status: EfiStatus.SUCCESS });
  });

  it('has no capsules', (context) => {
    const { dom0 } = freshDom0(context, name);
    expect(refusal(simple(dom0, runtimeCall('query_capsule_capabilities', 0)))).toBe('-ENOSYS');
    expect(refusal(simple(dom0, runtimeCall('update_capsule', 0)))).toBe('-ENOSYS');
  });

  it('writes, reads and deletes variables; sizes come back with errors too', (context) => {
    const { dom0 } = freshDom0(context, name);
    const data = Uint8Array.of(1, 2, 3, 4, 5);
    set(dom0, 'Test', data);
    const full = variableCall(dom0, 'get_variable', { size: 16, data: new Uint8Array(16).fill(9) });
    expect(head(full)).toMatchObject({ misc: NV_BS_RT, status: EfiStatus.SUCCESS });
    expect(full.size).toBe(5n);
    expect([...full.data()]).toEqual([1, 2, 3, 4, 5, ...Array.from({ length: 11 }, () => 9)]);
    const short = variableCall(dom0, 'get_variable', { size: 2, data: Uint8Array.of(9, 9) });
    expect(head(short).status).toBe(EfiStatus.BUFFER_TOO_SMALL);
    expect(short.size).toBe(5n);
    expect([...short.data()]).toEqual([9, 9]);
    const none = variableCall(dom0, 'get_variable', { size: 0, data: 0n });
    expect(head(none).status).toBe(EfiStatus.BUFFER_TOO_SMALL);
    expect(none.size).toBe(5n);
    const gone = variableCall(dom0, 'set_variable', { size: 0, data: 0n, misc: NV_BS_RT });
    expect(head(gone).status).toBe(EfiStatus.SUCCESS);
    const missing = variableCall(dom0, 'get_variable', {});
    expect(head(missing).status).toBe(EfiStatus.NOT_FOUND);
    expect(missing.outcome).toEqual({ kind: 'returned', value: 0n });
  });

  it('checks every pointer of a variable', (context) => {
    const { dom0 } = freshDom0(context, name);
    set(dom0, 'Test', Uint8Array.of(1));
    for (const pointer of BAD_POINTERS) {
      expect(refusal(variableCall(dom0, 'get_variable', { name: pointer }))).toBe('-EFAULT');
      expect(refusal(variableCall(dom0, 'set_variable', { name: pointer, misc: 7 }))).toBe(
        '-EFAULT',
      );
      expect(refusal(variableCall(dom0, 'get_variable', { data: pointer }))).toBe('-EFAULT');
      expect(refusal(variableCall(dom0, 'set_variable', { data: pointer, misc: 7 }))).toBe(
        '-EFAULT',
      );
    }
    // What was refused was not written.
    expect(variableCall(dom0, 'get_variable', {}).size).toBe(1n);
  });

  it('takes a name without an end for a bad pointer, and has no memory for giants', (context) => {
    const { dom0 } = freshDom0(context, name);
    // Non-zero up to the last page that is mapped.
    const { pt_base: tables, nr_pt_frames: count } = dom0.startInfo;
    const stackEnd = tables + (count + 1n) * 0x1000n;
    let end = stackEnd;
    while (dom0.read(end, 1) !== undefined) end += 0x1000n;
    expect(end).toBe(0x40_0080_0000n);
    dom0.store(end - 0x1000n, new Uint8Array(0x1000).fill(0x41));
    expect(refusal(variableCall(dom0, 'get_variable', { name: end - 0x800n }))).toBe('-EFAULT');
    expect(refusal(variableCall(dom0, 'get_variable', { size: 2 ** 40, data: end - 8n }))).toBe(
      '-ENOMEM',
    );
    expect(
      refusal(variableCall(dom0, 'set_variable', { size: 2 ** 40, data: end - 8n, misc: 7 })),
    ).toBe('-ENOMEM');
  });

  it('walks names with the caller’s size, whatever the firmware says', (context) => {
    const { dom0 } = freshDom0(context, name);
    const next = (size: number, handle?: bigint): Answer & { readonly text: () => Uint8Array } => {
      const [at = 0n, buffer = 0n] = place(dom0, 136, 256);
      dom0.store(buffer, new Uint8Array(256).fill(0xee));
      dom0.store(buffer, new Uint8Array(2));
      const part = xen_efi_next_variable_name.encode({
        size: BigInt(size),
        name: handle ?? buffer,
        vendor_guid: VENDOR,
      });
      const answer = platformOp(dom0, runtimeCall('get_next_variable_name', 0, part), at);
      return { ...answer, text: () => dom0.load(buffer, 256) };
    };
    const first = next(128);
    expect(head(first).status).toBe(EfiStatus.SUCCESS);
    const left = xen_efi_next_variable_name.decode(first.after, PART);
    expect(left.ok && left.value.size).toBeLessThan(64n);
    expect(left.ok && left.value.vendor_guid).not.toBe(VENDOR);
    // Copied back as a whole buffer; what is behind it is nobody's business.
    expect([...first.text().subarray(126, 130)]).toEqual([0xee, 0xee, 0xee, 0xee]);
    const short = next(2);
    expect(head(short).status).toBe(EfiStatus.BUFFER_TOO_SMALL);
    const needed = xen_efi_next_variable_name.decode(short.after, PART);
    expect(needed.ok && needed.value.size).toBeGreaterThan(2n);
    expect(refusal(next(64, 0n))).toBe('-EFAULT');
  });

  it('asks the firmware about space, or remembers what it said at boot', (context) => {
    const { dom0 } = freshDom0(context, name);
    const query = (attr: number, misc: number): Answer => {
      const part = { attr, max_store_size: 0n, remain_store_size: 0n, max_size: 0n };
      return simple(
        dom0,
        runtimeCall('query_variable_info', misc, xen_efi_variable_info.encode(part)),
      );
    };
    const remaining = (answer: Answer): bigint => {
      expect(head(answer).status).toBe(EfiStatus.SUCCESS);
      const decoded = xen_efi_variable_info.decode(answer.after, PART);
      return decoded.ok ? decoded.value.remain_store_size : -1n;
    };
    const atBoot = remaining(query(NV_BS_RT, 1));
    set(dom0, 'Test', new Uint8Array(1000));
    expect(remaining(query(NV_BS_RT, 1))).toBe(atBoot);
    expect(remaining(query(NV_BS_RT | 0x40, 1))).toBe(atBoot);
    expect(remaining(query(NV_BS_RT, 0))).toBeLessThan(atBoot - 999n);
    expect(refusal(query(3, 1))).toBe('-EINVAL');
  });
});

describe.each(HYPERVISORS)('firmware_info on %s', (name) => {
  it('answers by index, with errors for what is not there', (context) => {
    const { dom0 } = freshDom0(context, name);
    const version = simple(dom0, firmwareInfo(4, XEN_FW_EFI.VERSION));
    const runtime = simple(dom0, firmwareInfo(4, XEN_FW_EFI.RT_VERSION));
    const word = ({ after }: Answer): number => new DataView(after.buffer).getUint32(16, true);
    expect(word(version) >>> 16).toBe(2);
    expect(word(runtime)).toBe(word(version));
    expect(refusal(simple(dom0, firmwareInfo(4, 7)))).toBe('-EINVAL');
    expect(refusal(simple(dom0, firmwareInfo(6, 0)))).toBe('-EINVAL');
    expect(refusal(simple(dom0, firmwareInfo(4, XEN_FW_EFI.PCI_ROM)))).toBe('-ESRCH');
    expect(refusal(simple(dom0, firmwareInfo(4, XEN_FW_EFI.APPLE_PROPERTIES)))).toBe('-ENODATA');
    expect(refusal(simple(dom0, firmwareInfo(1, 0)))).toBe('-ESRCH');
  });

  it('cuts the vendor without a mark, and checks where it goes', (context) => {
    const { dom0 } = freshDom0(context, name);
    const [at = 0n, text = 0n] = place(dom0, 136, 64);
    dom0.store(text, new Uint8Array(64).fill(0xee));
    const request = (bufsz: number, handle: bigint): Answer =>
      platformOp(
        dom0,
        firmwareInfo(
          4,
          XEN_FW_EFI.VENDOR,
          xen_fw_vendor.encode({ revision: 0, bufsz, name: handle }),
        ),
        at,
      );
    expect(request(6, text).outcome.kind).toBe('returned');
    const cut = dom0.load(text, 8);
    expect(cut[0]).toBeGreaterThan(0x40);
    expect([cut[6], cut[7]]).toEqual([0xee, 0xee]);
    expect(refusal(request(32, 0n))).toBe('-EFAULT');
  });

  it('trims a range to its descriptor', (context) => {
    const { dom0 } = freshDom0(context, name);
    const ask = (addr: bigint, size: bigint): Answer =>
      simple(
        dom0,
        firmwareInfo(
          4,
          XEN_FW_EFI.MEM_INFO,
          xen_fw_mem_info.encode({ addr, size, attr: 0n, type: 0 }),
        ),
      );
    const info = (answer: Answer): { size: bigint; attr: bigint; type: number; addr: bigint } => {
      const decoded = xen_fw_mem_info.decode(answer.after, 16);
      if (!decoded.ok) throw new Error('short');
      return decoded.value;
    };
    const inside = info(ask(0x1_0000n, 0x10n));
    expect(inside).toMatchObject({ addr: 0x1_0000n, size: 0x10n, attr: 0xfn });
    const trimmed = info(ask(0x1_0000n, 0xffff_ffff_ffff_0000n));
    expect(trimmed.size).toBeGreaterThan(0x1000n);
    expect(trimmed.size % 0x1000n).toBe(0n);
    expect(refusal(ask(0x40_0000_0000n, 1n))).toBe('-ESRCH');
  });
});

describe.each(HYPERVISORS)('memory, console and the rest on %s', (name) => {
  it('shows the machine’s memory map, to who has room for it', (context) => {
    const { dom0 } = freshDom0(context, name);
    expect(dom0.hypercall('memory_op', [9n, place(dom0, 16)[0] ?? 0n])).toEqual({
      kind: 'failed',
      errno: 'ENOSYS',
    });
    const map = machineMemoryMap(dom0);
    if (!map.ok) throw new Error('no map');
    const { value } = map;
    expect(value[0]).toEqual({ addr: 0n, size: 0xa_0000n, type: 1 });
    for (const [index, { addr, size }] of value.entries())
      expect(addr + size).toBeLessThanOrEqual(value[index + 1]?.addr ?? 2n ** 64n);
    // What interrupt controllers keep from the domain.
    expect(value).toContainEqual({ addr: 0xfec0_0000n, size: 0x1000n, type: 2 });
    expect(value).toContainEqual({ addr: 0xfee0_0000n, size: 0x10_0000n, type: 2 });
    const ask = (entries: number, buffer: bigint): { outcome: HypercallOutcome; count: number } => {
      const [at = 0n, own = 0n] = place(dom0, 16, 20 * 128);
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setUint32(0, entries, true);
      new DataView(bytes.buffer).setBigUint64(8, buffer === 1n ? own : buffer, true);
      dom0.store(at, bytes);
      const outcome = dom0.hypercall('memory_op', [10n, at]);
      return { outcome, count: new DataView(dom0.load(at, 16).buffer).getUint32(0, true) };
    };
    expect(ask(128, 0n)).toEqual({
      outcome: { kind: 'returned', value: 0n },
      count: value.length,
    });
    expect(ask(2, 1n).outcome).toEqual({ kind: 'failed', errno: 'EINVAL' });
    expect(ask(128, 0x1000n).outcome).toEqual({ kind: 'failed', errno: 'EFAULT' });
    expect(dom0.hypercall('memory_op', [10n, 0n])).toEqual({ kind: 'failed', errno: 'EFAULT' });
  });

  it('lets the domain see what is not RAM, and of RAM only its own', (context) => {
    const { dom0, pc } = freshDom0(context, name);
    const map = machineMemoryMap(dom0);
    if (!map.ok) throw new Error('no map');
    const acpi = map.value.find(({ type }) => type === 3);
    const update = (virtual: bigint, entry: bigint): HypercallOutcome =>
      dom0.hypercall('update_va_mapping', [virtual, entry, 2n]);
    const { window, heap } = DOM0_LAYOUT;
    const ok = { kind: 'returned', value: 0n };
    expect(update(window, (acpi?.addr ?? 0n) | 0x27n)).toEqual(ok);
    expect(pc.machine.physicalAddress(window)).toBe(Number(acpi?.addr));
    // RAM that is not its own. Below 1 MiB RAM counts as a device.
    expect(update(window, 0x20_0027n).kind).toBe('failed');
    expect(pc.machine.physicalAddress(window)).toBe(Number(acpi?.addr));
    expect(update(window, 0x1027n)).toEqual(ok);
    expect(update(window, 0xfee0_0027n).kind).toBe('failed');
    // Its own, also at a second address; a page table only to look at.
    const own = BigInt(pc.machine.physicalAddress(heap) ?? 0);
    expect(update(window, own | 0x67n)).toEqual(ok);
    dom0.store(window, Uint8Array.of(0x5a));
    expect(dom0.load(heap, 1)).toEqual(Uint8Array.of(0x5a));
    const table = BigInt(pc.machine.physicalAddress(dom0.startInfo.pt_base) ?? 0);
    expect(update(window + 0x1000n, table | 0x67n).kind).toBe('failed');
    expect(update(window + 0x1000n, table | 0x25n)).toEqual(ok);
    // Nowhere to map.
    expect(update(0x1000n, own | 0x67n).kind).toBe('failed');
    expect(update(0xffff_8300_0000_0000n, own | 0x67n).kind).toBe('failed');
  });

  it('shows the wallclock of the machine, and takes another', (context) => {
    const { dom0 } = freshDom0(context, name);
    const { window } = DOM0_LAYOUT;
    const mapped = dom0.hypercall('update_va_mapping', [
      window,
      dom0.startInfo.shared_info | 0x67n,
      2n,
    ]);
    expect(mapped.kind).toBe('returned');
    const clock = (): { version: number; seconds: number } => {
      const bytes = dom0.load(window + BigInt(SHARED_WALLCLOCK_OFFSET), shared_wallclock.size());
      const wallclock = shared_wallclock.decode(bytes);
      if (!wallclock.ok) throw new Error('short');
      return { version: wallclock.value.wc_version, seconds: wallclock.value.wc_sec };
    };
    const first = clock();
    expect(first.version % 2).toBe(0);
    expect(Math.abs(first.seconds - 1_704_067_200)).toBeLessThan(600);
    const settime = (mbz: number): Answer => {
      const u = new Uint8Array(24);
      const view = new DataView(u.buffer);
      view.setBigUint64(0, 1_000_000_000n, true);
      view.setUint32(12, mbz, true);
      return simple(dom0, envelope(XENPF.settime64, u));
    };
    expect(refusal(settime(1))).toBe('-EINVAL');
    expect(settime(0).outcome.kind).toBe('returned');
    const second = clock();
    expect(second.seconds).toBe(1_000_000_000);
    expect(second.version % 2).toBe(0);
    expect(second.version).not.toBe(first.version);
  });

  it('prints, with an end of line for terminals', (context) => {
    const { dom0, text } = freshDom0(context, name);
    const long = 'x'.repeat(300);
    expect(writeConsole(dom0, `one\n${long}\n`)).toEqual({ ok: true, value: undefined });
    expect(text()).toBe(`one\r\n${long}\r\n`);
    expect(dom0.hypercall('console_io', [0n, 5n, 0n])).toEqual({
      kind: 'failed',
      errno: 'EFAULT',
    });
    expect(dom0.hypercall('console_io', [9n, 0n, 0n])).toEqual({
      kind: 'failed',
      errno: 'ENOSYS',
    });
  });

  it('tells its version, and refuses what it does not know', (context) => {
    const { dom0 } = freshDom0(context, name);
    const at = place(dom0, 1024)[0] ?? 0n;
    expect(dom0.hypercall('xen_version', [0n, 0n])).toEqual({ kind: 'returned', value: 0x40011n });
    expect(dom0.hypercall('xen_version', [7n, 0n])).toEqual({ kind: 'returned', value: 0x1000n });
    expect(dom0.hypercall('xen_version', [5n, at]).kind).toBe('returned');
    expect(dom0.load(at, 8)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0x80, 0xff, 0xff));
    expect(dom0.hypercall('xen_version', [3n, at]).kind).toBe('returned');
    const capabilities = new TextDecoder().decode(dom0.load(at, 14));
    expect(capabilities).toBe('xen-3.0-x86_64');
    expect(dom0.hypercall('xen_version', [1n, 0n])).toEqual({ kind: 'failed', errno: 'EFAULT' });
    expect(dom0.hypercall('xen_version', [77n, at])).toEqual({ kind: 'failed', errno: 'ENOSYS' });
    expect(dom0.hypercall('sched_op', [0n, 0n])).toEqual({ kind: 'returned', value: 0n });
    expect(dom0.hypercall('sched_op', [2n, 0n])).toEqual({ kind: 'failed', errno: 'EFAULT' });
    expect(dom0.hypercall('sched_op', [99n, at])).toEqual({ kind: 'failed', errno: 'ENOSYS' });
  });

  it('refuses sleep states that do not exist', (context) => {
    const { dom0 } = freshDom0(context, name);
    const sleep = (state: number, flags: number): Answer =>
      simple(
        dom0,
        envelope(
          XENPF.enter_acpi_sleep,
          xenpf_enter_acpi_sleep.encode({ val_a: 0, val_b: 0, sleep_state: state, flags }),
        ),
      );
    expect(refusal(sleep(5, 2))).toBe('-EINVAL');
    expect(refusal(sleep(0, 0))).toBe('-EINVAL');
    expect(refusal(sleep(6, 0))).toBe('-EINVAL');
  });

  it('keeps the registers that the stubs promise', (context) => {
    const { dom0, pc } = freshDom0(context, name);
    for (const [register, value] of [
      ['rbx', 1n],
      ['rbp', 2n],
      ['r12', 3n],
      ['r13', 4n],
      ['r14', 5n],
      ['r15', 6n],
    ] as const)
      pc.machine.writeRegister(register, value);
    // Floating point state is the domain's only while the domain runs.
    const { heap } = DOM0_LAYOUT;
    const run = (offset: bigint, code: readonly number[]): void => {
      dom0.store(heap + offset, Uint8Array.from(code));
      expect(callGuest(pc.machine, 'sysv-x64', heap + offset, [heap + 0x2000n]).returned).toBe(
        true,
      );
    };
    dom0.store(heap + 0x2000n, Uint8Array.of(0x80, 0x3f, 0, 0, 1, 2, 3, 4));
    run(0x1000n, [0x0f, 0xae, 0x17, 0xf3, 0x0f, 0x7e, 0x1f, 0xc3]); // ldmxcsr [rdi]; movq xmm3, [rdi]; ret
    expect(simple(dom0, runtimeCall('get_time', 0)).outcome.kind).toBe('returned');
    expect(pc.machine.readRegister('rbx')).toBe(1n);
    expect(pc.machine.readRegister('r15')).toBe(6n);
    dom0.store(heap + 0x2000n, new Uint8Array(16));
    run(0x1100n, [0x66, 0x0f, 0xd6, 0x5f, 8, 0x0f, 0xae, 0x1f, 0xc3]); // movq [rdi+8], xmm3; stmxcsr [rdi]; ret
    expect([...dom0.load(heap + 0x2000n, 2)]).toEqual([0x80, 0x3f]);
    expect([...dom0.load(heap + 0x2008n, 8)]).toEqual([0x80, 0x3f, 0, 0, 1, 2, 3, 4]);
    expect(pc.machine.readRegister('cs')).toBe(0xe033n);
  });
});

describe('a domain without privileges, on the embedded hypervisor', () => {
  it('is refused with -EPERM, after the version and before everything else', () => {
    const { dom0 } = embeddedDom0({ options: 'noreboot unprivileged' });
    expect(dom0.startInfo.flags).toBe(0);
    expect(refusal(simple(dom0, envelope(0x7777, new Uint8Array())))).toBe('-EPERM');
    expect(refusal(simple(dom0, runtimeCall('get_time', 0)))).toBe('-EPERM');
    expect(refusal(simple(dom0, firmwareInfo(4, 0)))).toBe('-EPERM');
    expect(refusal(simple(dom0, envelope(XENPF.enter_acpi_sleep, new Uint8Array(), 1)))).toBe(
      '-EACCES',
    );
    expect(dom0.hypercall('platform_op', [0n])).toEqual({ kind: 'failed', errno: 'EFAULT' });
    expect(machineMemoryMap(dom0)).toEqual({
      ok: false,
      failure: { kind: 'failed', errno: 'EPERM' },
    });
    expect(writeConsole(dom0, 'x')).toMatchObject({ ok: false });
    expect(dom0.hypercall('update_va_mapping', [DOM0_LAYOUT.window, 0xffc0_0027n, 2n]).kind).toBe(
      'failed',
    );
    const at = place(dom0, 1024)[0] ?? 0n;
    expect(dom0.hypercall('xen_version', [9n, at]).kind).toBe('returned');
    expect(new TextDecoder().decode(dom0.load(at, 8))).toBe('<denied>');
  });
});
