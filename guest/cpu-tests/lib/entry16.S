/* Real-mode harness: everything runs in segment 0x1000; the interrupt table stands at linear 0. */
#include "case.inc"

#define SEGMENT 0x1000

        .section .start, "ax"
        .code32
        .globl  body_start
body_start:
        ljmpl   $0x18, $leave_protected

        .code16
leave_protected:
        movw    $0x20, %ax              /* 64 KiB limits for every segment cache */
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    $0x10, %eax
        movl    %eax, %cr0
        ljmpw   $SEGMENT, $start16

        .text
start16:
        movw    $SEGMENT, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0xfff0, %esp
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        cld
        rep stosb
        calll   run_image
        ud2

        .globl  base_state
base_state:
        pushl   %ebx
        cli
        cld
        movl    $0x10, %eax
        movl    %eax, %cr0
        lidtl   idt_pointer
        xorw    %ax, %ax
        movw    %ax, %fs
        movw    %ax, %gs
        xorl    %ebx, %ebx
1:      movw    $stub_254, %ax
        cmpl    $32, %ebx
        jae     2f
        movw    stub_addresses(, %ebx, 2), %ax
2:      movw    %ax, %fs:(, %ebx, 4)
        movw    $SEGMENT, %fs:2(, %ebx, 4)
        incl    %ebx
        cmpl    $256, %ebx
        jne     1b
        movw    $stub_128, %fs:0x80 * 4
        movw    $stub_129, %fs:0x81 * 4
        movl    $0x400, %eax
        movl    %eax, %dr7
        movl    $0xffff0ff0, %eax
        movl    %eax, %dr6
        popl    %ebx
        retl

        .globl  enter_case
enter_case:
        pushl   %ebx
        pushl   %ebp
        pushl   %esi
        pushl   %edi
        movl    %esp, saved_sp
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        pushl   $2
        popfl
        callw   *case_entry
        calll   on_return
        .globl  unwind
unwind:
        cli
        movw    $SEGMENT, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    saved_sp, %esp
        calll   base_state
        popl    %edi
        popl    %esi
        popl    %ebp
        popl    %ebx
        retl

        .globl  show_value
show_value:
        pushfl
        pushl   %edx
        movl    %cs:shown_count, %edx
        movl    %eax, %cs:shown(, %edx, 8)
        movl    $0, %cs:shown + 4(, %edx, 8)
        incl    %cs:shown_count
        popl    %edx
        popfl
        retl

        .altmacro
        .macro STUB_FOR vector
stub_\vector:
        movw    $\vector, %cs:frame_vector
        jmp     common_stub
        .endm
        .macro STUB_ADDRESS vector
        .word   stub_\vector
        .endm
        .set    vector, 0
        .rept   32
        STUB_FOR %vector
        .set    vector, vector + 1
        .endr
        STUB_FOR 128
        STUB_FOR 129
        STUB_FOR 254

        /* The interrupted stack may be anywhere, so the frame is moved into this segment before C sees it. */
common_stub:
        movl    %eax, %cs:frame_ax
        movl    %ecx, %cs:frame_cx
        movl    %edx, %cs:frame_dx
        movl    %ebx, %cs:frame_bx
        movl    %ebp, %cs:frame_bp
        movl    %esi, %cs:frame_si
        movl    %edi, %cs:frame_di
        movw    %ds, %cs:frame_ds
        movw    %es, %cs:frame_es
        movw    %fs, %cs:frame_fs
        movw    %gs, %cs:frame_gs
        popw    %cs:frame_ip
        popw    %cs:frame_cs
        popw    %cs:frame_flags
        movl    %esp, %cs:frame_sp
        movw    %ss, %cs:frame_ss
        movw    $SEGMENT, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0xef00, %esp
        cld
        pushl   $frame
        calll   on_trap
        movw    frame_ss, %ss
        movl    frame_sp, %esp
        pushw   frame_flags
        pushw   frame_cs
        pushw   frame_ip
        movl    frame_ax, %eax
        movl    frame_cx, %ecx
        movl    frame_dx, %edx
        movl    frame_bx, %ebx
        movl    frame_bp, %ebp
        movl    frame_si, %esi
        movl    frame_di, %edi
        movw    frame_es, %es
        movw    frame_fs, %fs
        movw    frame_gs, %gs
        movw    frame_ds, %ds
        iretw

        .data
        .balign 4
stub_addresses:
        .set    vector, 0
        .rept   32
        STUB_ADDRESS %vector
        .set    vector, vector + 1
        .endr
        .noaltmacro
        .globl  idt_pointer
idt_pointer:
        .word   0x3ff
        .long   0

        .bss
        .balign 16
saved_sp: .skip 4
        /* struct frame of harness.h, real-mode form */
frame:
frame_di: .skip 4
frame_si: .skip 4
frame_bp: .skip 4
        .skip   4
frame_bx: .skip 4
frame_dx: .skip 4
frame_cx: .skip 4
frame_ax: .skip 4
frame_sp: .skip 4
frame_ss: .skip 2
frame_ds: .skip 2
frame_es: .skip 2
frame_fs: .skip 2
frame_gs: .skip 2
frame_vector: .skip 2
frame_ip: .skip 2
frame_cs: .skip 2
frame_flags: .skip 2
