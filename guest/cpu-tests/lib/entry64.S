/* 64-bit harness: the way into long mode, exception stubs, entry to a case and the way out of it. */
#include "case.inc"

        .section .start, "ax"
        .code32
        .globl  body_start
body_start:
        movl    $TABLES, %edi
        xorl    %eax, %eax
        movl    $0x2400, %ecx
        rep stosl
        movl    $BOOT_PDPT + 3, BOOT_PML4
        movl    $BOOT_PD + 3, BOOT_PDPT
        movl    $0x83, %eax             /* supervisor pages: usable while SMEP is still on */
1:      movl    %eax, BOOT_PD(, %ecx, 8)
        addl    $0x200000, %eax
        incl    %ecx
        cmpl    $32, %ecx
        jne     1b
        movl    $0xa0, %eax             /* PAE, PGE */
        movl    %eax, %cr4
        movl    $BOOT_PML4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx
        movl    $0x901, %eax            /* NXE, LME, SCE */
        xorl    %edx, %edx
        wrmsr
        movl    $0x80050033, %eax
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmpl   $CODE64_SELECTOR, $start64

        .text
        .code64
start64:
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ss
        movl    $STACK_TOP, %esp
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        call    run_image
        ud2

        .globl  load_base_segments
load_base_segments:
        lgdt    gdt_pointer
        lidt    idt_pointer
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movl    $USER_DATA, %eax
        movl    %eax, %ds
        movl    %eax, %es
        pushq   $CODE64_SELECTOR
        pushq   $1f
        lretq
1:      xorl    %eax, %eax
        lldt    %ax
        movl    $TSS_SELECTOR, %eax
        ltr     %ax
        ret

        .globl  enter_case
enter_case:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, saved_sp
        mov     case_kind, %eax
        cmp     $USER, %eax
        je      enter_user
        cmp     $COMPAT, %eax
        je      enter_compat
        cmp     $COMPAT_USER, %eax
        je      enter_compat_user
        call    clear_registers
        call    *case_entry
        call    on_return
        jmp     unwind

enter_user:
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   case_flags
        pushq   $USER_CODE64
        pushq   case_entry
        call    clear_registers
        iretq

enter_compat_user:
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   case_flags
        pushq   $USER_CODE32
        pushq   case_entry
        call    clear_registers
        iretq

enter_compat:
        pushq   $CODE32_SELECTOR
        pushq   case_entry
        call    clear_registers
        lretq

        .globl  unwind
unwind:
        cli
        cld
        mov     saved_sp, %rsp
        call    base_state
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

clear_registers:
        pushq   $2
        popfq
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        xorl    %r8d, %r8d
        xorl    %r9d, %r9d
        xorl    %r10d, %r10d
        xorl    %r11d, %r11d
        xorl    %r12d, %r12d
        xorl    %r13d, %r13d
        xorl    %r14d, %r14d
        xorl    %r15d, %r15d
        pushq   $2
        popfq
        ret

        .globl  show_value
show_value:
        pushfq
        push    %rdx
        mov     shown_count, %rdx
        mov     %rax, shown(, %rdx, 8)
        incq    shown_count
        pop     %rdx
        popfq
        ret

        .code32
        .globl  show_value32
show_value32:
        pushfl
        pushl   %edx
        movl    %ss:shown_count, %edx
        movl    %eax, %ss:shown(, %edx, 8)
        movl    $0, %ss:shown + 4(, %edx, 8)
        incl    %ss:shown_count
        popl    %edx
        popfl
        ret

        .code64
        .macro STUB vector
        .if     (\vector >= 32) || !((0x00227d00 >> \vector) & 1)
        pushq   $0
        .endif
        pushq   $\vector
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
        push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        cld
        mov     %rsp, %rdi
        call    on_trap
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

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
        .quad   0x00cf9b000000ffff      /* 0x08 code, 32-bit */
        .quad   0x00af9b000000ffff      /* 0x10 code, 64-bit */
        .quad   0x00cf93000000ffff      /* 0x18 data */
        .quad   0x00cffb000000ffff      /* 0x20 user code, 32-bit */
        .quad   0x00cff3000000ffff      /* 0x28 user data */
        .quad   0x00affb000000ffff      /* 0x30 user code, 64-bit */
        .fill   25, 8, 0
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .quad   gdt
        .balign 8
idt_pointer:
        .word   256 * 16 - 1
        .quad   idt

        .bss
        .balign 16
saved_sp: .skip 8
