/** Which flags a program may load (SDM Vol. 2B, POPF; Vol. 2A, IRET). */
import { FLAG, IOPL_SHIFT } from './control-bits.ts';
import type { CpuState } from './cpu-state.ts';

const ANYBODY =
  FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.TF | FLAG.DF | FLAG.OF | FLAG.NT;

export const ioPrivilege = (state: CpuState): number =>
  (state.get('systemFlags') & FLAG.IOPL) >> IOPL_SHIFT;

/** The flags that POPF or IRET at the present privilege takes from an image of `size` bits. RF is left to the caller. */
export const loadableFlags = (state: CpuState, size: 16 | 32 | 64): number => {
  const cpl = state.get('cpl');
  return (
    ANYBODY |
    (size === 16 ? 0 : FLAG.AC | FLAG.ID) |
    (cpl <= ioPrivilege(state) ? FLAG.IF : 0) |
    (cpl === 0 ? FLAG.IOPL : 0)
  );
};
