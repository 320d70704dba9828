/** The x87 map, D8 to DF (SDM Vol. 2D, tables A-7 to A-22), with WAIT, FXSAVE and FXRSTOR. */
import type { Encoding } from '../encoding.ts';
import { parseEncodings } from '../encoding.ts';

const ARITHMETIC = ['FADD', 'FMUL', 'FCOM', 'FCOMP', 'FSUB', 'FSUBR', 'FDIV', 'FDIVR'];
const REVERSED = ['FADD', 'FMUL', 'FCOM', 'FCOMP', 'FSUBR', 'FSUB', 'FDIVR', 'FDIV'];
const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');

const memory = ARITHMETIC.map(
  (m, i) => `
  ${m} | D8 /${i} | Md |
  ${m} | DC /${i} | Mq |
  ${m.replace('F', 'FI')} | DA /${i} | Md |
  ${m.replace('F', 'FI')} | DE /${i} | Mw |
  ${m} | D8 ${hex(0xc0 + i * 8)}+r | ST0,STi | stack`,
).join('\n');

const reversed = REVERSED.map(
  (m, i) => `
  ${m} | DC ${hex(0xc0 + i * 8)}+r | STi,ST0 | stack
  ${i === 3 ? 'FCOMPP' : `${m}P`} | DE ${hex(0xc0 + i * 8)}+r | STi,ST0 | stack`,
).join('\n');

const D9_E0 = 'FCHS FABS - - FTST FXAM - - FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ -'.split(
  ' ',
);
const D9_F0 =
  'F2XM1 FYL2X FPTAN FPATAN FXTRACT FPREM1 FDECSTP FINCSTP FPREM FYL2XP1 FSQRT FSINCOS FRNDINT FSCALE FSIN FCOS'.split(
    ' ',
  );

const constants = [...D9_E0, ...D9_F0]
  .map((m, i) => `${m === '-' ? 'INVALID' : m} | D9 ${hex(0xe0 + i)} | | many`)
  .join('\n');

export const x87Encodings = (): Encoding[] =>
  parseEncodings(
    `${memory}\n${reversed}\n${constants}
  FLD | D9 /0 | Md |
  FST | D9 /2 | Md |
  FSTP | D9 /3 | Md |
  FLDENV | D9 /4 | M224 | environment os
  FLDCW | D9 /5 | Mw |
  FNSTENV | D9 /6 | M224 | os image
  FNSTCW | D9 /7 | Mw |
  FLD | D9 C0+r | STi | stack
  FXCH | D9 C8+r | STi | stack
  FNOP | D9 D0 | |
  INVALID | D9 D1 | |
  FSTP | D9 D8+r | STi | stack
  FCMOVB | DA C0+r | ST0,STi | stack
  FCMOVE | DA C8+r | ST0,STi | stack
  FCMOVBE | DA D0+r | ST0,STi | stack
  FCMOVU | DA D8+r | ST0,STi | stack
  FUCOMPP | DA E9 | |
  INVALID | DA E0 | |
  FILD | DB /0 | Md |
  FISTTP | DB /1 | Md |
  FIST | DB /2 | Md |
  FISTP | DB /3 | Md |
  INVALID | DB /4 | Md |
  FLD | DB /5 | Mt | many
  INVALID | DB /6 | Md |
  FSTP | DB /7 | Mt | many
  FCMOVNB | DB C0+r | ST0,STi | stack
  FCMOVNE | DB C8+r | ST0,STi | stack
  FCMOVNBE | DB D0+r | ST0,STi | stack
  FCMOVNU | DB D8+r | ST0,STi | stack
  FNENI | DB E0 | |
  FNDISI | DB E1 | |
  FNCLEX | DB E2 | |
  FNINIT | DB E3 | |
  FNSETPM | DB E4 | |
  FUCOMI | DB E8+r | ST0,STi | stack
  FCOMI | DB F0+r | ST0,STi | stack
  FCOM2 | DC D0+r | STi | stack
  FLD | DD /0 | Mq |
  FISTTP | DD /1 | Mq |
  FST | DD /2 | Mq |
  FSTP | DD /3 | Mq |
  FRSTOR | DD /4 | M864 | fpuState os
  INVALID | DD /5 | Md |
  FNSAVE | DD /6 | M864 | os image
  FNSTSW | DD /7 | Mw |
  FFREE | DD C0+r | STi | stack
  FXCH4 | DD C8+r | STi | stack
  FST | DD D0+r | STi | stack
  FSTP | DD D8+r | STi | stack
  FUCOM | DD E0+r | STi | stack
  FUCOMP | DD E8+r | STi | stack
  FILD | DF /0 | Mw |
  FISTTP | DF /1 | Mw |
  FIST | DF /2 | Mw |
  FISTP | DF /3 | Mw |
  FBLD | DF /4 | Mt | many bcd
  FILD | DF /5 | Mq | many
  FBSTP | DF /6 | Mt | many
  FISTP | DF /7 | Mq | many
  FFREEP | DF C0+r | STi | stack
  FNSTSW | DF E0 | |
  FUCOMIP | DF E8+r | ST0,STi | stack
  FCOMIP | DF F0+r | ST0,STi | stack
  INVALID | DF F8 | |
  WAIT | 9B | | many
  FXSAVE | NP 0F AE /0 | M4096 | image aligned
  FXSAVE64 | NP REX.W 0F AE /0 | M4096 | image aligned long
  FXRSTOR | NP 0F AE /1 | M4096 | aligned fxImage
  FXRSTOR64 | NP REX.W 0F AE /1 | M4096 | aligned fxImage long
`,
    'x87',
  );
