/** Emptying of the soft TLBs, built into the core module, and the loads of CR3 that usually ask for it. */
import { RECORD, RECORD_SIZE } from './record.ts';
import { BASE } from '../wasm/code.ts';
import type { Callee, Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { I32 } from '../wasm/expr.ts';
import type { StateField } from '../cpu/state-layout.ts';
import { QUICK } from './core-transfer.ts';
import type { TransferCallees } from './core-transfer.ts';
import { MODE_KEY } from './decode-modes.ts';
import { EXIT } from './exit.ts';
import {
  EXEC_ENTRY,
  EXEC_FILLED,
  EXEC_FILLED_MAX,
  EXEC_TLB,
  EXEC_TLB_ENTRIES,
  NO_TAG,
  PAGE_SIZE,
  TLB_ENTRY,
  TLB_FILLED,
  TLB_FILLED_MAX,
  TLB_VIEWS,
  tlbView,
} from './layout.ts';
import {
  ACCESS,
  TRANSLATED,
  loadField32,
  loadField64,
  storeField32,
  storeField64,
} from './paging.ts';

/** In every byte of a tag: a word that no page-aligned (or mode-tagged) address equals. */
const NO_TAG_BYTE = 0x81;

const FIRST_VIEW = tlbView(0);
const VIEWS_SIZE = tlbView(Object.values(TLB_VIEWS).length) - FIRST_VIEW;

/** Empties the entries on a list of `field` addresses at `list`, or everything if it was too short for them. */
const buildFlush = (
  c: Code,
  field: StateField,
  list: number,
  most: number,
  clear: (entry: I32) => void,
  clearAll: () => void,
): void => {
  const filled = loadField32(c, field);
  c.if(e.geU(filled, most), clearAll, () => {
    const i = c.variable('i32', e.i32(0));
    c.block((end) =>
      c.loop((again) => {
        c.brIf(e.geU(c.get(i), filled), end);
        clear(c.load('i32.load', e.shl(c.get(i), 2), list));
        c.set(i, e.add(c.get(i), 1));
        c.br(again);
      }),
    );
  });
  storeField32(c, field, e.i32(0));
};

/** `flushData()`: forgets the translations of data. */
export const buildFlushData = (c: Code): void =>
  buildFlush(
    c,
    'tlbFilled',
    TLB_FILLED,
    TLB_FILLED_MAX,
    (entry) => {
      c.store('i64.store', entry, e.i64(NO_TAG), TLB_ENTRY.read);
      c.store('i64.store', entry, e.i64(NO_TAG), TLB_ENTRY.write);
    },
    () => c.memoryFill(e.i32(FIRST_VIEW), e.i32(NO_TAG_BYTE), e.i32(VIEWS_SIZE)),
  );

/** `flushExec()`: forgets the translations of code. */
export const buildFlushExec = (c: Code): void =>
  buildFlush(
    c,
    'execFilled',
    EXEC_FILLED,
    EXEC_FILLED_MAX,
    (entry) => c.store('i64.store', entry, e.i64(NO_TAG), EXEC_ENTRY.tag),
    () => {
      const size = e.i32(EXEC_TLB_ENTRIES * EXEC_ENTRY.size);
      c.memoryFill(e.i32(EXEC_TLB), e.i32(NO_TAG_BYTE), size);
    },
  );

/** The registers that a MOV reads from its field of the state. */
const CONTROL: readonly (readonly [number, StateField])[] = [
  [0, 'cr0'],
  [2, 'cr2'],
  [3, 'cr3'],
  [4, 'cr4'],
];

/** 64-bit code at privilege 0. */
const demandKernel = (c: Code): void => {
  const usual = e.and(e.eq(loadField32(c, 'modeKey'), MODE_KEY.long), e.eqz(loadField32(c, 'cpl')));
  c.if(e.eqz(usual), () => c.return(e.i32(QUICK.notDone)));
};

const operand = (c: Code, record: I32, i: number): I32 =>
  c.load('i32.load16_u', record, RECORD.registers + i * 2);

/** `quickReadControl(record)`: MOV from CR0, CR2, CR3, CR4. A record, or one of `QUICK`. */
export const buildQuickReadControl = (c: Code): void => {
  const record = c.param(0, 'i32');
  demandKernel(c);
  const number = operand(c, record, 1);
  for (const [n, field] of CONTROL)
    c.if(e.eq(number, n), () => {
      c.store('i64.store', operand(c, record, 0), loadField64(c, field));
      c.return(e.add(record, RECORD_SIZE));
    });
  c.return(e.i32(QUICK.notDone));
};

/** `quickWriteControl(record)`: MOV to CR3. Where the code goes on in the same physical page, nothing else is to be done. */
export const buildQuickWriteControl = (
  c: Code,
  f: TransferCallees,
  flushData: Callee,
  flushExec: Callee,
  physicalBits: number,
): void => {
  const record = c.param(0, 'i32');
  demandKernel(c);
  const value = c.load('i64.load', operand(c, record, 1));
  const end = c.let(
    e.add(
      c.load('i32.load16_u', record, RECORD.offset),
      c.load('i32.load8_u', record, RECORD.length),
    ),
  );
  const usual = e.and(
    e.and(e.eq(operand(c, record, 0), 3), e.eqz(e.shrU(value, physicalBits))),
    e.ltU(end, PAGE_SIZE),
  );
  c.if(e.eqz(usual), () => c.return(e.i32(QUICK.notDone)));

  storeField64(c, 'cr3', value);
  c.call(flushData);
  c.call(flushExec);
  const page = loadField64(c, 'pageLinear');
  const next = c.let(e.add(page, e.extendU(end)));
  const host = c.letCall('i32', f.quietTranslate, next, e.i32(ACCESS.fetch));
  const physical = e.wrap(e.shrU(loadField64(c, 'slowAddress'), 12));
  const stays = e.and(
    e.gtU(host, TRANSLATED.notMemory),
    e.eq(physical, loadField32(c, 'pagePhysical')),
  );
  c.if(stays, () => {
    const index = e.and(e.wrap(e.shrU(page, 12)), EXEC_TLB_ENTRIES - 1);
    const entry = c.let(e.add(e.shl(index, Math.log2(EXEC_ENTRY.size)), EXEC_TLB));
    const key = e.extendU(loadField32(c, 'execKey'));
    c.store('i64.store', entry, e.or(page, key), EXEC_ENTRY.tag);
    c.store('i32.store', entry, loadField32(c, 'pageEntries'), EXEC_ENTRY.entries);
    c.store('i32.store', entry, physical, EXEC_ENTRY.physical);
    c.store('i32.store', BASE, entry, EXEC_FILLED);
    storeField32(c, 'execFilled', e.i32(1));
    c.return(e.add(record, RECORD_SIZE));
  });
  storeField64(c, 'pageLinear', e.i64(NO_TAG));
  storeField64(c, 'rip', next);
  storeField32(c, 'exitReason', e.i32(EXIT.lookup));
  c.return(e.i32(QUICK.leave));
};
