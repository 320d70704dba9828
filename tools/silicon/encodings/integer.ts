/** The general-purpose instructions of the one-byte and 0F maps, as far as user mode may execute them (SDM Vol. 2D, appendix A). */
import type { Encoding } from '../encoding.ts';
import { parseEncodings } from '../encoding.ts';

const ALU = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'];
const SHIFTS = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SHL', 'SAR'];
const CONDITIONS = [
  'O',
  'NO',
  'B',
  'AE',
  'E',
  'NE',
  'BE',
  'A',
  'S',
  'NS',
  'P',
  'NP',
  'L',
  'GE',
  'LE',
  'G',
];

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');

const alu = ALU.map((m, i) => {
  const lock = m === 'CMP' ? '' : 'lock';
  const base = i * 8;
  return `
    ${m} | ${hex(base)} /r | Eb,Gb | ${lock}
    ${m} | ${hex(base + 1)} /r | Ev,Gv | ${lock}
    ${m} | ${hex(base + 2)} /r | Gb,Eb
    ${m} | ${hex(base + 3)} /r | Gv,Ev
    ${m} | ${hex(base + 4)} | AL,Ib
    ${m} | ${hex(base + 5)} | rAX,Iz
    ${m} | 80 /${i} | Eb,Ib | ${lock}
    ${m} | 81 /${i} | Ev,Iz | ${lock}
    ${m} | 82 /${i} | Eb,Ib | ${lock} legacy
    ${m} | 83 /${i} | Ev,Ibs | ${lock}`;
}).join('\n');

const shifts = SHIFTS.map(
  (m, i) => `
    ${m} | C0 /${i} | Eb,Ib | count
    ${m} | C1 /${i} | Ev,Ib | count
    ${m} | D0 /${i} | Eb,1
    ${m} | D1 /${i} | Ev,1
    ${m} | D2 /${i} | Eb,CL | count
    ${m} | D3 /${i} | Ev,CL | count`,
).join('\n');

const conditional = CONDITIONS.map(
  (c, i) => `
    J${c} | ${hex(0x70 + i)} | Jb | f64
    J${c} | 0F ${hex(0x80 + i)} | Jz | f64
    SET${c} | 0F ${hex(0x90 + i)} /r | Eb
    CMOV${c} | 0F ${hex(0x40 + i)} /r | Gv,Ev`,
).join('\n');

const REST = `
  PUSH | 06 | ES | legacy os
  POP | 07 | ES | legacy os
  PUSH | 0E | CS | legacy os
  PUSH | 16 | SS | legacy os
  POP | 17 | SS | legacy os int3
  PUSH | 1E | DS | legacy os
  POP | 1F | DS | legacy os
  PUSH | 0F A0 | FS | d64 os
  POP | 0F A1 | FS | d64 os
  PUSH | 0F A8 | GS | d64 os
  POP | 0F A9 | GS | d64 os
  DAA | 27 | | legacy
  DAS | 2F | | legacy
  AAA | 37 | | legacy
  AAS | 3F | | legacy
  AAM | D4 | Ib | legacy
  AAD | D5 | Ib | legacy
  INC | 40+r | Zv | legacy
  DEC | 48+r | Zv | legacy
  PUSH | 50+r | Zv | d64
  POP | 58+r | Zv | d64
  PUSHA | 60 | | legacy os
  POPA | 61 | | legacy os
  BOUND | 62 /r | Gv,Ma | legacy
  ARPL | 63 /r | Ew,Gw | legacy
  MOVSXD | 63 /r | Gv,Ed | long
  PUSH | 68 | Iz | d64
  PUSH | 6A | Ibs | d64 os
  IMUL | 69 /r | Gv,Ev,Iz
  IMUL | 6B /r | Gv,Ev,Ibs
  IMUL | 0F AF /r | Gv,Ev
  TEST | 84 /r | Eb,Gb
  TEST | 85 /r | Ev,Gv
  XCHG | 86 /r | Eb,Gb | lock
  XCHG | 87 /r | Ev,Gv | lock
  MOV | 88 /r | Eb,Gb
  MOV | 89 /r | Ev,Gv
  MOV | 8A /r | Gb,Eb
  MOV | 8B /r | Gv,Ev
  MOV | 8C /r | Ew,Sw | os
  LEA | 8D /r | Gv,M
  POP | 8F /0 | Ev | d64
  XCHG | 90+r | Zv,rAX
  PAUSE | F3 90 | |
  CBW | 98 | | os
  CWD | 99 | | os
  SAHF | 9E | |
  LAHF | 9F | |
  MOV | A0 | AL,Ob
  MOV | A1 | rAX,Ov
  MOV | A2 | Ob,AL
  MOV | A3 | Ov,rAX
  TEST | A8 | AL,Ib
  TEST | A9 | rAX,Iz
  MOV | B0+r | Zb,Ib
  MOV | B8+r | Zv,Iv
  RET | C2 | Iw | f64 os return
  RET | C3 | | f64 os return
  LES | C4 /r | Gv,Mp | legacy farLoad
  LDS | C5 /r | Gv,Mp | legacy farLoad
  LSS | 0F B2 /r | Gv,Mp | farLoad int3 nowide
  LFS | 0F B4 /r | Gv,Mp | farLoad nowide
  LGS | 0F B5 /r | Gv,Mp | farLoad nowide
  MOV | C6 /0 | Eb,Ib
  MOV | C7 /0 | Ev,Iz
  ENTER | C8 | Iw,Ib | d64 os enter
  LEAVE | C9 | | d64 os leave
  INTO | CE | | legacy
  XLAT | D7 | | xlat
  LOOPNE | E0 | Jb | f64 loop
  LOOPE | E1 | Jb | f64 loop
  LOOP | E2 | Jb | f64 loop
  JRCXZ | E3 | Jb | f64 loop
  CALL | E8 | Jz | f64
  JMP | E9 | Jz | f64
  JMP | EB | Jb | f64
  CMC | F5 | |
  TEST | F6 /0 | Eb,Ib
  TEST | F7 /0 | Ev,Iz
  TEST | F6 /1 | Eb,Ib
  TEST | F7 /1 | Ev,Iz
  NOT | F6 /2 | Eb | lock
  NOT | F7 /2 | Ev | lock
  NEG | F6 /3 | Eb | lock
  NEG | F7 /3 | Ev | lock
  MUL | F6 /4 | Eb
  MUL | F7 /4 | Ev
  IMUL | F6 /5 | Eb
  IMUL | F7 /5 | Ev
  DIV | F6 /6 | Eb | divide
  DIV | F7 /6 | Ev | divide
  IDIV | F6 /7 | Eb | divide
  IDIV | F7 /7 | Ev | divide
  CLC | F8 | |
  STC | F9 | |
  CLD | FC | |
  STD | FD | |
  INC | FE /0 | Eb | lock
  DEC | FE /1 | Eb | lock
  INC | FF /0 | Ev | lock
  DEC | FF /1 | Ev | lock
  CALL | FF /2 | Ev | f64 branch
  JMP | FF /4 | Ev | f64 branch
  PUSH | FF /6 | Ev | d64
  NOP | 0F 1F /0 | Ev
  NOP | 0F 18 /4 | Ev
  NOP | NP 0F 19 /r | Ev
  NOP | NP 0F 1A /r | Ev
  NOP | NP 0F 1B /r | Ev
  NOP | NP 0F 1C /r | Ev
  NOP | NP 0F 1D /r | Ev
  NOP | NP 0F 1E /r | Ev
  ENDBR64 | F3 0F 1E FA | |
  ENDBR32 | F3 0F 1E FB | |
  RDSSP | F3 0F 1E /1 | Ry |
  BT | 0F A3 /r | Ev,Gv | bitOffset
  BTS | 0F AB /r | Ev,Gv | lock bitOffset
  BTR | 0F B3 /r | Ev,Gv | lock bitOffset
  BTC | 0F BB /r | Ev,Gv | lock bitOffset
  BT | 0F BA /4 | Ev,Ib
  BTS | 0F BA /5 | Ev,Ib | lock
  BTR | 0F BA /6 | Ev,Ib | lock
  BTC | 0F BA /7 | Ev,Ib | lock
  SHLD | 0F A4 /r | Ev,Gv,Ib | count
  SHLD | 0F A5 /r | Ev,Gv,CL | count
  SHRD | 0F AC /r | Ev,Gv,Ib | count
  SHRD | 0F AD /r | Ev,Gv,CL | count
  CMPXCHG | 0F B0 /r | Eb,Gb | lock cmpxchg
  CMPXCHG | 0F B1 /r | Ev,Gv | lock cmpxchg
  CMPXCHG8B | NP 0F C7 /1 | Mq | lock cmpxchg8
  CMPXCHG16B | NP REX.W 0F C7 /1 | M128 | lock long cmpxchg16 aligned
  XADD | 0F C0 /r | Eb,Gb | lock
  XADD | 0F C1 /r | Ev,Gv | lock
  MOVZX | 0F B6 /r | Gv,Eb
  MOVZX | 0F B7 /r | Gv,Ew
  MOVSX | 0F BE /r | Gv,Eb
  MOVSX | 0F BF /r | Gv,Ew
  BSF | 0F BC /r | Gv,Ev
  BSR | 0F BD /r | Gv,Ev
  BSWAP | 0F C8+r | Zy
  MOVNTI | NP 0F C3 /r | My,Gy
`;

export const integerEncodings = (): Encoding[] =>
  parseEncodings(alu + shifts + conditional + REST, 'int');

export const bitEncodings = (): Encoding[] =>
  parseEncodings(
    `
  POPCNT | F3 0F B8 /r | Gv,Ev
  TZCNT | F3 0F BC /r | Gv,Ev
  LZCNT | F3 0F BD /r | Gv,Ev
  CRC32 | F2 0F 38 F0 /r | Gy,Eb
  CRC32 | F2 0F 38 F1 /r | Gy,Ev | crc
  MOVBE | NP 0F 38 F0 /r | Gv,Mv
  MOVBE | NP 0F 38 F1 /r | Mv,Gv
  ADCX | 66 0F 38 F6 /r | Gy,Ey
  ADOX | F3 0F 38 F6 /r | Gy,Ey
  ANDN | VEX.LZ.NP.0F38 F2 /r | Gy,By,Ey
  BLSR | VEX.LZ.NP.0F38 F3 /1 | By,Ey
  BLSMSK | VEX.LZ.NP.0F38 F3 /2 | By,Ey
  BLSI | VEX.LZ.NP.0F38 F3 /3 | By,Ey
  BEXTR | VEX.LZ.NP.0F38 F7 /r | Gy,Ey,By | bextr
  BZHI | VEX.LZ.NP.0F38 F5 /r | Gy,Ey,By | bextr
  PDEP | VEX.LZ.F2.0F38 F5 /r | Gy,By,Ey
  PEXT | VEX.LZ.F3.0F38 F5 /r | Gy,By,Ey
  MULX | VEX.LZ.F2.0F38 F6 /r | Gy,By,Ey
  SHLX | VEX.LZ.66.0F38 F7 /r | Gy,Ey,By
  SARX | VEX.LZ.F3.0F38 F7 /r | Gy,Ey,By
  SHRX | VEX.LZ.F2.0F38 F7 /r | Gy,Ey,By
  RORX | VEX.LZ.F2.0F3A F0 /r | Gy,Ey,Ib
`,
    'int',
  );

export const stringEncodings = (): Encoding[] =>
  parseEncodings(
    ['MOVS:A4', 'CMPS:A6', 'STOS:AA', 'LODS:AC', 'SCAS:AE']
      .map((item) => {
        const [name = '', byte = ''] = item.split(':');
        return `
  ${name} | ${byte} | AL | string rep
  ${name} | ${hex(Number.parseInt(byte, 16) + 1)} | rAX | string rep`;
      })
      .join('\n'),
    'int',
  );
