/** `Cpu`, the helpers' view of the processor, on top of the engine. */
import { CR4 } from '../cpu/control-bits.ts';
import type { CpuState } from '../cpu/cpu-state.ts';
import { Fault, VECTOR } from '../cpu/helper.ts';
import type { AccessRights, Cpu, LinearMemory } from '../cpu/helper.ts';
import { linearAddress } from '../cpu/segments.ts';
import type { CoreExports } from './core-module.ts';
import { PAGE_FLAG, PAGE_MAP, PAGE_MASK, PAGE_SHIFT, TLB_ENTRIES, TLB_ENTRY } from './layout.ts';
import { ACCESS, TRANSLATED } from './paging.ts';
import type { IoSize, PhysicalMemory } from './physical-memory.ts';

/** What the adapter needs of its engine. */
export interface AdapterHost {
  readonly state: CpuState;
  readonly view: DataView;
  readonly core: CoreExports;
  readonly physical: PhysicalMemory;
  /** What an access to nothing reads. */
  readonly unclaimed: (bytes: number) => number;
  /** A page that holds code was written. */
  readonly codeWritten: (physical: number, bytes: number) => void;
  readonly watched: (physical: number, bytes: number, write: boolean) => void;
}

/** The part of `Cpu` that does not depend on the machine around it. */
export type MachinePart = Pick<
  Cpu,
  | 'ports'
  | 'continueAt'
  | 'flushTlb'
  | 'invalidatePage'
  | 'modeChanged'
  | 'blockInterrupts'
  | 'checkEvents'
  | 'halt'
  | 'timeStamp'
  | 'entropy'
  | 'cpuid'
  | 'readMsr'
  | 'writeMsr'
  | 'physicalBits'
>;

/** The one fault object: throwing a fresh one costs ten times as much. */
const FAULT = new Fault('guest fault');

const throwFault = (vector: number, errorCode?: number): never => {
  FAULT.vector = vector;
  FAULT.errorCode = errorCode;
  throw FAULT;
};

const loadHost = (view: DataView, bytes: number, host: number): bigint => {
  switch (bytes) {
    case 1:
      return BigInt(view.getUint8(host));
    case 2:
      return BigInt(view.getUint16(host, true));
    case 4:
      return BigInt(view.getUint32(host, true));
    default:
      return view.getBigUint64(host, true);
  }
};

const storeHost = (view: DataView, bytes: number, host: number, value: bigint): void => {
  switch (bytes) {
    case 1:
      return view.setUint8(host, Number(value & 0xffn));
    case 2:
      return view.setUint16(host, Number(value & 0xffffn), true);
    case 4:
      return view.setUint32(host, Number(value & 0xffff_ffffn), true);
    default:
      return view.setBigUint64(host, BigInt.asUintN(64, value), true);
  }
};

const crosses = (linear: bigint, bytes: number): boolean =>
  Number(linear & 0xfffn) + bytes > PAGE_MASK + 1;

const createLinearMemory = (host: AdapterHost): LinearMemory => {
  const { state, view, core, physical } = host;

  /** Host address, or `TRANSLATED.notMemory`; throws on a fault. */
  const translate = (linear: bigint, access: number): number => {
    const at = core.translate(linear, access);
    if (at !== TRANSLATED.fault) return at;
    state.set('unwind', 0);
    const errorCode = state.get('faultHasErrorCode') ? state.get('faultErrorCode') : undefined;
    return throwFault(state.get('faultVector'), errorCode);
  };

  /** Accesses by the processor itself differ from the program's at CPL 3 and under SMAP alone. */
  const rightsBit = (rights: AccessRights | undefined): number =>
    rights === 'system' && (state.get('cpl') === 3 || (state.low('cr4') & CR4.SMAP) !== 0)
      ? ACCESS.system
      : 0;

  /** Host address by the soft TLB, as staged code finds it; 0 if only `translate` can tell. */
  const cached = (linear: bigint, access: number): number => {
    if (access & ACCESS.system) return 0;
    const low = Number(BigInt.asUintN(32, linear));
    const entry = state.get('tlb') + ((low >>> PAGE_SHIFT) & (TLB_ENTRIES - 1)) * TLB_ENTRY.size;
    const tag = entry + (access & ACCESS.write ? TLB_ENTRY.write : TLB_ENTRY.read);
    if (view.getUint32(tag, true) !== (low & ~PAGE_MASK) >>> 0) return 0;
    if (view.getUint32(tag + 4, true) !== Number(linear >> 32n)) return 0;
    return (low + view.getUint32(entry + TLB_ENTRY.addend, true)) >>> 0;
  };

  const mapEntry = (address: number): number =>
    address < 2 ** 32 ? view.getUint32(PAGE_MAP + Math.floor(address / 4096) * 4, true) : 0;

  const checkAlignment = (
    bytes: number,
    linear: bigint,
    rights: AccessRights | undefined,
  ): void => {
    if (rights === 'system' || state.get('alignmentChecked') === 0) return;
    if ((Number(linear & 0xfn) & (bytes - 1)) !== 0) throwFault(VECTOR.AC, 0);
  };

  const read: LinearMemory['read'] = (bytes, linear, rights) => {
    checkAlignment(bytes, linear, rights);
    if (crosses(linear, bytes)) {
      let value = 0n;
      tryPages(bytes, linear, rightsBit(rights));
      for (let i = bytes - 1; i >= 0; i--)
        value = (value << 8n) | read(1, BigInt.asUintN(64, linear + BigInt(i)), rights);
      return value;
    }
    const access = rightsBit(rights);
    const direct = cached(linear, access);
    if (direct !== 0) return loadHost(view, bytes, direct);
    const at = translate(linear, access);
    const address = Number(state.big('slowAddress'));
    if (at === TRANSLATED.notMemory) return readIo(physical, address, bytes, host.unclaimed);
    if (mapEntry(address) & PAGE_FLAG.watched) host.watched(address, bytes, false);
    return loadHost(view, bytes, at);
  };

  const write: LinearMemory['write'] = (bytes, linear, value, rights) => {
    checkAlignment(bytes, linear, rights);
    if (crosses(linear, bytes)) {
      probeWrite(bytes, linear, rights);
      for (let i = 0; i < bytes; i++)
        write(1, BigInt.asUintN(64, linear + BigInt(i)), value >> BigInt(8 * i), rights);
      return;
    }
    const access = ACCESS.write | rightsBit(rights);
    const direct = cached(linear, access);
    if (direct !== 0) {
      storeHost(view, bytes, direct, value);
      return;
    }
    const at = translate(linear, access);
    const address = Number(state.big('slowAddress'));
    const map = mapEntry(address);
    if (at === TRANSLATED.notMemory || map & PAGE_FLAG.readOnly) {
      writeIo(physical, address, bytes, value);
      return;
    }
    if (map & PAGE_FLAG.watched) host.watched(address, bytes, true);
    storeHost(view, bytes, at, value);
    if (map & PAGE_FLAG.code) host.codeWritten(address, bytes);
  };

  /** Translates the first byte and, of a block that runs into another page, that page. */
  const tryPages = (bytes: number, linear: bigint, access: number): void => {
    translate(linear, access);
    if (crosses(linear, bytes)) translate((linear + BigInt(bytes - 1)) & ~0xfffn, access);
  };

  const probe: LinearMemory['probe'] = (bytes, linear, access, rights) => {
    checkAlignment(bytes, linear, rights);
    tryPages(bytes, linear, (access === 'write' ? ACCESS.write : ACCESS.read) | rightsBit(rights));
  };

  const probeWrite: LinearMemory['probeWrite'] = (bytes, linear, rights) =>
    tryPages(bytes, linear, ACCESS.write | rightsBit(rights));

  /** Calls `page` for each page's part of a block: address, offset in the block, length. The pages are translated first. */
  const forPages = (
    linear: bigint,
    length: number,
    access: number,
    page: (at: bigint, offset: number, count: number) => void,
  ): void => {
    const parts: [bigint, number, number][] = [];
    for (let offset = 0; offset < length;) {
      const at = BigInt.asUintN(64, linear + BigInt(offset));
      const count = Math.min(length - offset, PAGE_MASK + 1 - Number(at & 0xfffn));
      translate(at, access);
      parts.push([at, offset, count]);
      offset += count;
    }
    for (const part of parts) page(...part);
  };

  const readBlock: LinearMemory['readBlock'] = (linear, into, rights) => {
    const access = rightsBit(rights);
    forPages(linear, into.length, access, (at, offset, count) => {
      const from = translate(at, access);
      if (from !== TRANSLATED.notMemory) {
        const address = Number(state.big('slowAddress'));
        if (mapEntry(address) & PAGE_FLAG.watched) host.watched(address, count, false);
        into.set(new Uint8Array(view.buffer, from, count), offset);
      } else
        for (let i = 0; i < count; i++) into[offset + i] = Number(read(1, at + BigInt(i), rights));
    });
  };

  const writeBlock: LinearMemory['writeBlock'] = (linear, from, rights) => {
    const access = ACCESS.write | rightsBit(rights);
    forPages(linear, from.length, access, (at, offset, count) => {
      const to = translate(at, access);
      const address = Number(state.big('slowAddress'));
      const map = mapEntry(address);
      if (to === TRANSLATED.notMemory || map & PAGE_FLAG.readOnly) {
        for (let i = 0; i < count; i++)
          write(1, at + BigInt(i), BigInt(from[offset + i] as number), rights);
        return;
      }
      if (map & PAGE_FLAG.watched) host.watched(address, count, true);
      new Uint8Array(view.buffer, to, count).set(from.subarray(offset, offset + count));
      if (map & PAGE_FLAG.code) host.codeWritten(address, count);
    });
  };

  return { read, write, probe, probeWrite, readBlock, writeBlock };
};

const readIo = (
  physical: PhysicalMemory,
  address: number,
  bytes: number,
  unclaimed: (bytes: number) => number,
): bigint => {
  if (bytes < 8) return BigInt(physical.readIo(address, bytes as IoSize, unclaimed(bytes)));
  const low = physical.readIo(address, 4, unclaimed(4));
  return BigInt(low) | (BigInt(physical.readIo(address + 4, 4, unclaimed(4))) << 32n);
};

const writeIo = (physical: PhysicalMemory, address: number, bytes: number, value: bigint): void => {
  const low = Number(value & 0xffff_ffffn);
  if (bytes < 8) {
    physical.writeIo(address, bytes as IoSize, bytes === 4 ? low : low & ((1 << (bytes * 8)) - 1));
    return;
  }
  physical.writeIo(address, 4, low);
  physical.writeIo(address + 4, 4, Number((value >> 32n) & 0xffff_ffffn));
};

/** Puts the helpers' view together. */
export const createCpu = (host: AdapterHost, machine: MachinePart): Cpu => {
  const memory = createLinearMemory(host);
  const cpu: Cpu = {
    state: host.state,
    memory,
    fault: throwFault,
    linear: (segment, offset, bytes, access) => linearAddress(cpu, segment, offset, bytes, access),
    ...machine,
  };
  return cpu;
};
