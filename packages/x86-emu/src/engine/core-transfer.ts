/**
 * Interrupts and IRETQ of 64-bit code as they usually are, built into the core module: from and to 64-bit code at privilege 0 or 3, descriptors that are
 * accessed already, a frame within one page of plain memory. Whatever is different gives up before anything has changed, and TypeScript does it from the
 * beginning (`cpu/interrupts.ts`, `cpu/far-return.ts`): there stand all checks, with their errors.
 */
import { CR0, CR4, FLAG } from '../cpu/control-bits.ts';
import { ATTRIBUTE, STATUS_FLAGS } from '../cpu/cpu-state.ts';
import { SYSTEM_TYPE } from '../cpu/descriptor.ts';
import { VECTOR } from '../cpu/helper.ts';
import { FAULTS } from '../cpu/interrupts.ts';
import { SEG } from '../cpu/mode.ts';
import { SEGMENT, gprAddress, segmentAddress } from '../cpu/state-layout.ts';
import { BASE } from '../wasm/code.ts';
import type { Callee, Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import { MODE_KEY, USER_KEY } from './decode-modes.ts';
import { EXIT } from './exit.ts';
import {
  NO_TAG,
  PAGE_MASK,
  PAGE_SIZE,
  TLB_ENTRIES,
  TLB_ENTRY,
  TLB_VIEWS,
  tlbView,
} from './layout.ts';
import { MemoryFlags } from './memory-flags.ts';
import {
  ACCESS,
  loadField32,
  loadField64,
  storeField32,
  storeField64,
  systemView,
} from './paging.ts';
import { RECORD } from './record.ts';
import type { Callees } from './runtime-functions.ts';

export interface TransferCallees extends Callees {
  readonly quietTranslate: Callee;
  readonly plainHost: Callee;
  readonly deliver: Callee;
  /** TypeScript: tells the machine of the exception that the state describes; 1 to stop. */
  readonly announce: Callee;
}

/** What `deliver` is told beside the vector. */
const EVENT = { hasErrorCode: 1, isSoftware: 2, isFault: 4 } as const;

/** What a quick transfer gives instead of a record. */
export const QUICK = { notDone: 0, leave: 1 } as const;

const RSP = 4;
const QUADWORD = 8;
/** RIP, CS, RFLAGS, RSP, SS. */
const FRAME = { rip: 0, cs: 8, flags: 16, rsp: 24, ss: 32, size: 40 } as const;
/** Offsets in a 64-bit TSS (SDM Vol. 3A, figure 8-11). */
const TASK = { rsp0: 4, ist1: 0x24 } as const;
const GATE_SIZE = 16;
const EXCEPTION_FIELDS = [
  'faultVector',
  'faultErrorCode',
  'faultHasErrorCode',
  'exitReason',
  'unwind',
] as const;
const FAULT_MASK = [...FAULTS].reduce((mask, vector) => mask | (1 << vector), 0);

const { accessed, readWrite, expandDownOrConforming, code, nonSystem, present, long, big } =
  ATTRIBUTE;
const CODE_64 = {
  mask: nonSystem | code | expandDownOrConforming | present | accessed | long | big,
};
const CODE_64_VALUE = nonSystem | code | present | accessed | long;
const DATA_MASK = nonSystem | code | readWrite | present | accessed;
const DATA_VALUE = nonSystem | readWrite | present | accessed;

const segmentField = (c: Code, segment: number, field: 'base' | 'limit' | 'attributes'): I32 =>
  c.load('i32.load', BASE, segmentAddress(segment) + SEGMENT[field]);

/** Gives up unless the condition holds. */
const demand = (c: Code, condition: I32): void =>
  c.if(e.eqz(condition), () => c.return(e.i32(QUICK.notDone)));

const isCanonical = (linear: I64): I32 => e.eq(e.shrS(e.shl(linear, 16), 16), linear);

const has = (value: I32, bits: number): I32 => e.nez(e.and(value, bits));

const withinPage = (linear: I64, bytes: number | I32): I32 =>
  e.leU(
    e.add(e.and(e.wrap(linear), PAGE_MASK), typeof bytes === 'number' ? e.i32(bytes) : bytes),
    PAGE_SIZE,
  );

/** `quietTranslate(linear, access)`: as `translate`, but what the state says about an exception stays. */
export const buildQuietTranslate = (c: Code, translate: Callee): void => {
  const values = EXCEPTION_FIELDS.map((field) => loadField32(c, field));
  const cr2 = loadField64(c, 'cr2');
  const host = c.letCall('i32', translate, c.param(0, 'i64'), c.param(1, 'i32'));
  EXCEPTION_FIELDS.forEach((field, i) => storeField32(c, field, values[i] as I32));
  storeField64(c, 'cr2', cr2);
  c.return(host);
};

/**
 * `plainHost(linear, access)`: host address of plain memory that may be accessed so, good up to the end of its page, or 0.
 */
export const buildPlainHost = (c: Code, quietTranslate: Callee): void => {
  const linear = c.param(0, 'i64');
  const access = c.param(1, 'i32');
  const view = c.let(e.select(has(access, ACCESS.system), systemView(c), loadField32(c, 'tlb')));
  const index = e.shl(
    e.and(e.wrap(e.shrU(linear, 12)), TLB_ENTRIES - 1),
    Math.log2(TLB_ENTRY.size),
  );
  const entry = c.let(e.add(view, index));
  const page = c.let(e.and(linear, e.i64(~BigInt(PAGE_MASK))));
  const tag = c.let(e.add(entry, e.shl(e.and(access, ACCESS.write), Math.log2(TLB_ENTRY.write))));
  const look = (): void =>
    c.if(e.eq(c.load('i64.load', tag, TLB_ENTRY.read), page), () =>
      c.return(e.add(e.wrap(linear), c.load('i32.load', entry, TLB_ENTRY.addend))),
    );
  look();
  c.call(quietTranslate, linear, access);
  look();
  c.return(e.i32(0));
};

/** A descriptor of the GDT, loaded and taken apart; gives up if the selector is null, in the LDT, or outside the table. */
const loadDescriptor = (
  c: Code,
  f: TransferCallees,
  selector: I32,
): { readonly raw: I64; readonly attributes: I32 } => {
  const index = c.let(e.and(selector, 0xfff8));
  demand(c, e.and(e.nez(index), e.eqz(e.and(selector, 4))));
  demand(c, e.leU(e.add(index, 7), loadField32(c, 'gdtrLimit')));
  const linear = c.let(e.add(loadField64(c, 'gdtrBase'), e.extendU(index)));
  demand(c, withinPage(linear, QUADWORD));
  const host = c.letCall('i32', f.plainHost, linear, e.i32(ACCESS.system));
  demand(c, host);
  const raw = c.load('i64.load', host);
  return { raw, attributes: c.let(e.and(e.wrap(e.shrU(raw, 40)), 0xf0ff)) };
};

const privilegeOf = (attributes: I32): I32 => e.and(e.shrU(attributes, ATTRIBUTE.dplShift), 3);

/** Fills a segment register from a descriptor in memory. */
const storeSegment = (c: Code, segment: number, raw: I64, attributes: I32, selector: I32): void => {
  const at = segmentAddress(segment);
  const low = e.and(e.shrU(raw, 16), e.i64(0xff_ffff));
  const high = e.shl(e.shrU(raw, 56), 24);
  const limit = c.let(e.or(e.and(e.wrap(raw), 0xffff), e.and(e.wrap(e.shrU(raw, 32)), 0xf0000)));
  const pages = e.or(e.shl(limit, 12), 0xfff);
  c.store('i64.store', BASE, e.or(low, high), at + SEGMENT.base);
  const bytes = e.select(has(attributes, ATTRIBUTE.granularity), pages, limit);
  c.store('i32.store', BASE, bytes, at + SEGMENT.limit);
  c.store('i32.store', BASE, attributes, at + SEGMENT.attributes);
  c.store('i32.store16', BASE, selector, at + SEGMENT.selector);
};

/** A null selector in SS, as 64-bit code below privilege 3 may have it. */
const storeNullStack = (c: Code, selector: I32): void => {
  const at = segmentAddress(SEG.ss);
  c.store('i64.store', BASE, e.i64(0), at + SEGMENT.base);
  c.store('i32.store', BASE, e.i32(0), at + SEGMENT.limit);
  const privilege = e.shl(e.and(selector, 3), ATTRIBUTE.dplShift);
  c.store('i32.store', BASE, e.or(privilege, ATTRIBUTE.unusable), at + SEGMENT.attributes);
  c.store('i32.store16', BASE, selector, at + SEGMENT.selector);
};

/** What `deriveMode` makes of a new privilege between 64-bit code and 64-bit code, without alignment checks and breakpoints. */
const setPrivilege = (c: Code, privilege: I32): void => {
  c.if(e.ne(loadField32(c, 'cpl'), privilege), () => {
    const isUser = c.let(e.eq(privilege, 3));
    storeField32(c, 'cpl', privilege);
    storeField32(
      c,
      'execKey',
      e.select(isUser, e.i32(MODE_KEY.long | USER_KEY), e.i32(MODE_KEY.long)),
    );
    const smap = has(loadField32(c, 'cr4'), CR4.SMAP);
    const checks = e.and(smap, e.eqz(e.and(loadField32(c, 'systemFlags'), FLAG.AC)));
    const inner = e.select(
      checks,
      e.i32(tlbView(TLB_VIEWS.smap)),
      e.i32(tlbView(TLB_VIEWS.supervisor)),
    );
    storeField32(c, 'tlb', e.select(isUser, e.i32(tlbView(TLB_VIEWS.user)), inner));
    storeField64(c, 'pageLinear', e.i64(NO_TAG));
  });
};

/** 64-bit code at privilege 0 or 3, without single step, breakpoints and alignment checks. */
const demandUsualState = (c: Code): I32 => {
  demand(c, e.eq(loadField32(c, 'modeKey'), MODE_KEY.long));
  demand(c, e.eqz(e.and(loadField32(c, 'dr7'), 0xff)));
  demand(c, e.eqz(e.and(loadField32(c, 'systemFlags'), FLAG.TF | FLAG.NT | FLAG.VM)));
  const cpl = loadField32(c, 'cpl');
  demand(c, e.or(e.eqz(cpl), e.eq(cpl, 3)));
  const aligned = e.and(
    has(loadField32(c, 'cr0'), CR0.AM),
    has(loadField32(c, 'systemFlags'), FLAG.AC),
  );
  demand(c, e.eqz(aligned));
  demand(c, e.ne(loadField32(c, 'tlb'), tlbView(TLB_VIEWS.checked)));
  return cpl;
};

/** `deliver(vector, event, errorCode, returnRip)`: 1 if RIP is now that of the handler. */
export const buildDeliver = (c: Code, f: TransferCallees): void => {
  const vector = c.param(0, 'i32');
  const event = c.param(1, 'i32');
  const errorCode = c.param(2, 'i32');
  const returnRip = c.param(3, 'i64');
  const cpl = demandUsualState(c);

  const at = c.let(e.mul(vector, GATE_SIZE));
  demand(c, e.leU(e.add(at, GATE_SIZE - 1), loadField32(c, 'idtrLimit')));
  const gateLinear = c.let(e.add(loadField64(c, 'idtrBase'), e.extendU(at)));
  demand(c, withinPage(gateLinear, GATE_SIZE));
  const gate = c.letCall('i32', f.plainHost, gateLinear, e.i32(ACCESS.system));
  demand(c, gate);
  const low = c.load('i64.load', gate);
  const type = c.let(e.and(e.wrap(e.shrU(low, 40)), 0xff));
  const kind = e.and(type, 0x1f);
  const isInterrupt = c.let(e.eq(kind, SYSTEM_TYPE.interruptGate));
  demand(c, e.and(has(type, present), e.or(isInterrupt, e.eq(kind, SYSTEM_TYPE.trapGate))));
  demand(c, e.or(e.eqz(e.and(event, EVENT.isSoftware)), e.geU(privilegeOf(type), cpl)));

  const selector = c.let(e.and(e.wrap(e.shrU(low, 16)), 0xffff));
  const { raw, attributes } = loadDescriptor(c, f, selector);
  demand(c, e.eq(e.and(attributes, CODE_64.mask), CODE_64_VALUE));
  const privilege = c.let(privilegeOf(attributes));
  demand(c, e.or(e.eqz(privilege), e.eq(privilege, cpl)));
  const offset = e.or(
    e.and(low, e.i64(0xffff)),
    e.or(
      e.and(e.shrU(low, 32), e.i64(0xffff_0000)),
      e.shl(c.load('i64.load32_u', gate, QUADWORD), 32),
    ),
  );
  const rip = c.let(offset);
  demand(c, isCanonical(rip));

  const ist = c.let(e.and(e.wrap(e.shrU(low, 32)), 7));
  const inner = c.let(e.ltU(privilege, cpl));
  const rsp = c.load('i64.load', BASE, gprAddress(RSP));
  const top = c.variable('i64', rsp);
  c.if(e.or(ist, inner), () => {
    const istField = e.add(e.shl(ist, 3), TASK.ist1 - QUADWORD);
    const rspField = e.add(e.shl(privilege, 3), TASK.rsp0);
    const field = c.let(e.select(ist, istField, rspField));
    demand(c, e.leU(e.add(field, QUADWORD - 1), segmentField(c, SEG.tr, 'limit')));
    const base = c.load('i64.load', BASE, segmentAddress(SEG.tr) + SEGMENT.base);
    const linear = c.let(e.add(base, e.extendU(field)));
    demand(c, withinPage(linear, QUADWORD));
    const host = c.letCall('i32', f.plainHost, linear, e.i32(ACCESS.system));
    demand(c, host);
    c.set(top, c.load('i64.load', host));
  });
  const codes = c.let(e.and(event, EVENT.hasErrorCode));
  const bytes = c.let(e.add(e.shl(codes, 3), FRAME.size));
  const bottom = c.let(e.sub(e.and(c.get(top), e.i64(-16)), e.extendU(bytes)));
  demand(c, withinPage(bottom, bytes));
  const system = e.and(e.eq(cpl, 3), e.ne(privilege, 3));
  const access = e.select(system, e.i32(ACCESS.write | ACCESS.system), e.i32(ACCESS.write));
  const host = c.letCall('i32', f.plainHost, bottom, access);
  demand(c, host);

  // Nothing can fail any more.
  c.if(codes, () => c.store('i64.store', host, e.extendU(errorCode)));
  const frame = c.let(e.add(host, e.shl(codes, 3)));
  const flags = loadField32(c, 'systemFlags');
  const status = c.letCall('i32', f.statusFlags);
  const resume = e.select(has(event, EVENT.isFault), e.i32(FLAG.RF), e.i32(0));
  const image = e.or(e.or(e.and(flags, ~STATUS_FLAGS), status), e.or(resume, 2));
  const selectorOf = (segment: number): I64 =>
    c.load('i64.load16_u', BASE, segmentAddress(segment) + SEGMENT.selector);
  c.store('i64.store', frame, returnRip, FRAME.rip);
  c.store('i64.store', frame, selectorOf(SEG.cs), FRAME.cs);
  c.store('i64.store', frame, e.extendU(image), FRAME.flags);
  c.store('i64.store', frame, rsp, FRAME.rsp);
  c.store('i64.store', frame, selectorOf(SEG.ss), FRAME.ss);
  c.store('i64.store', BASE, bottom, gprAddress(RSP));
  storeSegment(c, SEG.cs, raw, attributes, e.or(e.and(selector, 0xfffc), privilege));
  c.if(inner, () => storeNullStack(c, privilege));
  const masked = FLAG.TF | FLAG.NT | FLAG.RF | FLAG.VM;
  const cleared = e.select(isInterrupt, e.i32(~(masked | FLAG.IF)), e.i32(~masked));
  storeField32(c, 'systemFlags', e.and(flags, cleared));
  setPrivilege(c, privilege);
  storeField64(c, 'rip', rip);
  c.return(e.i32(1));
};

/** The record at the state's RIP, or `QUICK.leave`. */
const returnNext = (c: Code, f: TransferCallees): void => {
  const next = c.letCall('i32', f.lookup, loadField64(c, 'rip'));
  c.return(e.select(next, next, e.i32(QUICK.leave)));
};

/** `quickInterrupt(record)`: INT n. A record, or one of `QUICK`. */
export const buildQuickInterrupt = (c: Code, f: TransferCallees): void => {
  const record = c.param(0, 'i32');
  const vector = c.load('i32.load8_u', record, RECORD.immediate);
  const end = e.add(
    c.load('i64.load16_u', record, RECORD.offset),
    c.load('i64.load8_u', record, RECORD.length),
  );
  const next = c.let(e.add(loadField64(c, 'pageLinear'), end));
  demand(c, c.letCall('i32', f.deliver, vector, e.i32(EVENT.isSoftware), e.i32(0), next));
  returnNext(c, f);
};

/** `quickReturn(record)`: IRETQ. A record, or one of `QUICK`. */
export const buildQuickReturn = (c: Code, f: TransferCallees): void => {
  const cpl = demandUsualState(c);
  demand(c, e.eqz(loadField32(c, 'nmiBlocked')));
  const rsp = c.load('i64.load', BASE, gprAddress(RSP));
  demand(c, withinPage(rsp, FRAME.size));
  const frame = c.letCall('i32', f.plainHost, rsp, e.i32(ACCESS.read));
  demand(c, frame);
  const rip = c.load('i64.load', frame, FRAME.rip);
  demand(c, isCanonical(rip));
  const selector = c.load('i32.load16_u', frame, FRAME.cs);
  const { raw, attributes } = loadDescriptor(c, f, selector);
  const privilege = c.let(e.and(selector, 3));
  demand(c, e.eq(e.and(attributes, CODE_64.mask), CODE_64_VALUE));
  demand(c, e.and(e.eq(privilegeOf(attributes), privilege), e.geU(privilege, cpl)));
  demand(c, e.or(e.eqz(privilege), e.eq(privilege, 3)));

  // What changes the way on (TF, AC, an interrupt that may come now) is for TypeScript.
  const image = c.load('i32.load', frame, FRAME.flags);
  const old = loadField32(c, 'systemFlags');
  const ioPrivilege = e.and(e.shrU(old, 12), 3);
  const always = FLAG.TF | FLAG.DF | FLAG.NT | FLAG.AC | FLAG.ID;
  const interrupts = e.select(e.leU(cpl, ioPrivilege), e.i32(FLAG.IF), e.i32(0));
  const mask = e.or(e.or(interrupts, always), e.select(cpl, e.i32(0), e.i32(FLAG.IOPL)));
  const next = c.let(e.or(e.and(old, e.not(mask)), e.and(image, mask)));
  const changed = c.let(e.xor(old, next));
  demand(c, e.eqz(e.and(changed, FLAG.TF | FLAG.AC | FLAG.NT)));
  const opened = has(e.and(changed, next), FLAG.IF);
  demand(c, e.eqz(e.and(opened, e.nez(loadField32(c, 'interruptPending')))));

  const stack = c.load('i32.load16_u', frame, FRAME.ss);
  const isNull = c.let(e.eqz(e.and(stack, 0xfffc)));
  demand(c, e.eq(e.and(stack, 3), privilege));
  const outer = c.let(e.ne(privilege, cpl));
  // A data segment that the outer level may not keep.
  c.if(outer, () => {
    for (const segment of [SEG.es, SEG.ds, SEG.fs, SEG.gs]) {
      const held = segmentField(c, segment, 'attributes');
      demand(c, e.or(has(held, ATTRIBUTE.unusable), e.eq(privilegeOf(held), 3)));
    }
  });
  const newRsp = c.load('i64.load', frame, FRAME.rsp);
  c.if(
    isNull,
    () => {
      demand(c, e.ne(privilege, 3));
      storeNullStack(c, stack);
    },
    () => {
      const data = loadDescriptor(c, f, stack);
      demand(c, e.eq(e.and(data.attributes, DATA_MASK), DATA_VALUE));
      demand(c, e.eq(privilegeOf(data.attributes), privilege));
      storeSegment(c, SEG.ss, data.raw, data.attributes, stack);
    },
  );

  c.store('i64.store', BASE, newRsp, gprAddress(RSP));
  storeSegment(c, SEG.cs, raw, attributes, selector);
  setPrivilege(c, privilege);
  storeField32(c, 'systemFlags', e.or(e.and(next, ~STATUS_FLAGS), 2));
  new MemoryFlags(c, f).set(image);
  storeField64(c, 'rip', rip);
  returnNext(c, f);
};

/**
 * `deliverFault()`: the exception that the state describes, raised by its record. The record to go on at; 0 leaves the engine, with an exit reason that
 * says how far it got.
 */
export const buildDeliverFault = (c: Code, f: TransferCallees): void => {
  demandUsualState(c);
  const offset = c.load('i64.load16_u', loadField32(c, 'record'), RECORD.offset);
  storeField64(c, 'rip', e.add(loadField64(c, 'pageLinear'), offset));
  const vector = loadField32(c, 'faultVector');
  demand(c, e.ne(vector, VECTOR.DB));
  const stop = c.letCall('i32', f.announce);
  storeField32(c, 'exitReason', e.select(stop, e.i32(EXIT.intercepted), e.i32(EXIT.announced)));
  c.if(stop, () => c.return(e.i32(0)));
  const isFault = e.and(e.shrU(e.i32(FAULT_MASK), vector), 1);
  const hasCode = loadField32(c, 'faultHasErrorCode');
  const event = e.or(hasCode, e.mul(isFault, EVENT.isFault));
  const code32 = loadField32(c, 'faultErrorCode');
  demand(c, c.letCall('i32', f.deliver, vector, event, code32, loadField64(c, 'rip')));
  storeField32(c, 'unwind', e.i32(0));
  c.return(c.letCall('i32', f.lookup, loadField64(c, 'rip')));
};
