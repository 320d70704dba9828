/* Far transfers, IRET, SYSCALL family, SWAPGS below a 64-bit kernel. Longer than most: the far
   transfers share their macros and targets.
   SDM vol. 3A 5.8, 6.14; vol. 2 CALL, IRET, SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS. */
#include "case.inc"

#define STAR 0xc0000081
#define LSTAR 0xc0000082
#define CSTAR 0xc0000083
#define FMASK 0xc0000084
#define FS_BASE 0xc0000100
#define GS_BASE 0xc0000101
#define KERNEL_GS_BASE 0xc0000102

        .macro WRITE_MSR number, low, high=0
        mov     $\number, %ecx
        mov     $\low, %eax
        mov     $\high, %edx
        wrmsr
        .endm
        /* Far transfer operands in memory: m16:64 and m16:32. */
        .macro FAR_POINTER label, selector
        movq    $\label, SCRATCH
        movw    $\selector, SCRATCH + 8
        .endm
        .macro FAR_POINTER32 label, selector
        movl    $\label, SCRATCH
        movw    $\selector, SCRATCH + 4
        .endm
        /* 64-bit call gate in two slots. */
        .macro CALL_GATE selector, target, target_selector, type
        movq    $0, gdt + \selector
        movq    $0, gdt + \selector + 8
        mov     $\target, %eax
        mov     %ax, gdt + \selector
        shr     $16, %eax
        mov     %ax, gdt + \selector + 6
        movw    $\target_selector, gdt + \selector + 2
        movb    $\type, gdt + \selector + 5
        .endm

        .text
        .code64

/* Far jumps, calls, returns at ring 0 */
CASE    "far call and return, m16:32"
        FAR_POINTER32 far_target, CODE64_SELECTOR
        mov     %rsp, %rbx
        lcall   *SCRATCH
        SHOW    %rax
END
CASE    "far call and return, m16:64"
        FAR_POINTER far_target64, CODE64_SELECTOR
        mov     %rsp, %rbx
        rex64 lcall *SCRATCH
        SHOW    %rax
END
CASE    "far jump, null selector"
        FAR_POINTER32 far_target, 0
        ljmp    *SCRATCH
END
CASE    "far jump, data segment"
        FAR_POINTER32 far_target, DATA_SELECTOR
        ljmp    *SCRATCH
END
CASE    "far jump, beyond the GDT"
        FAR_POINTER32 far_target, 0x100
        ljmp    *SCRATCH
END
CASE    "far jump, RPL 3 to a nonconforming segment of ring 0"
        FAR_POINTER32 far_target, CODE64_SELECTOR + 3
        ljmp    *SCRATCH
END
CASE    "far jump, ring-3 segment from ring 0"
        FAR_POINTER32 far_target, USER_CODE64
        ljmp    *SCRATCH
END
CASE    "far jump, segment not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00af1b00
        FAR_POINTER32 far_target, FREE_SELECTOR
        ljmp    *SCRATCH
END
CASE    "far jump, L and D both set"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00ef9b00
        FAR_POINTER32 far_target, FREE_SELECTOR
        ljmp    *SCRATCH
END
CASE    "far jump sets the accessed bit"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00af9a00
        FAR_POINTER32 1f, FREE_SELECTOR
        ljmp    *SCRATCH
1:      SHOW32  gdt + FREE_SELECTOR + 4
        mov     %cs, %eax
        SHOW32  %eax
END
CASE    "far jump, conforming segment"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00af9e00
        FAR_POINTER32 1f, FREE_SELECTOR + 3
        ljmp    *SCRATCH
1:      mov     %cs, %eax
        SHOW32  %eax
END
CASE    "far jump to the TSS"
        FAR_POINTER32 0, TSS_SELECTOR
        ljmp    *SCRATCH
END
CASE    "far jump, non-canonical offset"
        mov     $0x800000000000, %rax
        mov     %rax, SCRATCH
        movw    $CODE64_SELECTOR, SCRATCH + 8
        rex64 ljmp *SCRATCH
END
CASE    "ljmp with an immediate pointer"
        .byte   0xea, 0, 0, 0, 0, 8, 0
END
CASE    "far return, null selector"
        pushq   $0
        pushq   $far_target
        lretq
END
CASE    "far return to ring 3 needs a ring-3 stack"
        pushq   $0
        pushq   $USER_STACK_TOP
        pushq   $USER_CODE64
        pushq   $far_target
        lretq
END
CASE    "far return to ring 3"
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   $USER_CODE64
        pushq   $1f
        lretq
1:      mov     %cs, %eax
        SHOW    %rsp
        SHOW32  %eax
UEND
CASE    "far return clears data segments of a more privileged ring"
        mov     $DATA_SELECTOR, %eax
        mov     %eax, %ds
        mov     %eax, %fs
        mov     $USER_DATA, %eax
        mov     %eax, %es
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   $USER_CODE64
        pushq   $1f
        lretq
1:      mov     %ds, %eax
        SHOW32  %eax
        mov     %es, %eax
        SHOW32  %eax
        mov     %fs, %eax
        SHOW32  %eax
UEND
CASE    "far return with a count"
        mov     %rsp, %rbx
        pushq   $0x11
        pushq   $0x22
        pushq   $CODE64_SELECTOR
        pushq   $1f
        lretq   $16
1:      sub     %rsp, %rbx
        SHOW    %rbx
END
CASE    "far return, 32-bit operand size"
        sub     $8, %rsp
        movl    $1f, (%rsp)
        movl    $CODE64_SELECTOR, 4(%rsp)
        lretl
1:      SHOW32  %eax
END

/* Call gates */
CASE    "call gate, same ring"
        CALL_GATE FREE_SELECTOR, gate_target, CODE64_SELECTOR, 0x8c
        FAR_POINTER32 0, FREE_SELECTOR
        mov     %rsp, %rbx
        lcall   *SCRATCH
END
CASE    "call gate from ring 3", USER
        CALL_GATE FREE_SELECTOR, gate_target, CODE64_SELECTOR, 0xec
        FAR_POINTER32 0, FREE_SELECTOR + 3
        mov     $0x6ff0, %ebx
        lcall   *SCRATCH
UEND
CASE    "call gate of DPL 0 from ring 3", USER
        CALL_GATE FREE_SELECTOR, gate_target, CODE64_SELECTOR, 0x8c
        FAR_POINTER32 0, FREE_SELECTOR
        lcall   *SCRATCH
UEND
CASE    "call gate not present"
        CALL_GATE FREE_SELECTOR, gate_target, CODE64_SELECTOR, 0x0c
        FAR_POINTER32 0, FREE_SELECTOR
        lcall   *SCRATCH
END
CASE    "call gate to a 32-bit segment"
        CALL_GATE FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0x8c
        FAR_POINTER32 0, FREE_SELECTOR
        lcall   *SCRATCH
END
CASE    "call gate with a null target"
        CALL_GATE FREE_SELECTOR, gate_target, 0, 0x8c
        FAR_POINTER32 0, FREE_SELECTOR
        lcall   *SCRATCH
END
CASE    "call gate, upper half has a type"
        CALL_GATE FREE_SELECTOR, gate_target, CODE64_SELECTOR, 0x8c
        movl    $0x0800, gdt + FREE_SELECTOR + 12
        FAR_POINTER32 0, FREE_SELECTOR
        lcall   *SCRATCH
END
CASE    "jump through a call gate"
        CALL_GATE FREE_SELECTOR, 1f, CODE64_SELECTOR, 0x8c
        FAR_POINTER32 0, FREE_SELECTOR
        ljmp    *SCRATCH
1:      SHOW32  %eax
END
CASE    "jump through a call gate to a lower ring", USER
        CALL_GATE FREE_SELECTOR, 1f, CODE64_SELECTOR, 0xec
        FAR_POINTER32 0, FREE_SELECTOR + 3
        ljmp    *SCRATCH
1:
UEND

/* IRET */
CASE    "iretq to the same ring loads SS and RSP"
        mov     %rsp, %rbx
        pushq   $0
        pushq   %rbx
        pushq   $0x8d7
        pushq   $CODE64_SELECTOR
        pushq   $1f
        iretq
1:      pushfq
        pop     %rax
        SHOW    %rax
        sub     %rsp, %rbx
        SHOW    %rbx
        mov     %ss, %eax
        SHOW    %rax
        cld
END
CASE    "iretq with NT"
        pushq   $0x4002
        popfq
        mov     %rsp, %rbx
        pushq   $DATA_SELECTOR
        pushq   %rbx
        pushq   $2
        pushq   $CODE64_SELECTOR
        pushq   $1f
        iretq
1:
END
CASE    "iretq, non-canonical RIP"
        mov     %rsp, %rbx
        pushq   $DATA_SELECTOR
        pushq   %rbx
        pushq   $2
        pushq   $CODE64_SELECTOR
        mov     $0x800000000000, %rax
        push    %rax
        iretq
END
CASE    "iretq, null CS"
        pushq   $DATA_SELECTOR
        pushq   $STACK_TOP
        pushq   $2
        pushq   $0
        pushq   $far_target
        iretq
END
CASE    "iretq, RPL below the current ring at ring 3", USER
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   $2
        pushq   $CODE64_SELECTOR
        pushq   $far_target
        iretq
UEND
CASE    "iretq to ring 3 with a ring-0 stack segment"
        pushq   $DATA_SELECTOR
        pushq   $USER_STACK_TOP
        pushq   $2
        pushq   $USER_CODE64
        pushq   $far_target
        iretq
END
CASE    "iretq to 64-bit ring 3 with a null SS"
        pushq   $3
        pushq   $USER_STACK_TOP
        pushq   $2
        pushq   $USER_CODE64
        pushq   $far_target
        iretq
END
CASE    "iretq to 64-bit ring 0 with a null SS of RPL 0"
        mov     %rsp, %rbx
        pushq   $0
        pushq   %rbx
        pushq   $2
        pushq   $CODE64_SELECTOR
        pushq   $1f
        iretq
1:      mov     %ss, %eax
        SHOW32  %eax
END
CASE    "iretq to compatibility mode with a null SS"
        pushq   $0
        pushq   $STACK_TOP - 0x800
        pushq   $2
        pushq   $CODE32_SELECTOR
        pushq   $1f
        iretq
1:      int     $0x81
END
CASE    "iretq at ring 3 changes neither IF nor IOPL", USER
        mov     %rsp, %rbx
        pushq   $USER_DATA
        pushq   %rbx
        pushq   $0x3202
        pushq   $USER_CODE64
        pushq   $1f
        iretq
1:      pushfq
        pop     %rax
        SHOW32  %eax
UEND
CASE    "iretl from 64-bit mode"
        mov     %rsp, %rbx
        sub     $20, %rsp
        movl    $1f, (%rsp)
        movl    $CODE64_SELECTOR, 4(%rsp)
        movl    $0x202, 8(%rsp)
        mov     %ebx, 12(%rsp)
        movl    $DATA_SELECTOR, 16(%rsp)
        iretl
1:      SHOW_FLAGS 0x200
        sub     %rsp, %rbx
        SHOW    %rbx
        cli
END
CASE    "VM in the flags of iretq in long mode"
        mov     %rsp, %rbx
        pushq   $DATA_SELECTOR
        pushq   %rbx
        pushq   $0x20002
        pushq   $CODE64_SELECTOR
        pushq   $1f
        iretq
1:      pushfq
        pop     %rax
        SHOW32  %eax
END

/* SYSCALL and SYSRET */
CASE    "syscall without EFER.SCE"
        WRITE_MSR 0xc0000080, 0x900
        syscall
END
CASE    "syscall loads RCX, R11, CS, SS and masks the flags"
        WRITE_MSR STAR, 0, 0x00200010
        WRITE_MSR LSTAR, 1f
        WRITE_MSR FMASK, 0x401
        stc
        std
        syscall
0:
1:      SHOW_FLAGS 0xfd5
        cld
        SHOW    %r11
        mov     $0b, %eax
        sub     %rcx, %rax
        SHOW    %rax
        mov     %cs, %eax
        SHOW32  %eax
        mov     %ss, %eax
        SHOW32  %eax
END
CASE    "sysretq to ring 3"
        WRITE_MSR STAR, 0, 0x00200010
        mov     $1f, %ecx
        mov     $0x3ad7, %r11d
        mov     $USER_STACK_TOP, %esp
        sysretq
1:      pushfq
        pop     %rax
        SHOW32  %eax
        mov     %cs, %eax
        SHOW32  %eax
        mov     %ss, %eax
        SHOW32  %eax
UEND
CASE    "sysretl to compatibility mode"
        WRITE_MSR STAR, 0, 0x00200010
        mov     $1f, %ecx
        mov     $0x2, %r11d
        mov     $USER_STACK_TOP, %esp
        sysretl
        .code32
1:      mov     %cs, %eax
        CSHOW   %eax
        mov     %ss, %eax
        CSHOW   %eax
UEND
        .code64
CASE    "sysret, non-canonical RCX"
        WRITE_MSR STAR, 0, 0x00200010
        mov     $0x800000000000, %rcx
        mov     $2, %r11d
        sysretq
END
CASE    "sysret at ring 3", USER
        sysretq
UEND
CASE    "sysret clears RF and VM of R11"
        WRITE_MSR STAR, 0, 0x00200010
        mov     $1f, %ecx
        mov     $0x30002, %r11d
        mov     $USER_STACK_TOP, %esp
        sysretq
1:      pushfq
        pop     %rax
        SHOW32  %eax
UEND
CASE    "LSTAR takes canonical addresses only"
        mov     $LSTAR, %ecx
        xor     %eax, %eax
        mov     $0x8000, %edx
        wrmsr
END

/* SYSENTER and SYSEXIT */
CASE    "sysenter with a null CS"
        WRITE_MSR 0x174, 0
        sysenter
END
CASE    "sysenter"
        WRITE_MSR 0x174, CODE32_SELECTOR
        WRITE_MSR 0x175, STACK_TOP - 0x800
        WRITE_MSR 0x176, 1f
        sti
        sysenter
1:      SHOW    %rsp
        mov     %cs, %eax
        SHOW32  %eax
        mov     %ss, %eax
        SHOW32  %eax
        SHOW_FLAGS 0x20200
        int     $0x81
END
CASE    "sysexitq"
        WRITE_MSR 0x174, CODE64_SELECTOR
        mov     $1f, %edx
        mov     $USER_STACK_TOP, %ecx
        rex64 sysexit
1:      SHOW    %rsp
        mov     %cs, %eax
        SHOW32  %eax
        mov     %ss, %eax
        SHOW32  %eax
UEND
CASE    "sysexitl to compatibility mode"
        WRITE_MSR 0x174, CODE64_SELECTOR
        mov     $1f, %edx
        mov     $USER_STACK_TOP, %ecx
        sysexitl
        .code32
1:      mov     %cs, %eax
        CSHOW   %eax
        CSHOW   %esp
UEND
        .code64
CASE    "sysexit with a null CS"
        WRITE_MSR 0x174, 0
        sysexitl
END
CASE    "sysexit at ring 3", USER
        sysexitl
UEND

/* FS, GS and SWAPGS */
CASE    "swapgs"
        WRITE_MSR GS_BASE, 0x111
        WRITE_MSR KERNEL_GS_BASE, 0x222
        swapgs
        mov     $GS_BASE, %ecx
        rdmsr
        SHOW32  %eax
        mov     $KERNEL_GS_BASE, %ecx
        rdmsr
        SHOW32  %eax
END
CASE    "swapgs at ring 3", USER
        swapgs
UEND
CASE    "GS base is used in 64-bit mode"
        WRITE_MSR GS_BASE, SCRATCH
        movl    $0x4321, SCRATCH + 0x20
        mov     %gs:0x20, %eax
        SHOW32  %eax
END
CASE    "loading a null FS selector and the base"
        WRITE_MSR FS_BASE, 0x5000
        mov     $0, %eax
        mov     %eax, %fs
        mov     $FS_BASE, %ecx
        rdmsr
        SHOW32  %edx
END
CASE    "loading an FS selector loads 32 bits of base"
        WRITE_MSR FS_BASE, 0, 0x7000
        DESCRIPTOR FREE_SELECTOR, 0x4000ffff, 0x12cf9330
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %fs
        mov     $FS_BASE, %ecx
        rdmsr
        SHOW32  %eax
        SHOW32  %edx
END
CASE    "FS base takes canonical addresses only"
        mov     $FS_BASE, %ecx
        xor     %eax, %eax
        mov     $0x8000, %edx
        wrmsr
END
CASE    "wrfsbase without CR4.FSGSBASE"
        wrfsbase %rax
END
CASE    "wrgsbase and rdgsbase"
        mov     %cr4, %rax
        or      $0x10000, %rax
        mov     %rax, %cr4
        mov     $0x123456789a, %rax
        wrgsbase %rax
        rdgsbase %rcx
        SHOW    %rcx
        rdgsbase %ecx
        SHOW    %rcx
        mov     $-1, %rax
        wrgsbase %eax
        rdgsbase %rcx
        SHOW    %rcx
END
CASE    "wrfsbase, non-canonical"
        mov     %cr4, %rax
        or      $0x10000, %rax
        mov     %rax, %cr4
        mov     $0x800000000000, %rax
        wrfsbase %rax
END
CASE    "bases of CS, DS, ES, SS are ignored in 64-bit mode"
        DESCRIPTOR FREE_SELECTOR, 0x0000ffff, 0x00cf9330
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %ds
        movl    $0x31, SCRATCH
        SHOW32  %ds:SCRATCH
END

far_target:
        mov     %rbx, %rax
        sub     %rsp, %rax
        lretl
far_target64:
        mov     %rbx, %rax
        sub     %rsp, %rax
        lretq
gate_target:
        sub     %rsp, %rbx
        SHOW    %rbx
        mov     8(%rsp), %rax
        SHOW    %rax
        mov     %cs, %eax
        SHOW    %rax
        mov     %ss, %eax
        SHOW    %rax
        int     $0x81
