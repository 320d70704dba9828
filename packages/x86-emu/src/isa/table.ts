/** All rows: the instruction set. */
import { arithmeticRows } from './arithmetic.ts';
import { bcdRows } from './bcd.ts';
import { bitRows } from './bit.ts';
import { bmiRows } from './bmi.ts';
import { branchRows } from './branch.ts';
import { exchangeRows } from './exchange.ts';
import { flagRows } from './flag.ts';
import { hintRows } from './hint.ts';
import { logicRows } from './logic.ts';
import { movRows } from './mov.ts';
import { muldivRows } from './muldiv.ts';
import { randomRows } from './random.ts';
import { rotateRows } from './rotate.ts';
import type { Row } from './row.ts';
import { shiftRows } from './shift.ts';
import { sseCryptoRows } from './sse-crypto.ts';
import { sseCryptoShaRows } from './sse-crypto-sha.ts';
import { sseElementRows } from './sse-element.ts';
import { sseFloatRows } from './sse-float.ts';
import { sseFloatConvertRows } from './sse-float-convert.ts';
import { sseIntegerRows } from './sse-integer.ts';
import { sseMoveRows } from './sse-move.ts';
import { sseShiftRows } from './sse-shift.ts';
import { sseShuffleRows } from './sse-shuffle.ts';
import { sseStringRows } from './sse-string.ts';
import { stackRows } from './stack.ts';
import { stringRows } from './string.ts';
import { systemRows } from './system.ts';
import { x87Rows } from './x87.ts';

export const ROWS: readonly Row[] = [
  ...movRows,
  ...exchangeRows,
  ...arithmeticRows,
  ...logicRows,
  ...shiftRows,
  ...rotateRows,
  ...muldivRows,
  ...bitRows,
  ...bcdRows,
  ...bmiRows,
  ...stackRows,
  ...branchRows,
  ...stringRows,
  ...flagRows,
  ...hintRows,
  ...randomRows,
  ...systemRows,
  ...x87Rows,
  ...sseMoveRows,
  ...sseIntegerRows,
  ...sseShiftRows,
  ...sseShuffleRows,
  ...sseElementRows,
  ...sseFloatRows,
  ...sseFloatConvertRows,
  ...sseStringRows,
  ...sseCryptoRows,
  ...sseCryptoShaRows,
];
