/** CLI STI PUSHF POPF, and HLT: what a program does with interrupts and whole flag images (SDM Vol. 2). */
import { FLAG, IOPL_SHIFT } from '../cpu/control-bits.ts';
import { VECTOR } from '../cpu/helper.ts';
import type { Helper } from '../cpu/helper.ts';
import { registerSlowPath } from '../cpu/slow-path.ts';
import * as e from '../wasm/expr.ts';
import type { I32, I64 } from '../wasm/expr.ts';
import type { Emit, Semantics } from './emit.ts';
import type { Row } from './row.ts';

const ioPrivilege = (systemFlags: I32): I32 => e.and(e.shrU(systemFlags, IOPL_SHIFT), 3);

/** #GP(0) unless CPL <= IOPL. Real mode has CPL 0, virtual-8086 mode CPL 3: the rule holds there too (no VME, no PVI). */
const demandIoPrivilege = (x: Emit, systemFlags: I32): void => {
  x.raiseIf(e.gtU(x.field('cpl') as I32, ioPrivilege(systemFlags)), VECTOR.GP, 0);
};

/** #GP(0) in virtual-8086 mode with IOPL below 3. */
const demandVirtual8086Privilege = (x: Emit, systemFlags: I32): void => {
  if (x.mode !== 'legacy') return;
  const virtual = e.nez(e.and(systemFlags, FLAG.VM));
  x.raiseIf(e.and(virtual, e.ltU(ioPrivilege(systemFlags), 3)), VECTOR.GP, 0);
};

const cli: Semantics = (x) => {
  const flags = x.field('systemFlags') as I32;
  demandIoPrivilege(x, flags);
  x.setField('systemFlags', e.and(flags, ~FLAG.IF));
};

const sti: Semantics = (x) => {
  const flags = x.field('systemFlags') as I32;
  demandIoPrivilege(x, flags);
  x.c.if(e.eqz(e.and(flags, FLAG.IF)), () => {
    x.setField('systemFlags', e.or(flags, FLAG.IF));
    x.slowPath('blockInterrupts');
    x.c.if(pending(x), () => x.leaveForEvents());
  });
};

registerSlowPath('blockInterrupts', (cpu) => {
  cpu.blockInterrupts();
  return 0;
});

const pushf: Semantics = (x) => {
  const system = x.field('systemFlags') as I32;
  demandVirtual8086Privilege(x, system);
  const image = x.c.let(e.or(e.and(system, ~(FLAG.VM | FLAG.RF)), x.flags.get()));
  x.push(x.operandSize, x.operandSize === 64 ? e.extendU(image) : image);
};

const popf: Semantics = (x) => {
  const size = x.operandSize;
  const old = x.field('systemFlags') as I32;
  demandVirtual8086Privilege(x, old);
  const popped = x.peek(size, 0);
  const image = x.c.let(size === 64 ? e.wrap(popped as I64) : (popped as I32));
  const cpl = x.field('cpl') as I32;
  const anybody = FLAG.TF | FLAG.DF | FLAG.NT | (size === 16 ? 0 : FLAG.AC | FLAG.ID);
  const enable = e.select(e.leU(cpl, ioPrivilege(old)), e.i32(FLAG.IF), e.i32(0));
  const privilege = e.select(e.eqz(cpl), e.i32(FLAG.IOPL), e.i32(0));
  const mask = x.c.let(e.or(e.or(enable, privilege), anybody));
  const kept = e.and(old, e.not(e.or(mask, FLAG.RF)));
  const next = x.c.let(e.or(kept, e.and(image, mask)));
  const changed = x.c.let(e.xor(old, next));
  x.adjustStack(e.i32(size / 8));
  x.flags.set(image);
  x.setField('systemFlags', next);
  const opened = e.and(e.nez(e.and(e.and(changed, next), FLAG.IF)), pending(x));
  x.c.if(e.nez(e.and(changed, FLAG.AC)), () => x.slowPath('modeChanged'));
  x.c.if(e.or(e.nez(e.and(changed, FLAG.TF)), opened), () => x.leaveForEvents());
};

const pending = (x: Emit): I32 => e.nez(x.field('interruptPending'));

registerSlowPath('modeChanged', (cpu) => {
  cpu.modeChanged();
  return 0;
});

const hlt: Helper = (cpu) => cpu.halt();

export const systemFlagRows: readonly Row[] = [
  { op: 'FA', mnemonic: 'CLI', operands: [], exec: cli },
  { op: 'FB', mnemonic: 'STI', operands: [], ends: true, exec: sti },
  {
    op: '9C',
    mnemonic: 'PUSHF',
    operands: [],
    size: 'd64',
    usesOperandSize: true,
    exec: pushf,
  },
  {
    op: '9D',
    mnemonic: 'POPF',
    operands: [],
    size: 'd64',
    usesOperandSize: true,
    ends: true,
    exec: popf,
  },
  { op: 'F4', mnemonic: 'HLT', operands: [], cpl0: true, ends: true, run: hlt },
];
