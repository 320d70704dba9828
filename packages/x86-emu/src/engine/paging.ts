/**
 * Address translation, built into the core module: page walk (SDM Vol. 3A, chapter 4), permission check, accessed and dirty bits, TLB fill.
 */
import { FIELDS, gprAddress } from '../cpu/state-layout.ts';
import type { StateField } from '../cpu/state-layout.ts';
import { BASE } from '../wasm/code.ts';
import type { Callee, Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import {
  CODE_MASKS,
  NO_TAG,
  PAGE_FLAG,
  PAGE_MAP,
  PAGE_MASK,
  TLB_ENTRIES,
  TLB_ENTRY,
  TLB_FILLED,
  TLB_FILLED_MAX,
  TLB_VIEWS,
  tlbView,
} from './layout.ts';
import { RECORD } from './record.ts';

/** Kinds of access, as bits of `translate`'s second argument. */
export const ACCESS = { read: 0, write: 1, fetch: 2, system: 4 } as const;
/** What `translate` gives instead of a host address. */
export const TRANSLATED = { fault: 0, notMemory: 1 } as const;

const ENTRY = { present: 1, writable: 2, user: 4, accessed: 0x20, dirty: 0x40, large: 0x80 };
const CR0_WP = 1 << 16;
const CR0_PG = 1 << 31;
const CR4_PSE = 1 << 4;
const CR4_PAE = 1 << 5;
const CR4_SMEP = 1 << 20;
const CR4_SMAP = 1 << 21;
const EFER_LMA = 1 << 10;
const EFER_NXE = 1 << 11;
const FLAG_AC = 1 << 18;
const PF = 14;
const PHYSICAL_PAGE = 0x000f_ffff_ffff_f000n;
const STACK_SEGMENT = 2;
const NO_SEGMENT = 0xff;
const RSP = 4;

export const loadField32 = (c: Code, field: StateField): I32 =>
  c.load('i32.load', BASE, FIELDS[field].address);

export const loadField64 = (c: Code, field: StateField): I64 =>
  c.load('i64.load', BASE, FIELDS[field].address);

export const storeField32 = (c: Code, field: StateField, value: I32): void =>
  c.store('i32.store', BASE, value, FIELDS[field].address);

export const storeField64 = (c: Code, field: StateField, value: I64): void =>
  c.store('i64.store', BASE, value, FIELDS[field].address);

/** Page-map entry of a physical address: 0 beyond 4 GiB. Bound. */
export const pageMapEntry = (c: Code, physical: I64): I32 => {
  const entry = c.variable('i32', e.i32(0));
  const page = c.let(e.shrU(physical, 12));
  c.if(e.ltU(page, e.i64(1 << 20)), () =>
    c.set(entry, c.load('i32.load', e.shl(e.wrap(page), 2), PAGE_MAP)),
  );
  return c.get(entry);
};

/** State of one translation under construction. */
interface Walk {
  readonly c: Code;
  readonly linear: I64;
  readonly access: I32;
  readonly raise: Callee;
  readonly physicalBits: number;
  readonly cr4: I32;
  readonly efer: I32;
  readonly user: I32;
}

const has = (value: I32, bits: number): I32 => e.nez(e.and(value, bits));

const pageFault = (w: Walk, code: I32): void => {
  const { c } = w;
  const execute = e.or(has(w.efer, EFER_NXE), has(w.cr4, CR4_SMEP));
  const fetch = e.and(has(w.access, ACCESS.fetch), execute);
  storeField64(c, 'cr2', w.linear);
  c.call(
    w.raise,
    e.i32(PF),
    e.or(
      e.or(code, e.shl(e.and(w.access, ACCESS.write), 1)),
      e.or(e.shl(w.user, 2), e.shl(fetch, 4)),
    ),
    e.i32(1),
  );
  c.return(e.i32(TRANSLATED.fault));
};

/** Sets bits in the low byte of the paging entry at host address `host`. */
const mark = (c: Code, host: I32, physical: I64, entry: I64, bits: number): void => {
  c.if(e.ne(e.and(e.wrap(entry), bits), bits), () => {
    c.store('i32.store8', host, e.or(c.load('i32.load8_u', host), bits));
    const at = c.let(e.shl(e.wrap(e.shrU(physical, 12)), 2));
    c.store('i32.store', at, e.or(c.load('i32.load', at, PAGE_MAP), PAGE_FLAG.dirty), PAGE_MAP);
  });
};

/** One paging structure: index bits of the linear address, entry size, and what its entries may be. */
interface Level {
  readonly shift: number;
  readonly indexBits: number;
  readonly entryBytes: 4 | 8;
  /** A set PS bit (or, for `pse`, one under CR4.PSE) makes the entry map a large page. */
  readonly large: 'never' | 'ps' | 'pse';
  /** The entry has R/W and U/S bits (PDPTEs of 32-bit PAE paging have none). */
  readonly permissions: boolean;
  /** Highest address bit, exclusive: those between MAXPHYADDR and it are reserved. */
  readonly addressEnd: number;
}

const level = (shift: number, large: Level['large'] = 'never'): Level => ({
  shift,
  indexBits: 9,
  entryBytes: 8,
  large,
  permissions: true,
  addressEnd: 52,
});

const LONG: readonly Level[] = [level(39), level(30, 'ps'), level(21, 'ps'), level(12)];
const PAE: readonly Level[] = [
  { ...level(30), indexBits: 2, permissions: false, addressEnd: 63 },
  { ...level(21, 'ps'), addressEnd: 63 },
  { ...level(12), addressEnd: 63 },
];
const LEGACY: readonly Level[] = [
  { ...level(22, 'pse'), indexBits: 10, entryBytes: 4 },
  { ...level(12), indexBits: 10, entryBytes: 4 },
];

/** Walks the levels; ends with the physical address in `physical`, or returns from the function with a fault. */
const walkLevels = (w: Walk, levels: readonly Level[], root: I64, physical: Variable64): void => {
  const { c, linear } = w;
  const table = c.variable('i64', root);
  const rights = c.variable('i32', e.i32(-1));
  const noExecute = c.variable('i64', e.i64(0));
  const entryAt = c.variable('i64');
  const entryHost = c.variable('i32');
  const entry = c.variable('i64');

  c.block((found) => {
    for (const l of levels) {
      const index = e.and(e.shrU(linear, l.shift), e.i64((1 << l.indexBits) - 1));
      c.set(entryAt, e.add(c.get(table), e.shl(index, Math.log2(l.entryBytes))));
      const at = c.snapshot(entryAt);
      const map = pageMapEntry(c, at);
      c.set(entryHost, e.or(e.and(map, ~PAGE_MASK), e.and(e.wrap(at), PAGE_MASK)));
      c.if(
        e.and(map, PAGE_FLAG.present),
        () =>
          c.set(entry, c.load(l.entryBytes === 8 ? 'i64.load' : 'i64.load32_u', c.get(entryHost))),
        () => c.set(entry, e.i64(0)),
      );
      const value = c.snapshot(entry);
      const low = c.let(e.wrap(value));
      c.if(e.eqz(e.and(low, ENTRY.present)), () => pageFault(w, e.i32(0)));
      const large = isLarge(w, l, low);
      if (l.large === 'pse') {
        // PSE-36: the page's address bits 39:32 stand in 20:13; what MAXPHYADDR lacks of them, and bit 21, is reserved (table 4-4).
        const addressBits = Math.max(0, Math.min(8, w.physicalBits - 32));
        const reserved = ((1 << 22) - 1) & ~((1 << (13 + addressBits)) - 1);
        c.if(e.and(large, has(low, reserved)), () => pageFault(w, e.i32(1 | 8)));
      }
      if (l.entryBytes === 8) {
        const reservedHigh = (1n << BigInt(l.addressEnd)) - (1n << BigInt(w.physicalBits));
        // Reserved: address bits beyond MAXPHYADDR, NX without NXE, PS where there are no large pages, low address bits of large pages.
        const bits = c.let(
          e.or(e.i64(reservedHigh), e.select(has(w.efer, EFER_NXE), e.i64(0), e.i64(1n << 63n))),
        );
        const psReserved = l.large === 'never' && l.shift === 39 ? ENTRY.large : 0;
        const largeReserved = l.large === 'ps' ? ((1 << l.shift) - 1) & ~0x1fff : 0;
        c.if(
          e.or(
            e.nez(e.and(value, bits)),
            e.or(has(low, psReserved), e.and(large, has(low, largeReserved))),
          ),
          () => pageFault(w, e.i32(1 | 8)),
        );
      }
      if (l.permissions) {
        c.set(rights, e.and(c.get(rights), low));
        c.set(noExecute, e.or(c.get(noExecute), value));
      }
      if (l.large !== 'never') {
        c.if(large, () => {
          const offset = e.i64((1n << BigInt(l.shift)) - 1n);
          const frame =
            l.large === 'pse'
              ? e.or(
                  e.and(value, e.i64(0xffc0_0000)),
                  e.shl(e.and(e.shrU(value, 13), e.i64(0xff)), 32),
                )
              : e.and(e.and(value, e.i64(PHYSICAL_PAGE)), e.not(offset));
          c.set(physical, e.or(frame, e.and(linear, offset)));
          c.br(found);
        });
      }
      if (l.shift === 12) {
        c.set(physical, e.or(e.and(value, e.i64(PHYSICAL_PAGE)), e.and(linear, e.i64(PAGE_MASK))));
      } else {
        if (l.permissions) mark(c, c.get(entryHost), at, value, ENTRY.accessed);
        c.set(table, e.and(value, e.i64(PHYSICAL_PAGE)));
      }
    }
  });

  checkRights(w, c.get(rights), c.get(noExecute));
  const leaf = c.snapshot(entry);
  c.if(
    e.and(w.access, ACCESS.write),
    () => mark(c, c.get(entryHost), c.get(entryAt), leaf, ENTRY.accessed | ENTRY.dirty),
    () => mark(c, c.get(entryHost), c.get(entryAt), leaf, ENTRY.accessed),
  );
};

const isLarge = (w: Walk, l: Level, low: I32): I32 => {
  if (l.large === 'never') return e.i32(0);
  const ps = w.c.let(has(low, ENTRY.large));
  return l.large === 'ps' ? ps : w.c.let(e.and(ps, has(w.cr4, CR4_PSE)));
};

/** SDM Vol. 3A, section 4.6.1. */
const checkRights = (w: Walk, rights: I32, noExecute: I64): void => {
  const { c } = w;
  const userPage = c.let(has(rights, ENTRY.user));
  const readOnly = c.let(e.eqz(e.and(rights, ENTRY.writable)));
  const write = c.let(has(w.access, ACCESS.write));
  const fetch = c.let(has(w.access, ACCESS.fetch));
  const noFetch = e.and(fetch, e.and(e.wrap(e.shrU(noExecute, 63)), has(w.efer, EFER_NXE)));
  const denied = c.variable('i32', noFetch);
  const deny = (condition: I32): void => c.set(denied, e.or(c.get(denied), condition));
  c.if(
    w.user,
    () => deny(e.or(e.eqz(userPage), e.and(write, readOnly))),
    () => {
      deny(e.and(e.and(write, readOnly), has(loadField32(c, 'cr0'), CR0_WP)));
      deny(e.and(e.and(fetch, userPage), has(w.cr4, CR4_SMEP)));
      const implicit = has(w.access, ACCESS.system);
      const noOverride = e.eqz(e.and(loadField32(c, 'systemFlags'), FLAG_AC));
      deny(
        e.and(
          e.and(e.and(userPage, e.eqz(fetch)), has(w.cr4, CR4_SMAP)),
          e.or(implicit, noOverride),
        ),
      );
    },
  );
  c.if(c.get(denied), () => pageFault(w, e.i32(1)));
};

type Variable64 = ReturnType<typeof variable64>;
const variable64 = (c: Code): { readonly type: 'i64'; readonly index: number } => c.variable('i64');

/** The view of the processor's own accesses: they are supervisor's, and SMAP applies to them whatever AC says. */
export const systemView = (c: Code): I32 =>
  e.select(
    has(loadField32(c, 'cr4'), CR4_SMAP),
    e.i32(tlbView(TLB_VIEWS.smap)),
    e.i32(tlbView(TLB_VIEWS.supervisor)),
  );

/** Puts the translation into the view that it is for, with the rights of this access only. */
const fillTlb = (w: Walk, physical: I64, map: I32): void => {
  const { c, linear } = w;
  const isSystem = has(w.access, ACCESS.system);
  const view = c.let(e.select(isSystem, systemView(c), loadField32(c, 'tlb')));
  const bypass = e.or(has(w.access, ACCESS.fetch), e.eq(view, tlbView(TLB_VIEWS.checked)));
  c.if(e.eqz(e.or(bypass, has(map, PAGE_FLAG.watched))), () => {
    const index = e.shl(e.and(e.wrap(e.shrU(linear, 12)), TLB_ENTRIES - 1), 5);
    const entry = c.let(e.add(view, index));
    const tag = c.let(e.and(linear, e.i64(~BigInt(PAGE_MASK))));
    const known = c.load('i64.load', entry, TLB_ENTRY.read);
    c.if(e.ne(known, tag), () => {
      c.if(has(e.wrap(known), PAGE_MASK), () => {
        const count = loadField32(c, 'tlbFilled');
        c.if(e.ltU(count, TLB_FILLED_MAX), () => {
          c.store('i32.store', e.shl(count, 2), entry, TLB_FILLED);
          storeField32(c, 'tlbFilled', e.add(count, 1));
        });
      });
      c.store('i64.store', entry, tag, TLB_ENTRY.read);
      c.store('i64.store', entry, e.i64(NO_TAG), TLB_ENTRY.write);
      c.store('i32.store', entry, e.sub(e.and(map, ~PAGE_MASK), e.wrap(tag)), TLB_ENTRY.addend);
    });
    const special = e.and(map, PAGE_FLAG.readOnly | PAGE_FLAG.code);
    c.if(e.and(has(w.access, ACCESS.write), e.eqz(special)), () => {
      c.store('i64.store', entry, tag, TLB_ENTRY.write);
    });
  });
  // A write through the slow path dirties the page as one through the TLB does.
  c.if(e.and(w.access, ACCESS.write), () => {
    const at = c.let(e.shl(e.wrap(e.shrU(physical, 12)), 2));
    c.store('i32.store', at, e.or(map, PAGE_FLAG.dirty), PAGE_MAP);
  });
};

/**
 * Builds `translate(linear, access)`: the host address, or one of `TRANSLATED`. The physical address is left in `slowAddress`.
 */
export const buildTranslate = (c: Code, raise: Callee, physicalBits: number): void => {
  const linear = c.param(0, 'i64');
  const access = c.param(1, 'i32');

  c.if(e.ne(e.shrS(e.shl(linear, 16), 16), linear), () => {
    // Stack accesses raise #SS: operands in SS, and whatever is next to RSP or belongs to an instruction without a memory operand.
    const segment = c.load('i32.load8_u', loadField32(c, 'record'), RECORD.segment);
    const rsp = c.load('i64.load', BASE, gprAddress(RSP));
    const nearStack = e.ltU(e.add(e.sub(linear, rsp), e.i64(16)), e.i64(32));
    const stack = e.and(
      e.or(e.or(e.eq(segment, STACK_SEGMENT), e.eq(segment, NO_SEGMENT)), nearStack),
      e.eqz(e.and(access, ACCESS.fetch | ACCESS.system)),
    );
    c.call(raise, e.select(stack, e.i32(12), e.i32(13)), e.i32(0), e.i32(1));
    c.return(e.i32(TRANSLATED.fault));
  });

  const physical = variable64(c);
  const walk: Walk = {
    c,
    linear,
    access,
    raise,
    physicalBits,
    cr4: loadField32(c, 'cr4'),
    efer: loadField32(c, 'efer'),
    user: c.let(e.and(e.eq(loadField32(c, 'cpl'), 3), e.eqz(e.and(access, ACCESS.system)))),
  };
  const cr3 = loadField64(c, 'cr3');
  c.if(
    e.and(loadField32(c, 'cr0'), CR0_PG),
    () =>
      c.if(
        has(walk.efer, EFER_LMA),
        () => walkLevels(walk, LONG, e.and(cr3, e.i64(PHYSICAL_PAGE)), physical),
        () =>
          c.if(
            has(walk.cr4, CR4_PAE),
            () => walkLevels(walk, PAE, e.and(cr3, e.i64(0xffff_ffe0)), physical),
            () => walkLevels(walk, LEGACY, e.and(cr3, e.i64(0xffff_f000)), physical),
          ),
      ),
    () => c.set(physical, e.and(linear, e.i64(0xffff_ffff))),
  );

  const at = c.snapshot(physical);
  storeField64(c, 'slowAddress', at);
  const map = pageMapEntry(c, at);
  c.if(e.eqz(e.and(map, PAGE_FLAG.present)), () => c.return(e.i32(TRANSLATED.notMemory)));
  fillTlb(walk, at, map);
  c.return(e.or(e.and(map, ~PAGE_MASK), e.and(e.wrap(linear), PAGE_MASK)));
};

/** The bit of the granule at `address` in its page's code mask. */
const granuleBit = (address: I32): I32 => e.shl(e.i32(1), e.and(e.shrU(address, 7), 31));

/** Whether `bytes` bytes at `physical` touch a granule that holds decoded code. */
export const touchesCode = (c: Code, physical: I64, bytes: number): I32 => {
  const low = c.let(e.wrap(physical));
  const masks = c.load('i32.load', e.shl(e.shrU(low, 12), 2), CODE_MASKS);
  return c.let(e.nez(e.and(masks, e.or(granuleBit(low), granuleBit(e.add(low, bytes - 1))))));
};
