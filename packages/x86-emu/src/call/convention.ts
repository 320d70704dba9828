/** Calling conventions as data. */
import type { RegisterName } from '../machine/registers.ts';

export interface CallingConvention {
  readonly name: string;
  /** Bytes of a stack slot, of a pointer and of the return address. */
  readonly slot: 4 | 8;
  /** Registers of the first integer arguments, in order. */
  readonly argumentRegisters: readonly RegisterName[];
  /** Bytes that the caller reserves above the return address before stack arguments (the shadow space of the Microsoft convention). */
  readonly shadowSpace: number;
  /** Alignment of the stack pointer before the return address is pushed. */
  readonly stackAlignment: number;
  readonly returnRegister: RegisterName;
  /** Registers that the callee must give back unchanged, beside the stack pointer. */
  readonly calleeSaved: readonly RegisterName[];
}

export type CallingConventionName = 'ms-x64' | 'sysv-x64' | 'cdecl-ia32';

/** The conventions that firmware and operating systems of x86 use. */
export const CALLING_CONVENTIONS: Readonly<Record<CallingConventionName, CallingConvention>> = {
  /** UEFI on x64 (UEFI 2.10, section 2.3.4.2); Microsoft x64. */
  'ms-x64': {
    name: 'ms-x64',
    slot: 8,
    argumentRegisters: ['rcx', 'rdx', 'r8', 'r9'],
    shadowSpace: 32,
    stackAlignment: 16,
    returnRegister: 'rax',
    calleeSaved: [
      'rbx',
      'rbp',
      'rdi',
      'rsi',
      'r12',
      'r13',
      'r14',
      'r15',
      'xmm6',
      'xmm7',
      'xmm8',
      'xmm9',
      'xmm10',
      'xmm11',
      'xmm12',
      'xmm13',
      'xmm14',
      'xmm15',
    ],
  },
  /** System V AMD64 ABI, section 3.2. */
  'sysv-x64': {
    name: 'sysv-x64',
    slot: 8,
    argumentRegisters: ['rdi', 'rsi', 'rdx', 'rcx', 'r8', 'r9'],
    shadowSpace: 0,
    stackAlignment: 16,
    returnRegister: 'rax',
    calleeSaved: ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'],
  },
  /** UEFI on IA-32 (UEFI 2.10, section 2.3.2.2); the C convention of i386. */
  'cdecl-ia32': {
    name: 'cdecl-ia32',
    slot: 4,
    argumentRegisters: [],
    shadowSpace: 0,
    stackAlignment: 16,
    returnRegister: 'eax',
    calleeSaved: ['ebx', 'ebp', 'edi', 'esi'],
  },
};
