/**
 * The interpreter: one loop that reads the record's handler number and branches to its code. Handlers 0 to `hot.length - 1` stand inline, the rest are
 * functions in the shared table; numbers from HELPER_BASE on are TypeScript helpers.
 */
import type { Callee, Code, Label } from '../wasm/code.ts';
import * as e from '../wasm/expr.ts';
import { EXIT } from './exit.ts';
import { loadField32, loadField64, storeField32, storeField64 } from './paging.ts';
import { RecordEmit } from './record-emit.ts';
import type { HandlerFrame } from './record-emit.ts';
import { RECORD } from './record.ts';
import type { Callees } from './runtime-functions.ts';
import type { InstructionShape } from './shape.ts';

/** Handlers of the engine's own records; they stand inline before the instructions' handlers. */
export const INTERNAL_HANDLERS = {
  /** The trace goes on elsewhere: look the record's place up again. */
  continue: 0,
  /** Goes on at the linked record without executing anything. */
  goto: 1,
  /** Bytes that are no instruction: raises #UD, or #GP(0) if they are too long; the immediate says which. */
  fault: 2,
  /** An embedder's breakpoint may stand here. */
  breakpoint: 3,
} as const;
const INTERNAL_COUNT = 4;
const UD = 6;

/** First handler number of inline instructions, and of helpers. */
export const FIRST_HOT: number = INTERNAL_COUNT;
export const HELPER_BASE = 0x8000;

/** Handler number of table entry `index`, given the number of inline handlers. */
export const coldHandler = (hotCount: number, index: number): number =>
  INTERNAL_COUNT + hotCount + index;

export const buildDispatchLoop = (
  c: Code,
  handlerType: number,
  callees: Callees & { readonly deliverFault: Callee },
  hot: readonly InstructionShape[],
): void => {
  const record = c.variable('i32', loadField32(c, 'record'));
  const remaining = c.variable('i32', loadField32(c, 'remaining'));
  const tlb = c.variable('i32', loadField32(c, 'tlb'));
  const inlineCount = INTERNAL_COUNT + hot.length;
  const loop = (exit: Label): void =>
    c.loop((next) => {
      const handler = c.load('i32.load16_u', c.get(record), RECORD.handler);
      c.if(e.eqz(c.get(remaining)), () => {
        storeField32(c, 'exitReason', e.i32(EXIT.budget));
        c.br(exit);
      });
      c.set(remaining, e.sub(c.get(remaining), 1));
      // `continue` and `goto` execute nothing and cost nothing.
      const refund = (): void => c.set(remaining, e.add(c.get(remaining), 1));
      const goOn = (target: e.I32): void => {
        c.set(record, target);
        c.br(next);
      };
      nestedBlocks(c, inlineCount, (labels, otherwise) => c.brTable(handler, labels, otherwise), [
        () => {
          refund();
          buildContinue(c, callees.lookup, record, exit, goOn);
        },
        () => {
          refund();
          goOn(c.load('i32.load', c.get(record), RECORD.link));
        },
        () => {
          const vector = c.load('i32.load8_u', c.get(record), RECORD.immediate);
          const hasCode = e.ne(vector, UD);
          c.call(callees.raise, vector, e.i32(0), hasCode);
          c.br(exit);
        },
        () => {
          refund();
          storeField32(c, 'exitReason', e.i32(EXIT.breakpoint));
          c.br(exit);
        },
        ...hot.map((shape) => () => {
          const frame: HandlerFrame = {
            record: c.get(record),
            tlb: () => c.get(tlb),
            synchronise: () => {
              storeField32(c, 'record', c.get(record));
              storeField32(c, 'remaining', c.get(remaining));
            },
            resume: () => c.set(remaining, loadField32(c, 'remaining')),
            next: (target) => {
              if (target.constant === 0) c.br(exit);
              else if (target.local === record.index) c.br(next);
              else continueOrExit(c, target, record, exit, next);
            },
          };
          c.scope(() => new RecordEmit(c, shape, callees, frame).build());
        }),
      ]);
      // Cold handlers see record and count in the state.
      storeField32(c, 'record', c.get(record));
      storeField32(c, 'remaining', c.get(remaining));
      const target = c.variable('i32');
      c.if(
        e.geU(handler, HELPER_BASE),
        () =>
          c.set(
            target,
            c.letCall('i32', callees.helper, e.sub(handler, HELPER_BASE), c.get(record)),
          ),
        () =>
          c.set(target, c.letCallIndirect(handlerType, e.sub(handler, inlineCount), c.get(record))),
      );
      c.set(remaining, loadField32(c, 'remaining'));
      c.set(tlb, loadField32(c, 'tlb'));
      c.if(e.eqz(c.get(target)), () => {
        // A region may have got far beyond the record by which it was entered.
        c.set(record, loadField32(c, 'record'));
        c.br(exit);
      });
      goOn(c.get(target));
    });
  c.loop((again) => {
    c.block(loop);
    storeField32(c, 'record', c.get(record));
    storeField32(c, 'remaining', c.get(remaining));
    c.if(e.eq(loadField32(c, 'exitReason'), EXIT.fault), () => {
      const handler = c.letCall('i32', callees.deliverFault);
      c.if(handler, () => {
        c.set(record, handler);
        c.set(remaining, loadField32(c, 'remaining'));
        c.set(tlb, loadField32(c, 'tlb'));
        c.br(again);
      });
    });
  });
};

type RecordVariable = ReturnType<typeof recordVariable>;
const recordVariable = (c: Code): { readonly type: 'i32'; readonly index: number } =>
  c.variable('i32');

/** Sequential records are never 0; looked-up ones may be. */
const continueOrExit = (
  c: Code,
  target: e.I32,
  record: RecordVariable,
  exit: Label,
  next: Label,
): void => {
  if (target.local >= 0) c.brIf(e.eqz(target), exit);
  c.set(record, target);
  c.br(next);
};

/** `block { block { … switch … } case 0 } case 1 } …`: every case ends by branching away. */
const nestedBlocks = (
  c: Code,
  count: number,
  dispatch: (labels: readonly Label[], otherwise: Label) => void,
  cases: readonly (() => void)[],
): void => {
  c.block((otherwise) => {
    const open = (i: number, labels: readonly Label[]): void => {
      if (i < 0) {
        dispatch(labels, otherwise);
        return;
      }
      c.block((label) => open(i - 1, [label, ...labels]));
      (cases[i] as () => void)();
    };
    open(count - 1, []);
  });
};

const buildContinue = (
  c: Code,
  lookup: Callee,
  record: RecordVariable,
  exit: Label,
  goOn: (target: e.I32) => void,
): void => {
  const offset = c.load('i64.load16_u', c.get(record), RECORD.offset);
  const linear = e.add(loadField64(c, 'pageLinear'), offset);
  const rip = c.variable('i64', e.sub(linear, loadField64(c, 'codeBase')));
  c.if(loadField32(c, 'modeKey'), () => c.set(rip, e.and(c.get(rip), e.i64(0xffff_ffff))));
  storeField64(c, 'rip', c.get(rip));
  const target = c.letCall('i32', lookup, c.get(rip));
  c.brIf(e.eqz(target), exit);
  goOn(target);
};
