/** The core WebAssembly module: address translation, memory slow paths, flags, record lookup, and the interpreter's dispatch loop. */
import type { Callee, Code } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import type { ValType } from '../wasm/expr.ts';
import { ModuleBuilder } from '../wasm/module.ts';
import {
  buildCrossLoad,
  buildCrossStore,
  buildLoad,
  buildPrepareModify,
  buildSegmentLinear,
  buildStore,
} from './core-memory.ts';
import type { AccessType, MemoryCallees } from './core-memory.ts';
import {
  buildDeliver,
  buildDeliverFault,
  buildPlainHost,
  buildQuickInterrupt,
  buildQuickReturn,
  buildQuietTranslate,
} from './core-transfer.ts';
import type { TransferCallees } from './core-transfer.ts';
import {
  buildFlushData,
  buildFlushExec,
  buildQuickReadControl,
  buildQuickWriteControl,
} from './core-tlb.ts';
import { EXIT } from './exit.ts';
import { buildDispatchLoop } from './dispatch-loop.ts';
import { EXEC_ENTRY, EXEC_TLB, EXEC_TLB_ENTRIES, PAGE_MASK } from './layout.ts';
import { allLazyFlags, lazyCarry, loadLazyFlags } from './memory-flags.ts';
import { buildTranslate, loadField32, loadField64, storeField32, storeField64 } from './paging.ts';
import { IMPORTS, RUNTIME } from './runtime-functions.ts';
import type { Callees, ImportName, RuntimeName } from './runtime-functions.ts';
import type { InstructionShape } from './shape.ts';
import { RECORD } from './record.ts';

/** Exports of the core module that TypeScript calls. */
export interface CoreExports {
  /** Runs from `record` until the budget `remaining` is used up or something needs TypeScript; sets `exitReason`. */
  readonly run: () => void;
  /** Host address or a value of `TRANSLATED`; arguments as `ACCESS`. */
  readonly translate: (linear: bigint, access: number) => number;
  readonly lookup: (rip: bigint) => number;
  readonly statusFlags: () => number;
  readonly flushData: () => void;
  readonly flushExec: () => void;
}

const LOADS: readonly [RuntimeName, number, AccessType][] = [
  ['load8', 1, 'i32'],
  ['load16', 2, 'i32'],
  ['load32', 4, 'i32'],
  ['load64', 8, 'i64'],
  ['loadVector', 16, 'v128'],
];
const STORES: readonly [RuntimeName, number, AccessType][] = [
  ['store8', 1, 'i32'],
  ['store16', 2, 'i32'],
  ['store32', 4, 'i32'],
  ['store64', 8, 'i64'],
  ['storeVector', 16, 'v128'],
];

/** `raise(vector, errorCode, hasErrorCode)`. */
const buildRaise = (c: Code): void => {
  storeField32(c, 'faultVector', c.param(0, 'i32'));
  storeField32(c, 'faultErrorCode', c.param(1, 'i32'));
  storeField32(c, 'faultHasErrorCode', c.param(2, 'i32'));
  storeField32(c, 'exitReason', e.i32(EXIT.fault));
  storeField32(c, 'unwind', e.i32(1));
};

/**
 * `lookup(rip)`: the record at `rip` if its page is the present one or in the exec TLB and the instruction is decoded.
 * Else 0: `rip` and `exitReason` are set for TypeScript to decode.
 */
const buildLookup = (c: Code): void => {
  const rip = c.param(0, 'i64');
  const linear = c.variable('i64', e.add(rip, loadField64(c, 'codeBase')));
  const modeKey = loadField32(c, 'modeKey');
  c.if(modeKey, () => c.set(linear, e.and(c.get(linear), e.i64(0xffff_ffff))));
  const page = c.let(e.and(c.get(linear), e.i64(~BigInt(PAGE_MASK))));
  const entries = c.variable('i32', e.i32(0));
  c.if(
    e.eq(page, loadField64(c, 'pageLinear')),
    () => c.set(entries, loadField32(c, 'pageEntries')),
    () => {
      const index = e.and(e.wrap(e.shrU(page, 12)), EXEC_TLB_ENTRIES - 1);
      const slot = c.let(e.shl(index, Math.log2(EXEC_ENTRY.size)));
      const tag = c.load('i64.load', slot, EXEC_TLB + EXEC_ENTRY.tag);
      c.if(e.eq(tag, e.or(page, e.extendU(loadField32(c, 'execKey')))), () => {
        c.set(entries, c.load('i32.load', slot, EXEC_TLB + EXEC_ENTRY.entries));
        storeField64(c, 'pageLinear', page);
        storeField32(c, 'pageEntries', c.get(entries));
        const physical = c.load('i32.load', slot, EXEC_TLB + EXEC_ENTRY.physical);
        storeField32(c, 'pagePhysical', physical);
      });
    },
  );
  const record = c.variable('i32', e.i32(0));
  c.if(c.get(entries), () => {
    const offset = e.shl(e.and(e.wrap(c.get(linear)), PAGE_MASK), 2);
    c.set(record, c.load('i32.load', e.add(c.get(entries), offset)));
  });
  c.if(e.eqz(c.get(record)), () => {
    storeField64(c, 'rip', rip);
    storeField32(c, 'exitReason', e.i32(EXIT.lookup));
  });
  c.return(c.get(record));
};

/** `resolve(rip, record)`: `lookup` for the direct branch `record`, which keeps the answer if the target is on its own page. */
const buildResolve = (c: Code, lookup: Callee): void => {
  const rip = c.param(0, 'i64');
  const record = c.param(1, 'i32');
  const before = loadField64(c, 'pageLinear');
  const target = c.letCall('i32', lookup, rip);
  // 16-bit code may wrap at the end of its segment, where the distance between two places of a page depends on the mapping.
  const steady = e.leU(loadField32(c, 'modeKey'), 1);
  c.if(e.and(e.nez(target), e.and(steady, e.eq(before, loadField64(c, 'pageLinear')))), () =>
    c.store('i32.store', record, target, RECORD.link),
  );
  c.return(target);
};

/** A module whose functions may call the runtime: the core defines it, handler modules import it. */
export const importRuntime = (module: ModuleBuilder): Callees => {
  const callees: Partial<Record<string, Callee>> = {};
  for (const [name, { params, result }] of Object.entries(RUNTIME))
    callees[name] = module.import(name, params, result);
  for (const name of ['slowPath', 'helper'] as const)
    callees[name] = module.import(name, IMPORTS[name].params, IMPORTS[name].result);
  return callees as Callees;
};

/** Builds the core module; `hot` are the shapes whose handlers stand inline in the dispatch loop, numbered from 0. */
export const buildCoreModule = (
  hot: readonly InstructionShape[],
  physicalBits: number,
): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder('core', { importTable: true });
  const imports: Partial<Record<ImportName, Callee>> = {};
  for (const [name, { params, result }] of Object.entries(IMPORTS) as [
    ImportName,
    (typeof IMPORTS)[ImportName],
  ][])
    imports[name] = module.import(name, params, result);

  const bodies: Partial<Record<RuntimeName, Code>> = {};
  const callees: Partial<Record<string, Callee>> = { ...imports };
  for (const [name, { params, result }] of Object.entries(RUNTIME) as [
    RuntimeName,
    (typeof RUNTIME)[RuntimeName],
  ][]) {
    const { callee, body } = module.function(params, result, name);
    callees[name] = callee;
    bodies[name] = body;
  }
  const declare = (name: string, params: readonly ValType[], result?: ValType): Code => {
    const { callee, body } = module.function(params, result, name);
    callees[name] = callee;
    return body;
  };
  const translate = declare('translate', ['i64', 'i32'], 'i32');
  const crossLoad = declare('crossLoad', ['i64', 'i32']);
  const crossStore = declare('crossStore', ['i64', 'i32']);
  const quietTranslate = declare('quietTranslate', ['i64', 'i32'], 'i32');
  const flushData = declare('flushData', []);
  const flushExec = declare('flushExec', []);
  const plainHost = declare('plainHost', ['i64', 'i32'], 'i32');
  const deliver = declare('deliver', ['i32', 'i32', 'i32', 'i64'], 'i32');
  const deliverFault = declare('deliverFault', [], 'i32');
  const run = declare('run', []);

  const memory = callees as unknown as MemoryCallees;
  const runtime = callees as unknown as TransferCallees;
  const body = (name: RuntimeName): Code => bodies[name] as Code;
  buildTranslate(translate, runtime.raise, physicalBits);
  buildCrossLoad(crossLoad, memory);
  buildCrossStore(crossStore, memory);
  for (const [name, bytes, type] of LOADS) buildLoad(body(name), memory, bytes, type);
  for (const [name, bytes, type] of STORES) buildStore(body(name), memory, bytes, type);
  buildPrepareModify(body('prepareModify'), memory);
  buildSegmentLinear(body('segmentLinear'), memory);
  buildRaise(body('raise'));
  const flags = body('statusFlags');
  flags.return(allLazyFlags(flags));
  const carry = body('carryFlag');
  carry.return(lazyCarry(loadLazyFlags(carry)));
  buildLookup(body('lookup'));
  buildResolve(body('resolve'), runtime.lookup);
  buildFlushData(flushData);
  buildFlushExec(flushExec);
  buildQuietTranslate(quietTranslate, memory.translate);
  buildQuickReadControl(body('quickReadControl'));
  buildQuickWriteControl(
    body('quickWriteControl'),
    runtime,
    callees['flushData'] as Callee,
    callees['flushExec'] as Callee,
    physicalBits,
  );
  buildPlainHost(plainHost, runtime.quietTranslate);
  buildDeliver(deliver, runtime);
  buildDeliverFault(deliverFault, runtime);
  buildQuickInterrupt(body('quickInterrupt'), runtime);
  buildQuickReturn(body('quickReturn'), runtime);
  const delivers = { ...runtime, deliverFault: callees['deliverFault'] as Callee };
  buildDispatchLoop(run, module.type(['i32'], 'i32'), delivers, hot);
  return module.finish();
};
