/* 32-bit protected-mode harness: exception stubs, entry to a case and the way out of it. Paging is off in the base state. */
#include "case.inc"

        .section .start, "ax"
        .code32
        .globl  body_start
body_start:
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        lgdt    gdt_pointer
        ljmp    $CODE32_SELECTOR, $1f
1:      movl    $DATA_SELECTOR, %eax
        movl    %eax, %ss
        movl    %eax, %ds
        movl    %eax, %es
        call    run_image
        ud2

        .text
        .globl  load_base_segments
load_base_segments:
        lgdt    gdt_pointer
        lidt    idt_pointer
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ss
        movl    %eax, %ds
        movl    %eax, %es
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        ljmp    $CODE32_SELECTOR, $1f
1:      xorl    %eax, %eax
        lldt    %ax
        movl    $TSS_SELECTOR, %eax
        ltr     %ax
        ret

        .globl  enter_case
enter_case:
        pushl   %ebx
        pushl   %ebp
        pushl   %esi
        pushl   %edi
        movl    %esp, saved_sp
        cmpl    $USER, case_kind
        je      enter_user
        cmpl    $USER16, case_kind
        je      enter_user16
        call    clear_registers
        calll   *case_entry
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        call    on_return
        jmp     unwind

enter_user:
        pushl   $USER_DATA
        pushl   $USER_STACK_TOP
        pushl   case_flags
        pushl   $USER_CODE32
        pushl   case_entry
        movl    $USER_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        call    clear_registers
        iretl

enter_user16:
        movl    case_entry, %eax
        subl    $BODY_BASE, %eax
        pushl   $USER_DATA16
        pushl   $0xeff0                 /* linear 0x1eff0: behind the body */
        pushl   case_flags
        pushl   $USER_CODE16
        pushl   %eax
        movl    $USER_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        call    clear_registers
        iretl

        .globl  unwind
unwind:
        cli
        cld
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ss
        movl    %eax, %ds
        movl    %eax, %es
        movl    saved_sp, %esp
        call    base_state
        popl    %edi
        popl    %esi
        popl    %ebp
        popl    %ebx
        ret

clear_registers:
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        pushl   $2
        popfl
        ret

        .globl  show_value, show_value16
show_value:
        pushfl
        pushl   %edx
        pushl   %ds
        movl    $USER_DATA, %edx        /* flat, and loadable in every ring */
        movl    %edx, %ds
        pushl   %ecx
        movl    $shown_count, %ecx
        movl    (%ecx), %edx
        incl    (%ecx)
        movl    $shown, %ecx
        movl    %eax, (%ecx, %edx, 8)
        movl    $0, 4(%ecx, %edx, 8)
        popl    %ecx
        popl    %ds
        popl    %edx
        popfl
        retl
        .code16
show_value16:
        pushfl
        pushl   %edx
        pushl   %ds
        movl    $USER_DATA, %edx        /* flat, and loadable in every ring */
        movl    %edx, %ds
        pushl   %ecx
        movl    $shown_count, %ecx
        movl    (%ecx), %edx
        incl    (%ecx)
        movl    $shown, %ecx
        movl    %eax, (%ecx, %edx, 8)
        movl    $0, 4(%ecx, %edx, 8)
        popl    %ecx
        popl    %ds
        popl    %edx
        popfl
        retl
        .code32

        .macro STUB vector
        .if     (\vector >= 32) || !((0x00227d00 >> \vector) & 1)
        pushl   $0
        .endif
        pushl   $\vector
        jmp     common_stub
        .endm

        .altmacro
        .macro STUB_FOR vector
stub_\vector:
        STUB    \vector
        .endm
        .macro STUB_ADDRESS vector
        .long   stub_\vector
        .endm
        .set    vector, 0
        .rept   32
        STUB_FOR %vector
        .set    vector, vector + 1
        .endr
stub_128: STUB  0x80
stub_129: STUB  0x81
stub_130: STUB  0x82
stub_131: STUB  0x83

common_stub:
        pushal
        pushl   %ds
        pushl   %es
        pushl   %fs
        pushl   %gs
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        cld
        pushl   %esp
        call    on_trap
        addl    $4, %esp
        popl    %gs
        popl    %fs
        popl    %es
        popl    %ds
        popal
        addl    $8, %esp
        iretl

        .data
        .balign 8
        .globl  stub_addresses
stub_addresses:
        .set    vector, 0
        .rept   32
        STUB_ADDRESS %vector
        .set    vector, vector + 1
        .endr
        .long   stub_128, stub_129, stub_130, stub_131
        .noaltmacro

        .balign 16
        .globl  gdt, gdt_pointer, idt_pointer
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* 0x08 code */
        .quad   0
        .quad   0x00cf93000000ffff      /* 0x18 data */
        .quad   0x00cffb000000ffff      /* 0x20 user code */
        .quad   0x00cff3000000ffff      /* 0x28 user data */
        .fill   5, 8, 0
        .quad   0x00009b010000ffff      /* 0x58 16-bit code, base 0x10000 */
        .quad   0x000093010000ffff      /* 0x60 16-bit data, base 0x10000 */
        .quad   0x0000fb010000ffff      /* 0x68 16-bit user code */
        .quad   0x0000f3010000ffff      /* 0x70 16-bit user data */
        .fill   17, 8, 0
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
        .balign 8
idt_pointer:
        .word   256 * 8 - 1
        .long   idt

        .bss
        .balign 16
saved_sp: .skip 4
