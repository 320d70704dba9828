/** General register numbers that instructions use implicitly (SDM Vol. 2A, table 3-1), and flag bits (SDM Vol. 1, section 3.4.3). */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

export const FLAG = {
  CF: 0x1,
  PF: 0x4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  DF: 0x400,
  OF: 0x800,
} as const;
