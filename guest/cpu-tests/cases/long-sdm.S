/* Checks that TCG does not make and does not survive: it takes the value and loses the machine. The transcript is written
   by hand from the SDM: vol. 3A 2.5 (control registers) and 4.1.2 (paging-mode enabling), vol. 2 opcode map. */
#include "case.inc"

        .macro SET_CR register, bits
        mov     %\register, %rax
        mov     $\bits, %rdx
        or      %rdx, %rax
        mov     %rax, %\register
        .endm

        .text
        .code64
CASE    "CR0.PG cannot be cleared in 64-bit mode"
        mov     %cr0, %rax
        btr     $31, %rax
        mov     %rax, %cr0
END
CASE    "CR0.NW without CD"
        mov     %cr0, %rax
        bts     $29, %rax
        mov     %rax, %cr0
END
CASE    "CR4.PAE cannot be cleared in long mode"
        mov     %cr4, %rax
        btr     $5, %rax
        mov     %rax, %cr4
END
CASE    "CR0 upper half"
        SET_CR  cr0, 0x100000000
END
CASE    "CR4 reserved bit 31"
        SET_CR  cr4, 0x80000000
END
CASE    "CR4 upper half"
        SET_CR  cr4, 0x100000000
END
CASE    "CR4.VMXE without VMX"
        SET_CR  cr4, 0x2000
END
CASE    "CR4.PCIDE without PCID"
        SET_CR  cr4, 0x20000
END
CASE    "CR4.LA57 without LA57"
        SET_CR  cr4, 0x1000
END
CASE    "CR3 above the physical address width"
        mov     $0x10000000000000, %rax
        mov     %rax, %cr3
END
CASE    "undefined: 8f /1"
        .byte   0x8f, 0xc8
END
        .code32
CASE    "CR4.PAE cannot be cleared in compatibility mode", COMPAT
        movl    %cr4, %eax
        btrl    $5, %eax
        movl    %eax, %cr4
UEND
