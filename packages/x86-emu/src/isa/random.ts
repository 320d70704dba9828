/** RDRAND and RDSEED: the machine's seeded entropy (SDM Vol. 2B). They always succeed. */
import type { Helper } from '../cpu/helper.ts';
import { FLAG } from '../cpu/control-bits.ts';
import type { Row } from './row.ts';

const random: Helper = (cpu, insn) => {
  insn.write(0, BigInt.asUintN(insn.width(0), cpu.entropy()));
  cpu.state.setStatusFlags(FLAG.CF);
};

export const randomRows: readonly Row[] = [
  { op: 'NFx 0F C7 /6', mnemonic: 'RDRAND', operands: ['Rv'], feature: 'RDRAND', run: random },
  { op: 'NFx 0F C7 /7', mnemonic: 'RDSEED', operands: ['Rv'], feature: 'RDSEED', run: random },
];
