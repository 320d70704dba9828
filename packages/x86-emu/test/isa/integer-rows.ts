/** The integer families' rows, joined. */
import { arithmeticRows } from '../../src/isa/arithmetic.ts';
import { bcdRows } from '../../src/isa/bcd.ts';
import { bitRows } from '../../src/isa/bit.ts';
import { bmiRows } from '../../src/isa/bmi.ts';
import { branchRows } from '../../src/isa/branch.ts';
import { exchangeRows } from '../../src/isa/exchange.ts';
import { flagRows } from '../../src/isa/flag.ts';
import { hintRows } from '../../src/isa/hint.ts';
import { logicRows } from '../../src/isa/logic.ts';
import { movRows } from '../../src/isa/mov.ts';
import { muldivRows } from '../../src/isa/muldiv.ts';
import { randomRows } from '../../src/isa/random.ts';
import { rotateRows } from '../../src/isa/rotate.ts';
import type { Row } from '../../src/isa/row.ts';
import { shiftRows } from '../../src/isa/shift.ts';
import { stackRows } from '../../src/isa/stack.ts';
import { stringRows } from '../../src/isa/string.ts';

export const INTEGER_ROWS: readonly Row[] = [
  ...arithmeticRows,
  ...bcdRows,
  ...bitRows,
  ...bmiRows,
  ...branchRows,
  ...exchangeRows,
  ...flagRows,
  ...hintRows,
  ...logicRows,
  ...movRows,
  ...muldivRows,
  ...randomRows,
  ...rotateRows,
  ...shiftRows,
  ...stackRows,
  ...stringRows,
];
