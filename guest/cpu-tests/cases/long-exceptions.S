/* Exceptions and interrupts in 64-bit mode: delivery, error codes, priorities, IST, debug exceptions.
   SDM vol. 3A chapter 6, vol. 3B chapter 17. One image, one table of cases: hence the length. */
#include "case.inc"

        .text
        .code64

/* Each vector that an instruction can raise */
CASE    "#DE"
        xor     %ecx, %ecx
        div     %ecx
END
CASE    "#DE by overflow"
        mov     $2, %edx
        mov     $1, %ecx
        div     %ecx
END
CASE    "#DE by signed overflow of the most negative number"
        mov     $0x80000000, %eax
        cdq
        mov     $-1, %ecx
        idiv    %ecx
END
CASE    "#BP"
        movl    $8, trap_mask
        int3
        SHOW32  %eax
END
CASE    "#UD"
        ud2
END
CASE    "#NM by CR0.TS"
        mov     %cr0, %rax
        or      $8, %rax
        mov     %rax, %cr0
        fninit
END
CASE    "#NM by CR0.EM"
        mov     %cr0, %rax
        or      $4, %rax
        mov     %rax, %cr0
        fninit
END
CASE    "wait with TS and MP"
        mov     %cr0, %rax
        or      $8, %rax
        mov     %rax, %cr0
        fwait
END
CASE    "SSE with CR0.EM"
        mov     %cr4, %rax
        or      $0x200, %rax
        mov     %rax, %cr4
        mov     %cr0, %rax
        or      $4, %rax
        mov     %rax, %cr0
        movaps  %xmm0, %xmm1
END
CASE    "SSE without CR4.OSFXSR"
        movaps  %xmm0, %xmm1
END
CASE    "#MF after an unmasked x87 exception"
        fninit
        movw    $0x037e, SCRATCH
        fldcw   SCRATCH
        fldz
        fldz
        fdivp   %st, %st(1)
        nop
        fwait
END
CASE    "#AC at ring 3", USER
        pushfq
        orl     $0x40000, (%rsp)
        popfq
        mov     SCRATCH + 1, %eax
UEND
CASE    "#XM"
        mov     %cr4, %rax
        or      $0x600, %rax
        mov     %rax, %cr4
        movl    $0x1f00, SCRATCH
        ldmxcsr SCRATCH
        pxor    %xmm0, %xmm0
        pxor    %xmm1, %xmm1
        divss   %xmm1, %xmm0
END
CASE    "unmasked SIMD exception without CR4.OSXMMEXCPT"
        mov     %cr4, %rax
        or      $0x200, %rax
        mov     %rax, %cr4
        movl    $0x1d00, SCRATCH
        ldmxcsr SCRATCH
        pxor    %xmm0, %xmm0
        pxor    %xmm1, %xmm1
        divss   %xmm1, %xmm0
END
CASE    "misaligned movaps"
        mov     %cr4, %rax
        or      $0x200, %rax
        mov     %rax, %cr4
        movaps  SCRATCH + 8, %xmm0
END

/* INT n */
CASE    "int 0x80"
        int     $0x80
        SHOW32  %eax
END
CASE    "int n through a gate that is not present"
        int     $0x90
END
CASE    "int n beyond the limit of the IDT"
        mov     %rsp, %rdx
        movw    $0x81 * 16 + 15, SCRATCH
        movq    $idt, SCRATCH + 2
        lidt    SCRATCH
        int     $0x90
END
CASE    "int n at ring 3 through a gate of DPL 0", USER
        int     $14
UEND
CASE    "int n at ring 3 to a vector beyond the IDT", USER
        int     $0xff
UEND
CASE    "int3 at ring 3 through a gate of DPL 0", USER
        andb    $0x9f, idt + 3 * 16 + 5
        int3
UEND
CASE    "gate of a wrong type"
        movb    $0x85, idt + 0x80 * 16 + 5
        int     $0x80
END
CASE    "gate of 32-bit type 6 does not exist in long mode"
        movb    $0x86, idt + 0x80 * 16 + 5
        int     $0x80
END
CASE    "gate with a null selector"
        movw    $0, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a data segment"
        movw    $DATA_SELECTOR, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a 32-bit code segment"
        movw    $CODE32_SELECTOR, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a code segment that is not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00af1b00
        movw    $FREE_SELECTOR, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a selector beyond the GDT"
        movw    $0x200, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a selector in the absent LDT"
        movw    $0x0c, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a ring-3 code segment"
        movw    $USER_CODE64, idt + 0x80 * 16 + 2
        int     $0x80
END
CASE    "gate with a non-canonical offset"
        movl    $0x8000, idt + 0x80 * 16 + 8
        int     $0x80
END

/* The frame */
        /* Points a vector at code of this file; the body lies between 0x10000 and 0x1ffff. */
        .macro HOOK label, vector
        push    %rax
        mov     $\label, %eax
        mov     %ax, idt + \vector * 16
        pop     %rax
        movw    $BODY_BASE >> 16, idt + \vector * 16 + 6
        .endm
CASE    "frame of an interrupt in ring 0"
        mov     %rsp, %rbx
        HOOK    show_frame, 0x80
        and     $~15, %rsp
        mov     %rsp, %rcx
        stc
        int     $0x80
        mov     %rbx, %rsp
END
CASE    "stack is aligned to 16 bytes before the frame"
        mov     %rsp, %rbx
        HOOK    show_frame, 0x80
        and     $~15, %rsp
        sub     $5, %rsp
        mov     %rsp, %rcx
        int     $0x80
        mov     %rbx, %rsp
END
CASE    "frame with an error code"
        HOOK    show_error_frame, 13
        mov     %rsp, %rbx
        and     $~15, %rsp
        mov     %rsp, %rcx
        mov     $0x1f8, %eax
        mov     %eax, %fs
1:      mov     %rbx, %rsp
END
CASE    "frame from ring 3", USER
        HOOK    show_frame, 0x80
        mov     %rsp, %rcx
        int     $0x80
UEND
CASE    "interrupt gate clears IF, trap gate does not"
        HOOK    show_interrupt_flag, 0x80
        sti
        int     $0x80
        movb    $0x8f, idt + 0x80 * 16 + 5
        int     $0x80
        cli
END
CASE    "IST from ring 0"
        movb    $3, idt + 0x80 * 16 + 4
        HOOK    show_stack_pointer, 0x80
        int     $0x80
END
CASE    "IST from ring 3", USER
        movb    $3, idt + 0x80 * 16 + 4
        HOOK    show_stack, 0x80
        int     $0x80
UEND
CASE    "RSP0 from ring 3 and SS is null", USER
        HOOK    show_stack, 0x80
        int     $0x80
UEND
CASE    "SS in ring 0 stays"
        HOOK    show_stack_selector, 0x80
        int     $0x80
END
CASE    "non-canonical RSP0 from ring 3", USER
        movl    $0x8000, tss + 8
        int     $0x80
UEND
CASE    "non-canonical IST"
        movb    $3, idt + 0x80 * 16 + 4
        movl    $0x8000, tss + 36 + 16 + 4
        int     $0x80
END

/* Double fault */
CASE    "#PF while delivering #PF"
        mov     $WINDOW + 0x1000, %rsp
        mov     WINDOW, %al
END
CASE    "#GP while delivering #UD"
        movw    $0x1f8, idt + 6 * 16 + 2
        ud2
END
CASE    "#NP while delivering #UD is not a double fault"
        movb    $0x0e, idt + 6 * 16 + 5
        ud2
END
CASE    "#GP while delivering #GP"
        movw    $0x1f8, idt + 13 * 16 + 2
        mov     $0x800000000000, %rax
        mov     (%rax), %al
END
CASE    "#GP while delivering #PF"
        movw    $0x1f8, idt + 14 * 16 + 2
        mov     WINDOW, %al
END
/* Debug exceptions */
CASE    "single step"
        movl    $2, trap_mask
        pushq   $0x102
        popfq
        nop
        inc     %eax
        pushq   $2
        popfq
        SHOW32  %eax
END
CASE    "single step over mov ss"
        movl    $2, trap_mask
        mov     %ss, %eax
        pushq   $0x102
        popfq
        mov     %eax, %ss
        nop
        nop
        pushq   $2
        popfq
END
CASE    "single step over a repeated string instruction traps per iteration"
        movl    $2, trap_mask
        mov     $SCRATCH, %edi
        mov     $3, %ecx
        pushq   $0x102
        popfq
        rep stosb
        pushq   $2
        popfq
        SHOW32  %ecx
END
CASE    "single step into an int gate", KERNEL
        movl    $2, trap_mask
        pushq   $0x102
        popfq
        int     $0x80
        pushq   $2
        popfq
END
CASE    "single step at ring 3", USER
        movl    $2, trap_mask
        pushq   $0x102
        popfq
        nop
        pushq   $2
        popfq
UEND
CASE    "syscall with TF in FMASK"
        movl    $2, trap_mask
        mov     $0xc0000084, %ecx
        mov     $0x100, %eax
        xor     %edx, %edx
        wrmsr
        mov     $0xc0000082, %ecx
        mov     $1f, %eax
        wrmsr
        mov     $0xc0000081, %ecx
        mov     $0x00180010, %edx
        xor     %eax, %eax
        wrmsr
        pushq   $0x102
        popfq
        syscall
1:      nop
        SHOW_FLAGS 0x100
END
CASE    "instruction breakpoint"
        movl    $2, trap_mask
        lea     1f, %rax
        mov     %rax, %dr0
        mov     $0x401, %eax
        mov     %rax, %dr7
        movl    $2f, resume_at
        nop
1:      inc     %ecx
2:      SHOW32  %ecx
END
CASE    "RF suppresses an instruction breakpoint once"
        movl    $2, trap_mask
        lea     1f, %rax
        mov     %rax, %dr0
        mov     $0x401, %eax
        mov     %rax, %dr7
        mov     %rsp, %rdx
        pushq   $DATA_SELECTOR
        pushq   %rdx
        pushq   $0x10002
        pushq   $CODE64_SELECTOR
        pushq   $1f
        iretq
1:      inc     %ecx
        SHOW32  %ecx
END
CASE    "data breakpoint on a write, 4 bytes"
        movl    $2, trap_mask
        mov     $SCRATCH, %eax
        mov     %rax, %dr1
        mov     $0x00d00404, %eax
        mov     %rax, %dr7
        movl    $1, SCRATCH + 3
        nop
        mov     SCRATCH, %ecx
        movl    $1, SCRATCH + 4
        nop
END
CASE    "data breakpoint on a read or write, 1 byte"
        movl    $2, trap_mask
        mov     $SCRATCH + 8, %eax
        mov     %rax, %dr2
        mov     $0x03000410, %eax
        mov     %rax, %dr7
        mov     SCRATCH + 8, %cl
        nop
        incb    SCRATCH + 8
        nop
        mov     SCRATCH + 9, %cl
END
CASE    "I/O breakpoint needs CR4.DE"
        movl    $2, trap_mask
        mov     %cr4, %rax
        or      $8, %rax
        mov     %rax, %cr4
        mov     $0x80, %eax
        mov     %rax, %dr3
        mov     $0x20000440, %eax
        mov     %rax, %dr7
        out     %al, $0x80
        nop
END
CASE    "general detect"
        mov     $0x2400, %eax
        mov     %rax, %dr7
        mov     %dr0, %rax
END
CASE    "DR4 is DR6 without CR4.DE"
        mov     %db4, %rax
        SHOW    %rax
        mov     %db5, %rax
        SHOW    %rax
END
CASE    "DR4 with CR4.DE"
        mov     %cr4, %rax
        or      $8, %rax
        mov     %rax, %cr4
        mov     %db4, %rax
END
CASE    "mov to DR7 with upper bits"
        mov     $0x100000400, %rax
        mov     %rax, %dr7
END
CASE    "mov to DR6 with upper bits"
        mov     $0x100000000, %rax
        mov     %rax, %dr6
END
CASE    "DR6 and DR7 fixed bits"
        xor     %eax, %eax
        mov     %rax, %dr6
        mov     %rax, %dr7
        mov     %dr6, %rcx
        SHOW    %rcx
        mov     %dr7, %rcx
        SHOW    %rcx
        mov     $0xffffffff, %eax
        mov     %rax, %dr6
        mov     %dr6, %rcx
        SHOW    %rcx
END
CASE    "mov from DR at ring 3", USER
        mov     %dr0, %rax
UEND
CASE    "icebp"
        movl    $2, trap_mask
        .byte   0xf1
        SHOW32  %eax
END

/* Priorities and lengths */
CASE    "lock prefix comes before the privilege check", USER
        .byte   0xf0
        wrmsr
UEND
CASE    "15 bytes"
        .byte   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
        SHOW32  %eax
END
CASE    "16 bytes"
        .byte   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
END
CASE    "RF is set in the image a fault pushes"
        HOOK    show_resume_flag, 6
        ud2
END

        .macro RETURN_TO_HARNESS
        int     $0x81
        .endm
show_frame:
        sub     %rsp, %rcx
        SHOW    %rcx
        mov     8(%rsp), %rax
        SHOW    %rax
        mov     32(%rsp), %rax
        SHOW    %rax
        RETURN_TO_HARNESS
show_error_frame:
        sub     %rsp, %rcx
        SHOW    %rcx
        mov     (%rsp), %rax
        SHOW    %rax
        RETURN_TO_HARNESS
show_interrupt_flag:
        SHOW_FLAGS 0x200
        iretq
show_stack_pointer:
        mov     %rsp, %rax
        SHOW    %rax
        RETURN_TO_HARNESS
show_stack:
        mov     %rsp, %rax
        SHOW    %rax
        mov     %ss, %eax
        SHOW    %rax
        mov     32(%rsp), %rax
        SHOW    %rax
        RETURN_TO_HARNESS
show_stack_selector:
        mov     %ss, %eax
        SHOW    %rax
        iretq
show_resume_flag:
        mov     16(%rsp), %eax
        and     $0x10000, %eax
        SHOW    %rax
        RETURN_TO_HARNESS
