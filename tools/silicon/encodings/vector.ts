/** MMX, SSE to SSE4.2, AES, PCLMULQDQ and SHA (SDM Vol. 2D, appendix A, tables ). */
import type { Encoding } from '../encoding.ts';
import { parseEncodings } from '../encoding.ts';

/** Integer operations that exist for MMX (NP) and XMM (66) alike: opcode and name. */
const SHARED_0F =
  '60:PUNPCKLBW 61:PUNPCKLWD 62:PUNPCKLDQ 63:PACKSSWB 64:PCMPGTB 65:PCMPGTW 66:PCMPGTD 67:PACKUSWB 68:PUNPCKHBW 69:PUNPCKHWD 6A:PUNPCKHDQ 6B:PACKSSDW ' +
  '74:PCMPEQB 75:PCMPEQW 76:PCMPEQD D4:PADDQ D5:PMULLW D8:PSUBUSB D9:PSUBUSW DA:PMINUB DB:PAND DC:PADDUSB DD:PADDUSW DE:PMAXUB DF:PANDN E0:PAVGB E3:PAVGW ' +
  'E4:PMULHUW E5:PMULHW E8:PSUBSB E9:PSUBSW EA:PMINSW EB:POR EC:PADDSB ED:PADDSW EE:PMAXSW EF:PXOR F4:PMULUDQ F5:PMADDWD F6:PSADBW F8:PSUBB F9:PSUBW ' +
  'FA:PSUBD FB:PSUBQ FC:PADDB FD:PADDW FE:PADDD';
const SHIFTS_0F = 'D1:PSRLW D2:PSRLD D3:PSRLQ E1:PSRAW E2:PSRAD F1:PSLLW F2:PSLLD F3:PSLLQ';
const SHARED_38 =
  '00:PSHUFB 01:PHADDW 02:PHADDD 03:PHADDSW 04:PMADDUBSW 05:PHSUBW 06:PHSUBD 07:PHSUBSW 08:PSIGNB 09:PSIGNW 0A:PSIGND 0B:PMULHRSW 1C:PABSB 1D:PABSW 1E:PABSD';
const XMM_38 =
  '20:PMOVSXBW:q 21:PMOVSXBD:d 22:PMOVSXBQ:w 23:PMOVSXWD:q 24:PMOVSXWQ:d 25:PMOVSXDQ:q 28:PMULDQ 29:PCMPEQQ 2B:PACKUSDW 30:PMOVZXBW:q 31:PMOVZXBD:d 32:PMOVZXBQ:w ' +
  '33:PMOVZXWD:q 34:PMOVZXWQ:d 35:PMOVZXDQ:q 37:PCMPGTQ 38:PMINSB 39:PMINSD 3A:PMINUW 3B:PMINUD 3C:PMAXSB 3D:PMAXSD 3E:PMAXUW 3F:PMAXUD 40:PMULLD 41:PHMINPOSUW ' +
  '10:PBLENDVB 17:PTEST';
const GROUPS: readonly (readonly [string, string])[] = [
  ['71', '2:PSRLW 4:PSRAW 6:PSLLW'],
  ['72', '2:PSRLD 4:PSRAD 6:PSLLD'],
  ['73', '2:PSRLQ 6:PSLLQ'],
];

const each = (list: string, line: (op: string, name: string, width: string) => string): string =>
  list
    .split(' ')
    .map((item) => {
      const [op = '', name = '', width = ''] = item.split(':');
      return line(op, name, width);
    })
    .join('\n');

export const mmxEncodings = (): Encoding[] =>
  parseEncodings(
    [
      each(
        SHARED_0F,
        (op, name) =>
          `${name} | NP 0F ${op} /r | Pq,${['60', '61', '62'].includes(op) ? 'Qd' : 'Qq'} |`,
      ),
      each(SHIFTS_0F, (op, name) => `${name} | NP 0F ${op} /r | Pq,Qq | vectorCount`),
      each(SHARED_38, (op, name) => `${name} | NP 0F 38 ${op} /r | Pq,Qq |`),
      ...GROUPS.map(([op, list]) =>
        each(list, (digit, name) => `${name} | NP 0F ${op} /${digit} | Nq,Ib | count`),
      ),
      `
  MOVD | NP 0F 6E /r | Pd,Ey |
  MOVD | NP 0F 7E /r | Ey,Pd |
  MOVQ | NP 0F 6F /r | Pq,Qq |
  MOVQ | NP 0F 7F /r | Qq,Pq |
  PSHUFW | NP 0F 70 /r | Pq,Qq,Ib |
  PINSRW | NP 0F C4 /r | Pq,Ed,Ib | wordMemory
  PEXTRW | NP 0F C5 /r | Gy,Nq,Ib |
  PMOVMSKB | NP 0F D7 /r | Gy,Nq |
  MOVNTQ | NP 0F E7 /r | Mq,Pq |
  MASKMOVQ | NP 0F F7 /r | Pq,Nq | maskMove
  PALIGNR | NP 0F 3A 0F /r | Pq,Qq,Ib | count
  EMMS | NP 0F 77 | |
  MOVQ2DQ | F3 0F D6 /r | Vx,Nq |
  MOVDQ2Q | F2 0F D6 /r | Pq,Ux |
  CVTPI2PS | NP 0F 2A /r | Vps,Qpi |
  CVTPI2PD | 66 0F 2A /r | Vpd,Qpi |
`,
    ].join('\n'),
    'mmx',
  );

export const mmxFloatEncodings = (): Encoding[] =>
  parseEncodings(
    `
  CVTTPS2PI | NP 0F 2C /r | Pq,Wq |
  CVTPS2PI | NP 0F 2D /r | Pq,Wq |
`,
    'f32',
  ).concat(
    parseEncodings(
      `
  CVTTPD2PI | 66 0F 2C /r | Pq,Wx | aligned
  CVTPD2PI | 66 0F 2D /r | Pq,Wx | aligned
`,
      'f64',
    ),
  );

export const sseIntegerEncodings = (): Encoding[] =>
  parseEncodings(
    [
      each(SHARED_0F, (op, name) => `${name} | 66 0F ${op} /r | Vx,Wx | aligned`),
      each(SHIFTS_0F, (op, name) => `${name} | 66 0F ${op} /r | Vx,Wx | aligned vectorCount`),
      each(SHARED_38, (op, name) => `${name} | 66 0F 38 ${op} /r | Vx,Wx | aligned`),
      each(
        XMM_38,
        (op, name, width) =>
          `${name} | 66 0F 38 ${op} /r | Vx,W${width === '' ? 'x' : width} | ${width === '' ? 'aligned' : ''}`,
      ),
      ...GROUPS.map(([op, list]) =>
        each(list, (digit, name) => `${name} | 66 0F ${op} /${digit} | Ux,Ib | count`),
      ),
      `
  PSRLDQ | 66 0F 73 /3 | Ux,Ib | count
  PSLLDQ | 66 0F 73 /7 | Ux,Ib | count
  PUNPCKLQDQ | 66 0F 6C /r | Vx,Wx | aligned
  PUNPCKHQDQ | 66 0F 6D /r | Vx,Wx | aligned
  MOVD | 66 0F 6E /r | Vx,Ey |
  MOVD | 66 0F 7E /r | Ey,Vx |
  MOVQ | F3 0F 7E /r | Vx,Wq |
  MOVQ | 66 0F D6 /r | Wq,Vx |
  MOVDQA | 66 0F 6F /r | Vx,Wx | aligned
  MOVDQA | 66 0F 7F /r | Wx,Vx | aligned
  MOVDQU | F3 0F 6F /r | Vx,Wx |
  MOVDQU | F3 0F 7F /r | Wx,Vx |
  LDDQU | F2 0F F0 /r | Vx,M128 |
  PSHUFD | 66 0F 70 /r | Vx,Wx,Ib | aligned
  PSHUFHW | F3 0F 70 /r | Vx,Wx,Ib | aligned
  PSHUFLW | F2 0F 70 /r | Vx,Wx,Ib | aligned
  PINSRW | 66 0F C4 /r | Vx,Ed,Ib | wordMemory
  PEXTRW | 66 0F C5 /r | Gy,Ux,Ib |
  PEXTRB | 66 0F 3A 14 /r | Eb,Vx,Ib | zeroExtends
  PEXTRW | 66 0F 3A 15 /r | Ew,Vx,Ib | zeroExtends
  PEXTRD | 66 0F 3A 16 /r | Ey,Vx,Ib |
  PINSRB | 66 0F 3A 20 /r | Vx,Eb,Ib |
  PINSRD | 66 0F 3A 22 /r | Vx,Ey,Ib |
  PALIGNR | 66 0F 3A 0F /r | Vx,Wx,Ib | aligned count
  PBLENDW | 66 0F 3A 0E /r | Vx,Wx,Ib | aligned
  MPSADBW | 66 0F 3A 42 /r | Vx,Wx,Ib | aligned
  PMOVMSKB | 66 0F D7 /r | Gy,Ux |
  MASKMOVDQU | 66 0F F7 /r | Vx,Ux | maskMove
  MOVNTDQ | 66 0F E7 /r | M128,Vx | aligned
  MOVNTDQA | 66 0F 38 2A /r | Vx,M128 | aligned
  MOVNTPS | NP 0F 2B /r | M128,Vx | aligned
  MOVNTPD | 66 0F 2B /r | M128,Vx | aligned
`,
    ].join('\n'),
    'int',
  );

export const stringCompareEncodings = (): Encoding[] =>
  parseEncodings(
    `
  PCMPESTRM | 66 0F 3A 60 /r | Vx,Wx,Ib | strings
  PCMPESTRI | 66 0F 3A 61 /r | Vx,Wx,Ib | strings
  PCMPISTRM | 66 0F 3A 62 /r | Vx,Wx,Ib | strings
  PCMPISTRI | 66 0F 3A 63 /r | Vx,Wx,Ib | strings
  PCMPESTRI | 66 REX.W 0F 3A 61 /r | Vx,Wx,Ib | strings long
  PCMPESTRM | 66 REX.W 0F 3A 60 /r | Vx,Wx,Ib | strings long
`,
    'int',
  );

export const cryptoEncodings = (): Encoding[] =>
  parseEncodings(
    `
  AESIMC | 66 0F 38 DB /r | Vx,Wx | aligned
  AESENC | 66 0F 38 DC /r | Vx,Wx | aligned
  AESENCLAST | 66 0F 38 DD /r | Vx,Wx | aligned
  AESDEC | 66 0F 38 DE /r | Vx,Wx | aligned
  AESDECLAST | 66 0F 38 DF /r | Vx,Wx | aligned
  AESKEYGENASSIST | 66 0F 3A DF /r | Vx,Wx,Ib | aligned
  PCLMULQDQ | 66 0F 3A 44 /r | Vx,Wx,Ib | aligned
  SHA1NEXTE | NP 0F 38 C8 /r | Vx,Wx | aligned
  SHA1MSG1 | NP 0F 38 C9 /r | Vx,Wx | aligned
  SHA1MSG2 | NP 0F 38 CA /r | Vx,Wx | aligned
  SHA256RNDS2 | NP 0F 38 CB /r | Vx,Wx | aligned
  SHA256MSG1 | NP 0F 38 CC /r | Vx,Wx | aligned
  SHA256MSG2 | NP 0F 38 CD /r | Vx,Wx | aligned
  SHA1RNDS4 | NP 0F 3A CC /r | Vx,Wx,Ib | aligned
`,
    'int',
  );

const ARITHMETIC = '51:SQRT 58:ADD 59:MUL 5C:SUB 5D:MIN 5E:DIV 5F:MAX';

export const sseSingleEncodings = (): Encoding[] =>
  parseEncodings(
    [
      each(
        ARITHMETIC,
        (op, name) => `
  ${name}PS | NP 0F ${op} /r | Vx,Wx | aligned
  ${name}SS | F3 0F ${op} /r | Vx,Wss |`,
      ),
      each(
        '54:ANDPS 55:ANDNPS 56:ORPS 57:XORPS 14:UNPCKLPS 15:UNPCKHPS 52:RSQRTPS 53:RCPPS',
        (op, name) => `${name} | NP 0F ${op} /r | Vx,Wx | aligned`,
      ),
      `
  RSQRTSS | F3 0F 52 /r | Vx,Wss |
  RCPSS | F3 0F 53 /r | Vx,Wss |
  MOVUPS | NP 0F 10 /r | Vx,Wx |
  MOVUPS | NP 0F 11 /r | Wx,Vx |
  MOVSS | F3 0F 10 /r | Vx,Wss |
  MOVSS | F3 0F 11 /r | Wss,Vx |
  MOVLPS | NP 0F 12 /r | Vx,Wq |
  MOVLPS | NP 0F 13 /r | Mq,Vx |
  MOVSLDUP | F3 0F 12 /r | Vx,Wx | aligned
  MOVSHDUP | F3 0F 16 /r | Vx,Wx | aligned
  MOVHPS | NP 0F 16 /r | Vx,Wq |
  MOVHPS | NP 0F 17 /r | Mq,Vx |
  MOVAPS | NP 0F 28 /r | Vx,Wx | aligned
  MOVAPS | NP 0F 29 /r | Wx,Vx | aligned
  CVTSI2SS | F3 0F 2A /r | Vx,Ey |
  CVTTSS2SI | F3 0F 2C /r | Gy,Wss |
  CVTSS2SI | F3 0F 2D /r | Gy,Wss |
  UCOMISS | NP 0F 2E /r | Vx,Wss |
  COMISS | NP 0F 2F /r | Vx,Wss |
  MOVMSKPS | NP 0F 50 /r | Gy,Ux |
  CVTPS2PD | NP 0F 5A /r | Vx,Wq |
  CVTSS2SD | F3 0F 5A /r | Vx,Wss |
  CVTDQ2PS | NP 0F 5B /r | Vx,Wx | aligned
  CVTPS2DQ | 66 0F 5B /r | Vx,Wx | aligned
  CVTTPS2DQ | F3 0F 5B /r | Vx,Wx | aligned
  CMPPS | NP 0F C2 /r | Vx,Wx,Ib | aligned predicate
  CMPSS | F3 0F C2 /r | Vx,Wss,Ib | predicate
  SHUFPS | NP 0F C6 /r | Vx,Wx,Ib | aligned
  HADDPS | F2 0F 7C /r | Vx,Wx | aligned
  HSUBPS | F2 0F 7D /r | Vx,Wx | aligned
  ADDSUBPS | F2 0F D0 /r | Vx,Wx | aligned
  BLENDVPS | 66 0F 38 14 /r | Vx,Wx | aligned
  ROUNDPS | 66 0F 3A 08 /r | Vx,Wx,Ib | aligned
  ROUNDSS | 66 0F 3A 0A /r | Vx,Wss,Ib |
  BLENDPS | 66 0F 3A 0C /r | Vx,Wx,Ib | aligned
  EXTRACTPS | 66 0F 3A 17 /r | Ed,Vx,Ib | zeroExtends
  INSERTPS | 66 0F 3A 21 /r | Vx,Wss,Ib |
  DPPS | 66 0F 3A 40 /r | Vx,Wx,Ib | aligned
  LDMXCSR | NP 0F AE /2 | Md | mxcsrImage
  STMXCSR | NP 0F AE /3 | Md |
`,
    ].join('\n'),
    'f32',
  );

export const sseDoubleEncodings = (): Encoding[] =>
  parseEncodings(
    [
      each(
        ARITHMETIC,
        (op, name) => `
  ${name}PD | 66 0F ${op} /r | Vx,Wx | aligned
  ${name}SD | F2 0F ${op} /r | Vx,Wsd |`,
      ),
      each(
        '54:ANDPD 55:ANDNPD 56:ORPD 57:XORPD 14:UNPCKLPD 15:UNPCKHPD',
        (op, name) => `${name} | 66 0F ${op} /r | Vx,Wx | aligned`,
      ),
      `
  MOVUPD | 66 0F 10 /r | Vx,Wx |
  MOVUPD | 66 0F 11 /r | Wx,Vx |
  MOVSD | F2 0F 10 /r | Vx,Wsd |
  MOVSD | F2 0F 11 /r | Wsd,Vx |
  MOVLPD | 66 0F 12 /r | Vx,Mq |
  MOVLPD | 66 0F 13 /r | Mq,Vx |
  MOVDDUP | F2 0F 12 /r | Vx,Wsd |
  MOVHPD | 66 0F 16 /r | Vx,Mq |
  MOVHPD | 66 0F 17 /r | Mq,Vx |
  MOVAPD | 66 0F 28 /r | Vx,Wx | aligned
  MOVAPD | 66 0F 29 /r | Wx,Vx | aligned
  CVTSI2SD | F2 0F 2A /r | Vx,Ey |
  CVTTSD2SI | F2 0F 2C /r | Gy,Wsd |
  CVTSD2SI | F2 0F 2D /r | Gy,Wsd |
  UCOMISD | 66 0F 2E /r | Vx,Wsd |
  COMISD | 66 0F 2F /r | Vx,Wsd |
  MOVMSKPD | 66 0F 50 /r | Gy,Ux |
  CVTPD2PS | 66 0F 5A /r | Vx,Wx | aligned
  CVTSD2SS | F2 0F 5A /r | Vx,Wsd |
  CVTDQ2PD | F3 0F E6 /r | Vx,Wq |
  CVTPD2DQ | F2 0F E6 /r | Vx,Wx | aligned
  CVTTPD2DQ | 66 0F E6 /r | Vx,Wx | aligned
  CMPPD | 66 0F C2 /r | Vx,Wx,Ib | aligned predicate
  CMPSD | F2 0F C2 /r | Vx,Wsd,Ib | predicate
  SHUFPD | 66 0F C6 /r | Vx,Wx,Ib | aligned
  HADDPD | 66 0F 7C /r | Vx,Wx | aligned
  HSUBPD | 66 0F 7D /r | Vx,Wx | aligned
  ADDSUBPD | 66 0F D0 /r | Vx,Wx | aligned
  BLENDVPD | 66 0F 38 15 /r | Vx,Wx | aligned
  ROUNDPD | 66 0F 3A 09 /r | Vx,Wx,Ib | aligned
  ROUNDSD | 66 0F 3A 0B /r | Vx,Wsd,Ib |
  BLENDPD | 66 0F 3A 0D /r | Vx,Wx,Ib | aligned
  DPPD | 66 0F 3A 41 /r | Vx,Wx,Ib | aligned
`,
    ].join('\n'),
    'f64',
  );
