/* Compatibility mode below a 64-bit kernel, and what 64-bit mode does not have. SDM vol. 1 3.2.1, vol. 2 of each instruction. */
#include "case.inc"

        .macro FAR_POINTER32 label, selector
        movl    $\label, SCRATCH
        movw    $\selector, SCRATCH + 4
        .endm

        .text
        .code32
CASE    "compatibility mode: 32-bit addressing and segments", COMPAT
        movl    $0x1234, SCRATCH
        movl    $SCRATCH, %ebx
        CSHOW   (%ebx)
        movl    %cs, %eax
        CSHOW   %eax
UEND
CASE    "compatibility mode: inc is one byte, no REX", COMPAT
        .byte   0x40, 0x48, 0x40
        CSHOW   %eax
UEND
CASE    "compatibility mode: push and pop of 32 bits", COMPAT
        movl    %esp, %ebx
        pushl   $1
        subl    %esp, %ebx
        CSHOW   %ebx
        popl    %eax
UEND
CASE    "compatibility mode: frame of an interrupt has 64 bits", COMPAT
        movl    %esp, %ebx
        andl    $~15, %esp
        movl    %esp, %ecx
        movl    $compat_frame, %eax
        movw    %ax, idt + 0x80 * 16
        int     $0x80
        movl    %ebx, %esp
UEND
CASE    "compatibility mode: paging fault", COMPAT
        movl    WINDOW, %eax
UEND
CASE    "compatibility mode: segment limit", COMPAT
        DESCRIPTOR FREE_SELECTOR, 0x00000fff, 0x00409300
        movl    $FREE_SELECTOR, %eax
        movl    %eax, %fs
        movl    %fs:0xffc, %eax
        movl    %fs:0xffd, %eax
UEND
CASE    "compatibility mode: null segment", COMPAT
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %fs:0, %eax
UEND
CASE    "compatibility mode at ring 3", COMPAT_USER
        movl    %cs, %eax
        CSHOW   %eax
        CSHOW   %esp
UEND
CASE    "compatibility mode at ring 3: privileged instruction", COMPAT_USER
        hlt
UEND
CASE    "compatibility mode: far jump to 64-bit code and back", COMPAT
        ljmpl   $CODE64_SELECTOR, $1f
        .code64
1:      mov     $0x123456789, %rax
        SHOW    %rax
        FAR_POINTER32 1f, CODE32_SELECTOR
        ljmp    *SCRATCH
        .code32
1:      CSHOW   %eax
UEND
CASE    "compatibility mode: upper halves survive", COMPAT
        ljmpl   $CODE64_SELECTOR, $1f
        .code64
1:      mov     $0x1122334455667788, %r9
        mov     %r9, %rdi
        FAR_POINTER32 1f, CODE32_SELECTOR
        ljmp    *SCRATCH
        .code32
1:      ljmpl   $CODE64_SELECTOR, $1f
        .code64
1:      SHOW    %r9
        SHOW    %rdi
        int     $0x81
END
        .code32
CASE    "compatibility mode: int3, into, bound", COMPAT
        movl    $0x18, trap_mask
        int3
        movb    $0x7f, %al
        incb    %al
        into
        movl    $5, SCRATCH
        movl    $9, SCRATCH + 4
        movl    $10, %eax
        bound   %eax, SCRATCH
UEND
        .code64
CASE    "into, bound, aaa, pusha, push %es do not exist in 64-bit mode"
        movl    $0x40, trap_mask
        movl    $1f, resume_at
        .byte   0xce
1:      movl    $1f, resume_at
        .byte   0x62, 0xc0, 0, 0
1:      movl    $1f, resume_at
        .byte   0x37
1:      movl    $1f, resume_at
        .byte   0x60
1:      movl    $1f, resume_at
        .byte   0x06
1:      movl    $1f, resume_at
        .byte   0x9a, 0, 0, 0, 0, 0, 0
1:      movl    $1f, resume_at
        .byte   0xc4, 0xc0
1:      movl    $1f, resume_at
        .byte   0x82, 0xc0, 0
1:      movl    $1f, resume_at
        .byte   0xd4, 0x0a
1:      movl    $1f, resume_at
        .byte   0xd6
1:
END

compat_frame:
        sub     %esp, %ecx
        SHOW32  %ecx
        mov     8(%rsp), %rax
        SHOW    %rax
        int     $0x81
