/** What user mode sees of system state: flags image, segment registers, far transfers, privileged and undefined encodings. */
import type { Encoding } from '../encoding.ts';
import { parseEncodings } from '../encoding.ts';

export const systemEncodings = (): Encoding[] =>
  parseEncodings(
    `
  CALL | FF /3 | Mp | farMemory os nowide many
  JMP | FF /5 | Mp | farMemory os nowide many
  RETF | CB | | farReturn os many
  RETF | CA | Iw | farReturn os
  IRET | CF | | interruptReturn os many
  PUSHF | 9C | | d64 os int3
  POPF | 9D | | d64 os flagsOnStack
  MOV | 8E /r | Sw,Ew | selector
  LAR | 0F 02 /r | Gv,Ew | selector
  LSL | 0F 03 /r | Gv,Ew | selector
  VERR | 0F 00 /4 | Ew | selector nolock
  VERW | 0F 00 /5 | Ew | selector nolock
  RDFSBASE | F3 0F AE /0 | Ry | long basePointer
  RDGSBASE | F3 0F AE /1 | Ry | long basePointer
  WRFSBASE | F3 0F AE /2 | Ry | long basePointer
  WRGSBASE | F3 0F AE /3 | Ry | long basePointer
  INT3 | CC | |
  INT1 | F1 | | int3
  INT | CD | Ib | interrupt
  HLT | F4 | |
  CLI | FA | |
  STI | FB | |
  IN | E4 | AL,Ib |
  IN | E5 | eAX,Ib |
  OUT | E6 | Ib,AL |
  OUT | E7 | Ib,eAX |
  IN | EC | AL,DX |
  IN | ED | eAX,DX |
  OUT | EE | DX,AL |
  OUT | EF | DX,eAX |
  INS | 6C | AL |
  INS | 6D | eAX |
  OUTS | 6E | AL |
  OUTS | 6F | eAX |
  LLDT | 0F 00 /2 | Ew |
  LTR | 0F 00 /3 | Ew |
  LGDT | 0F 01 /2 | M80 |
  LIDT | 0F 01 /3 | M80 |
  LMSW | 0F 01 /6 | Ew |
  INVLPG | 0F 01 /7 | Mb |
  SWAPGS | 0F 01 F8 | | long
  CLTS | 0F 06 | |
  SYSRET | 0F 07 | | long
  INVD | 0F 08 | |
  WBINVD | 0F 09 | |
  UD2 | 0F 0B | |
  UD1 | 0F B9 /r | Gv,Ev |
  MOV | 0F 20 /r | Rq,Cq | long control
  MOV | 0F 21 /r | Rq,Dq | long control
  MOV | 0F 22 /r | Cq,Rq | long control
  MOV | 0F 23 /r | Dq,Rq | long control
  WRMSR | 0F 30 | |
  RDMSR | 0F 32 | |
  SYSEXIT | 0F 35 | |
  CLFLUSH | NP 0F AE /7 | Mb |
  CLFLUSHOPT | 66 0F AE /7 | Mb |
  CLWB | 66 0F AE /6 | Mb |
  LFENCE | NP 0F AE E8 | |
  MFENCE | NP 0F AE F0 | |
  SFENCE | NP 0F AE F8 | |
  PREFETCHNTA | 0F 18 /0 | Mb |
  PREFETCHT0 | 0F 18 /1 | Mb |
  PREFETCHT1 | 0F 18 /2 | Mb |
  PREFETCHT2 | 0F 18 /3 | Mb |
  PREFETCH | 0F 0D /0 | Mb |
  PREFETCH | 0F 0D /2 | Mb |
  PREFETCHW | 0F 0D /1 | Mb |
  RSM | 0F AA | |
  UD0 | 0F FF /r | Gv,Ev |
  STAC | NP 0F 01 CB | |
  CLAC | NP 0F 01 CA | |
  XSETBV | NP 0F 01 D1 | |
  INVALID | 06 | | long
  INVALID | 0E | | long
  INVALID | 16 | | long
  INVALID | 1E | | long
  INVALID | 17 | | long
  INVALID | 1F | | long
  INVALID | 27 | | long
  INVALID | 2F | | long
  INVALID | 37 | | long
  INVALID | 3F | | long
  INVALID | 60 | | long
  INVALID | 61 | | long
  INVALID | 82 /0 | Eb,Ib | long
  INVALID | 9A | Ap | long
  INVALID | CE | | long
  INVALID | D4 | Ib | long
  INVALID | D5 | Ib | long
  INVALID | D6 | | long
  INVALID | EA | Ap | long
  INVALID | 8F /1 | Ev |
  INVALID | C6 /1 | Eb,Ib |
  INVALID | C7 /2 | Ev,Iz |
  INVALID | FE /2 | Eb |
  INVALID | FE /7 | Eb |
  INVALID | FF /7 | Ev |
  INVALID | 0F 04 | |
  INVALID | 0F 0A | |
  INVALID | 0F 0C | |
  INVALID | 0F 24 /r | Rq,Cq |
  INVALID | 0F 25 /r | Rq,Cq |
  INVALID | 0F 26 /r | Rq,Cq |
  INVALID | 0F 27 /r | Rq,Cq |
  INVALID | 0F 36 | |
  INVALID | 0F 39 | |
  INVALID | 0F 3B | |
  INVALID | 0F 3C | |
  INVALID | 0F 3D | |
  INVALID | 0F 3E | |
  INVALID | 0F 3F | |
  INVALID | 0F 7A /r | Gv,Ev |
  INVALID | 0F 7B /r | Gv,Ev |
  INVALID | 0F A6 /r | Gv,Ev |
  INVALID | 0F A7 /r | Gv,Ev |
  INVALID | NP 0F B8 /r | Gv,Ev |
  INVALID | 0F BA /0 | Ev,Ib |
  INVALID | 0F BA /3 | Ev,Ib |
  INVALID | 0F C7 /0 | Ev |
  INVALID | 0F C7 /2 | Ev |
  INVALID | 0F 38 0C /r | Gv,Ev |
  INVALID | 0F 38 F2 /r | Gv,Ev |
  INVALID | 0F 3A 00 /r | Gv,Ev,Ib |
  INVALID | NP 0F 71 /0 | Nq,Ib |
  INVALID | NP 0F 72 /3 | Nq,Ib |
  INVALID | NP 0F 73 /0 | Nq,Ib |
  LEA | 8D /r | Gv,Rv | invalidForm
`,
    'int',
  );

export const compatEncodings = (): Encoding[] =>
  parseEncodings(
    `
  PUSH | 06 | ES | legacy os
  PUSH | 0E | CS | legacy os
  PUSH | 16 | SS | legacy os
  PUSH | 1E | DS | legacy os
  POP | 07 | ES | legacy os selectorOnStack
  POP | 1F | DS | legacy os selectorOnStack
  POP | 17 | SS | legacy os selectorOnStack int3
  POP | 0F A1 | FS | os selectorOnStack
  POP | 0F A9 | GS | os selectorOnStack
  MOV | 8E /r | Sw,Ew | selector
  CALL | FF /3 | Mp | farMemory os nowide many
  JMP | FF /5 | Mp | farMemory os nowide many
  RETF | CB | | farReturn os many
  RETF | CA | Iw | farReturn os
  IRET | CF | | interruptReturn os many
  CALL | 9A | Ap | farImmediate legacy many
  JMP | EA | Ap | farImmediate legacy many
  SALC | D6 | | legacy many
  PUSHF | 9C | | os int3
  POPF | 9D | | os flagsOnStack
  LAR | 0F 02 /r | Gv,Ew | selector
  LSL | 0F 03 /r | Gv,Ew | selector
  INT3 | CC | |
  INTO | CE | |
  BOUND | 62 /r | Gv,Ma | legacy bound
`,
    'int',
  );
