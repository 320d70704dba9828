/** The slow paths of guest memory access, built into the core module: misses, page crossings, I/O memory, code pages, watched pages. */
import { SEGMENT, SEGMENT_STRIDE, SEGMENTS } from '../cpu/state-layout.ts';
import { ATTRIBUTE } from '../cpu/cpu-state.ts';
import { BASE } from '../wasm/code.ts';
import type { Callee, Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { Expr, I32, I64 } from '../wasm/expr.ts';
import { PAGE_FLAG, PAGE_MASK, PAGE_SIZE, SCRATCH, TLB_VIEWS, tlbView } from './layout.ts';
import {
  ACCESS,
  TRANSLATED,
  loadField32,
  loadField64,
  pageMapEntry,
  storeField32,
  storeField64,
  touchesCode,
} from './paging.ts';

/** Functions that the slow paths call. */
export interface MemoryCallees {
  readonly translate: Callee;
  readonly crossLoad: Callee;
  readonly crossStore: Callee;
  readonly load8: Callee;
  readonly store8: Callee;
  readonly readIo: Callee;
  readonly writeIo: Callee;
  readonly codeWritten: Callee;
  readonly watchedAccess: Callee;
  readonly segmentCheck: Callee;
  readonly debugAccess: Callee;
  readonly raise: Callee;
}

export type AccessType = 'i32' | 'i64' | 'v128';

const AC = 17;

const crosses = (linear: I64, bytes: number): I32 =>
  e.gtU(e.and(e.wrap(linear), PAGE_MASK), PAGE_SIZE - bytes);

const loadHost = (c: Code, bytes: number, address: I32): Expr => {
  switch (bytes) {
    case 1:
      return c.load('i32.load8_u', address);
    case 2:
      return c.load('i32.load16_u', address);
    case 4:
      return c.load('i32.load', address);
    case 8:
      return c.load('i64.load', address);
    default:
      return c.loadV128(address);
  }
};

const storeHost = (c: Code, bytes: number, address: I32, value: Expr): void => {
  switch (bytes) {
    case 1:
      return c.store('i32.store8', address, value);
    case 2:
      return c.store('i32.store16', address, value);
    case 4:
      return c.store('i32.store', address, value);
    case 8:
      return c.store('i64.store', address, value);
    default:
      return c.storeV128(address, value as Expr<'v128'>);
  }
};

const zeroOf = (type: AccessType): Expr =>
  type === 'v128' ? e.v128(Array.from({ length: 16 }, () => 0)) : e.int(type, 0);

/**
 * The checks that the `checked` TLB view stands for: alignment (SDM Vol. 3A, 6.15, interrupt 17; not before the canonical form is known) and data breakpoints.
 */
const checkAccess = (
  c: Code,
  f: MemoryCallees,
  linear: I64,
  bytes: I32,
  write: boolean,
  giveUp: () => void,
): void => {
  const view = loadField32(c, 'tlb');
  c.if(e.eq(view, tlbView(TLB_VIEWS.checked)), () => {
    const misaligned = e.nez(e.and(e.wrap(linear), e.sub(bytes, 1)));
    const checked = e.and(misaligned, e.nez(loadField32(c, 'alignmentChecked')));
    c.if(e.and(checked, e.eq(e.shrS(e.shl(linear, 16), 16), linear)), () => {
      c.call(f.raise, e.i32(AC), e.i32(0), e.i32(1));
      giveUp();
    });
    c.if(loadField32(c, 'dataBreakpoints'), () => {
      storeField64(c, 'slowAddress', linear);
      c.call(f.debugAccess, bytes, e.i32(write ? 1 : 0));
    });
  });
};

/** `loadN(linear)`: the value, or anything with `unwind` set. */
export const buildLoad = (c: Code, f: MemoryCallees, bytes: number, type: AccessType): void => {
  const linear = c.param(0, 'i64');
  checkAccess(c, f, linear, e.i32(bytes), false, () => c.return(zeroOf(type)));
  if (bytes > 1)
    c.if(crosses(linear, bytes), () => {
      c.call(f.crossLoad, linear, e.i32(bytes));
      c.return(loadHost(c, bytes, e.i32(SCRATCH)));
    });
  const host = c.letCall('i32', f.translate, linear, e.i32(ACCESS.read));
  c.if(e.eq(host, TRANSLATED.fault), () => c.return(zeroOf(type)));
  c.if(e.eq(host, TRANSLATED.notMemory), () => {
    if (type === 'v128') {
      // Two 8-byte reads, the low one first.
      c.store('i64.store', BASE, readIo64(c, f), SCRATCH);
      storeField64(c, 'slowAddress', e.add(loadField64(c, 'slowAddress'), e.i64(8)));
      c.store('i64.store', BASE, readIo64(c, f), SCRATCH + 8);
      c.return(c.loadV128(e.i32(SCRATCH)));
    } else if (type === 'i64') c.return(readIo64(c, f));
    else c.return(c.letCall('i32', f.readIo, e.i32(bytes)));
  });
  const map = pageMapEntry(c, loadField64(c, 'slowAddress'));
  c.if(e.and(map, PAGE_FLAG.watched), () => {
    c.call(f.watchedAccess, e.i32(bytes), e.i32(0));
  });
  c.return(loadHost(c, bytes, host));
};

const readIo64 = (c: Code, f: MemoryCallees): I64 => {
  const low = c.letCall('i32', f.readIo, e.i32(8));
  return c.let(e.or(e.extendU(low), e.shl(e.extendU(loadField32(c, 'slowHigh')), 32)));
};

/** `storeN(linear, value)`; a fault sets `unwind` and stores nothing. */
export const buildStore = (c: Code, f: MemoryCallees, bytes: number, type: AccessType): void => {
  const linear = c.param(0, 'i64');
  const value = c.param(1, type);
  checkAccess(c, f, linear, e.i32(bytes), true, () => c.return());
  if (bytes > 1)
    c.if(crosses(linear, bytes), () => {
      storeHost(c, bytes, e.i32(SCRATCH), value);
      c.call(f.crossStore, linear, e.i32(bytes));
      c.return();
    });
  const host = c.letCall('i32', f.translate, linear, e.i32(ACCESS.write));
  c.if(e.eq(host, TRANSLATED.fault), () => c.return());
  const physical = loadField64(c, 'slowAddress');
  const map = pageMapEntry(c, physical);
  c.if(e.or(e.eq(host, TRANSLATED.notMemory), e.and(map, PAGE_FLAG.readOnly)), () => {
    if (type === 'v128') {
      const half = (lane: number): void =>
        writeIo64(c, f, c.let(e.extractLane('i64x2.extract_lane', value as Expr<'v128'>, lane)));
      half(0);
      storeField64(c, 'slowAddress', e.add(physical, e.i64(8)));
      half(1);
    } else if (type === 'i64') writeIo64(c, f, value as I64);
    else {
      storeField32(c, 'slowLow', value as I32);
      c.call(f.writeIo, e.i32(bytes));
    }
    c.return();
  });
  c.if(e.and(map, PAGE_FLAG.watched), () => {
    c.call(f.watchedAccess, e.i32(bytes), e.i32(1));
  });
  storeHost(c, bytes, host, value);
  c.if(e.and(map, PAGE_FLAG.code), () =>
    c.if(touchesCode(c, physical, bytes), () => c.call(f.codeWritten, e.i32(bytes))),
  );
};

const writeIo64 = (c: Code, f: MemoryCallees, value: I64): void => {
  storeField32(c, 'slowLow', e.wrap(value));
  storeField32(c, 'slowHigh', e.wrap(e.shrU(value, 32)));
  c.call(f.writeIo, e.i32(8));
};

/** Both pages of a crossing access are translated before any byte moves; a last byte that is not canonical is found first. */
const probeBoth = (c: Code, f: MemoryCallees, linear: I64, bytes: I32, access: number): void => {
  const last = c.let(e.add(linear, e.sub(e.extendU(bytes), e.i64(1))));
  const probe = (address: I64): void => {
    const host = c.letCall('i32', f.translate, address, e.i32(access));
    c.if(e.eq(host, TRANSLATED.fault), () => c.return());
  };
  const canonical = e.eq(e.shrS(e.shl(last, 16), 16), last);
  c.if(e.eqz(canonical), () => probe(last));
  probe(linear);
  probe(e.and(last, e.i64(~BigInt(PAGE_MASK))));
};

const forEachByte = (c: Code, bytes: I32, body: (i: I32) => void): void => {
  const i = c.variable('i32', e.i32(0));
  c.loop((again) => {
    const index = c.snapshot(i);
    body(index);
    c.set(i, e.add(index, 1));
    c.brIf(e.ltU(c.get(i), bytes), again);
  });
};

/** `crossLoad(linear, bytes)`: leaves the bytes in the scratch area. */
export const buildCrossLoad = (c: Code, f: MemoryCallees): void => {
  const linear = c.param(0, 'i64');
  const bytes = c.param(1, 'i32');
  probeBoth(c, f, linear, bytes, ACCESS.read);
  forEachByte(c, bytes, (i) => {
    const value = c.letCall('i32', f.load8, e.add(linear, e.extendU(i)));
    c.store('i32.store8', i, value, SCRATCH);
  });
};

/** `crossStore(linear, bytes)`: takes the bytes from the scratch area. */
export const buildCrossStore = (c: Code, f: MemoryCallees): void => {
  const linear = c.param(0, 'i64');
  const bytes = c.param(1, 'i32');
  probeBoth(c, f, linear, bytes, ACCESS.write);
  forEachByte(c, bytes, (i) => {
    c.call(f.store8, e.add(linear, e.extendU(i)), c.load('i32.load8_u', i, SCRATCH));
  });
};

/** `prepareModify(linear, bytes)`, see `RUNTIME`. */
export const buildPrepareModify = (c: Code, f: MemoryCallees): void => {
  const linear = c.param(0, 'i64');
  const bytes = c.param(1, 'i32');
  checkAccess(c, f, linear, bytes, true, () => c.return(e.i32(TRANSLATED.fault)));
  const offset = e.and(e.wrap(linear), PAGE_MASK);
  c.if(e.gtU(e.add(offset, bytes), PAGE_SIZE), () => {
    const last = e.add(linear, e.sub(e.extendU(bytes), e.i64(1)));
    const second = c.letCall(
      'i32',
      f.translate,
      e.and(last, e.i64(~BigInt(PAGE_MASK))),
      e.i32(ACCESS.write),
    );
    const unwound = e.eq(second, TRANSLATED.fault);
    const first = c.letCall('i32', f.translate, linear, e.i32(ACCESS.write));
    c.return(e.and(e.nez(first), e.eqz(unwound)));
  });
  const host = c.letCall('i32', f.translate, linear, e.i32(ACCESS.write));
  c.if(e.leU(host, TRANSLATED.notMemory), () => c.return(host));
  const map = pageMapEntry(c, loadField64(c, 'slowAddress'));
  const special = PAGE_FLAG.readOnly | PAGE_FLAG.code | PAGE_FLAG.watched;
  c.return(e.select(e.and(map, special), e.i32(TRANSLATED.notMemory), host));
};

/** `segmentLinear(segment, offset, bytes, write)`, see `RUNTIME`: the usual segment inline, everything else in TypeScript. */
export const buildSegmentLinear = (c: Code, f: MemoryCallees): void => {
  const segment = c.param(0, 'i32');
  const offset = c.param(1, 'i64');
  const bytes = c.param(2, 'i32');
  const write = c.param(3, 'i32');
  const at = c.let(e.mul(segment, SEGMENT_STRIDE));
  const attributes = c.load('i32.load', at, SEGMENTS + SEGMENT.attributes);
  const limit = c.load('i64.load32_u', at, SEGMENTS + SEGMENT.limit);
  const base = c.load('i64.load', at, SEGMENTS + SEGMENT.base);
  // Present, writable data that grows up.
  const demanded = ATTRIBUTE.present | ATTRIBUTE.nonSystem | ATTRIBUTE.readWrite;
  const refused = ATTRIBUTE.unusable | ATTRIBUTE.expandDownOrConforming | ATTRIBUTE.code;
  const usual = e.eq(e.and(attributes, demanded | refused), demanded);
  const last = e.add(offset, e.sub(e.extendU(bytes), e.i64(1)));
  const linear = c.variable('i64');
  c.if(
    e.and(usual, e.leU(last, limit)),
    () => c.set(linear, e.add(base, offset)),
    () => {
      storeField64(c, 'slowAddress', offset);
      c.call(f.segmentCheck, segment, bytes, write);
      c.set(linear, loadField64(c, 'slowAddress'));
    },
  );
  c.return(e.and(c.get(linear), e.i64(0xffff_ffff)));
};
