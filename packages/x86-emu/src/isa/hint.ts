/** Instructions that change nothing a program can see in order: hints, fences, cache control, and those that are defined to be undefined (SDM Vol. 2). */
import { VECTOR } from '../cpu/helper.ts';
import type { Semantics } from './emit.ts';
import type { Row } from './row.ts';

const nothing: Semantics = () => undefined;

/** CLFLUSH and its kin fault as a read of one byte does (SDM Vol. 2A, CLFLUSH). */
const touch: Semantics = (x) => {
  x.read(0);
};

const undefinedOpcode: Semantics = (x) => x.raise(VECTOR.UD);

const reservedNop = (byte: string): Row => ({
  op: `0F ${byte} /r`,
  mnemonic: 'NOP',
  operands: ['Ev'],
  exec: nothing,
});

export const hintRows: readonly Row[] = [
  { op: '90', mnemonic: 'NOP', operands: [], exec: nothing },
  { op: 'F3 90', mnemonic: 'PAUSE', operands: [], exec: nothing },
  // The block of hint opcodes that old processors execute as NOP (SDM Vol. 2B, NOP; APM Vol. 3, appendix A).
  ...['18', '19', '1A', '1B', '1C', '1D', '1E', '1F'].map(reservedNop),
  { op: '0F 18 /0', mnemonic: 'PREFETCHNTA', operands: ['Mb'], exec: nothing },
  { op: '0F 18 /1', mnemonic: 'PREFETCHT0', operands: ['Mb'], exec: nothing },
  { op: '0F 18 /2', mnemonic: 'PREFETCHT1', operands: ['Mb'], exec: nothing },
  { op: '0F 18 /3', mnemonic: 'PREFETCHT2', operands: ['Mb'], exec: nothing },
  // Without CET these are NOPs by definition.
  { op: 'F3 0F 1E FA', mnemonic: 'ENDBR64', operands: [], exec: nothing },
  { op: 'F3 0F 1E FB', mnemonic: 'ENDBR32', operands: [], exec: nothing },
  { op: 'F3 0F 1E /1', mnemonic: 'RDSSP', operands: ['Ry'], exec: nothing },
  // Every x86-64 processor accepts them; the register form is #UD (APM Vol. 3, PREFETCH).
  { op: '0F 0D /r', mnemonic: 'PREFETCH', operands: ['Mb'], exec: nothing },
  { op: '0F 0D /1', mnemonic: 'PREFETCHW', operands: ['Mb'], exec: nothing },

  // Memory is always in program order here. ModRM.rm is ignored (SDM Vol. 2A, LFENCE).
  { op: 'NP 0F AE /5', mnemonic: 'LFENCE', operands: ['Rd'], exec: nothing },
  { op: 'NP 0F AE /6', mnemonic: 'MFENCE', operands: ['Rd'], exec: nothing },
  { op: 'NP 0F AE /7', mnemonic: 'SFENCE', operands: ['Rd'], exec: nothing },
  { op: 'NP 0F AE /7', mnemonic: 'CLFLUSH', operands: ['Mb'], exec: touch },
  {
    op: '66 0F AE /7',
    mnemonic: 'CLFLUSHOPT',
    operands: ['Mb'],
    feature: 'CLFLUSHOPT',
    exec: touch,
  },
  { op: '66 0F AE /6', mnemonic: 'CLWB', operands: ['Mb'], feature: 'CLWB', exec: touch },

  { op: '0F 0B', mnemonic: 'UD2', operands: [], ends: true, exec: undefinedOpcode },
  { op: '0F B9 /r', mnemonic: 'UD1', operands: ['Gv', 'Ev'], ends: true, exec: undefinedOpcode },
  { op: '0F FF /r', mnemonic: 'UD0', operands: ['Gv', 'Ev'], ends: true, exec: undefinedOpcode },
];
