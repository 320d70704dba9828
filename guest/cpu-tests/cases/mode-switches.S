/* The mode switches that firmware and hypervisors make: real mode with paging off, 16- and 32-bit protected mode, PAE,
   long mode, compatibility mode, and all the way back. SDM vol. 3A 9.8.5 and 9.9. */
#include "case.inc"

#define LONG_CODE_SELECTOR 0x80
#define REAL_SEGMENT 0x1000
#define PAE_FIRST (TABLES + 0x5000)

        .text
        .code32

        .macro BUILD_LONG_TABLES
        movl    $PDPT_TABLE + 3, PML4_TABLE
        movl    $0, PML4_TABLE + 4
        movl    $PD_LOW + 3, PDPT_TABLE
        movl    $0, PDPT_TABLE + 4
        movl    $0x83, PD_LOW
        movl    $0x200083, PD_LOW + 8
        .endm
        .macro ENTER_LONG_PAGING
        BUILD_LONG_TABLES
        movl    %cr4, %eax
        orl     $0x20, %eax
        movl    %eax, %cr4
        movl    $PML4_TABLE, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        .endm
        .macro LEAVE_LONG_PAGING
        movl    %cr0, %eax
        andl    $0x7fffffff, %eax
        movl    %eax, %cr0
        movl    $0xc0000080, %ecx
        rdmsr
        andl    $~0x100, %eax
        wrmsr
        movl    %cr4, %eax
        andl    $~0x20, %eax
        movl    %eax, %cr4
        .endm
        .macro SHOW_EFER
        movl    $0xc0000080, %ecx
        rdmsr
        SHOW    %eax
        .endm

CASE    "EFER.LME alone does not activate long mode"
        movl    $0xc0000080, %ecx
        movl    $0x100, %eax
        xorl    %edx, %edx
        wrmsr
        SHOW_EFER
END
CASE    "paging with LME sets LMA: compatibility mode"
        ENTER_LONG_PAGING
        SHOW_EFER
        movl    %cs, %eax
        SHOW    %eax
        movl    %esp, %ebx
        pushl   %eax
        popl    %eax
        LEAVE_LONG_PAGING
        SHOW_EFER
END
CASE    "to 64-bit code and back"
        DESCRIPTOR LONG_CODE_SELECTOR, 0xffff, 0x00af9b00
        ENTER_LONG_PAGING
        ljmpl   $LONG_CODE_SELECTOR, $1f
1:      .byte   0x48, 0xb8              /* movabs $…, %rax */
        .quad   0x1122334455667788
        .byte   0x48, 0xc1, 0xe8, 0x10  /* shr $16, %rax */
        .byte   0x48, 0x89, 0xc3        /* mov %rax, %rbx */
        pushl   $CODE32_SELECTOR        /* in 64-bit code these push 8 bytes */
        pushl   $2f
        .byte   0x48, 0xcb              /* lretq */
2:      SHOW    %ebx
        LEAVE_LONG_PAGING
        SHOW    %ebx
        SHOW_EFER
END
CASE    "paging with LME and without PAE"
        BUILD_LONG_TABLES
        movl    $PML4_TABLE, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx
        movl    $0x100, %eax
        xorl    %edx, %edx
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
END
CASE    "segments keep their values over the switch"
        movl    $USER_DATA, %eax
        movl    %eax, %es
        ENTER_LONG_PAGING
        movl    %es, %eax
        SHOW    %eax
        movl    $0x31, SCRATCH
        SHOW    %es:SCRATCH
        LEAVE_LONG_PAGING
END
CASE    "PAE paging first, then long mode"
        movl    $PAE_FIRST + 1, TABLES + 0x4000
        movl    $0x83, PAE_FIRST
        movl    $0x20, %eax
        movl    %eax, %cr4
        movl    $TABLES + 0x4000, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        movl    $0x41, SCRATCH - 0x200000
        movl    %cr0, %eax
        andl    $0x7fffffff, %eax
        movl    %eax, %cr0
        ENTER_LONG_PAGING
        SHOW    SCRATCH - 0x200000
        SHOW_EFER
        LEAVE_LONG_PAGING
        SHOW_EFER
END
CASE    "16-bit protected mode"
        ljmpl   $CODE16_SELECTOR, $1f - BODY_BASE
        .code16
1:      movl    $0x12345678, %eax
        movw    $0x1111, %ax
        movl    %eax, %ebx
        ljmpl   $CODE32_SELECTOR, $1f
        .code32
1:      SHOW    %ebx
END
CASE    "to real mode and back"
        movl    %esp, saved_esp
        ljmpl   $CODE16_SELECTOR, $1f - BODY_BASE
        .code16
1:      movw    $DATA16_SELECTOR, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movl    $1f - BODY_BASE, %ecx
        movl    %cr0, %eax
        andb    $0xfe, %al
        movl    %eax, %cr0
        pushw   $REAL_SEGMENT
        pushw   %cx
        lretw
1:
        movw    $REAL_SEGMENT, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movl    $0xff00, %esp
        pushw   $0x1234
        popw    %bx
        movw    %cs, %cx
        movl    %cr0, %edx
        movl    $back_gdtr - BODY_BASE, %esi
        lgdtl   %cs:(%si)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $CODE32_SELECTOR, $1f
        .code32
1:      movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    saved_esp, %esp
        SHOW    %ebx
        SHOW    %ecx
        SHOW    %edx
END
CASE    "CS keeps its base and size between CR0.PE and the far jump"
        ljmpl   $CODE16_SELECTOR, $1f - BODY_BASE
        .code16
1:      movl    %cr0, %eax
        andb    $0xfe, %al
        movl    %eax, %cr0
        movw    $0x1111, %bx            /* still this segment */
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $CODE32_SELECTOR, $1f
        .code32
1:      SHOW    %ebx
        movl    %cs, %eax
        SHOW    %eax
END

        .data
        .balign 8
back_gdtr:
        .word   0xff
        .long   gdt
        .bss
saved_esp: .skip 4
