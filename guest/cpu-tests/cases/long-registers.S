/* Control registers, MSRs and the few CPUID facts that every profile must state. SDM vol. 3A 2.5, vol. 4 tables 2-2. */
#include "case.inc"

        .macro READ_MSR number
        mov     $\number, %ecx
        rdmsr
        SHOW32  %eax
        SHOW32  %edx
        .endm
        .macro WRITE_MSR number, low, high=0
        mov     $\number, %ecx
        mov     $\low, %eax
        mov     $\high, %edx
        wrmsr
        .endm
        .macro SET_CR register, bits
        mov     %\register, %rax
        mov     $\bits, %rdx
        or      %rdx, %rax
        mov     %rax, %\register
        .endm

        .text
        .code64

/* Control registers */
CASE    "base values"
        mov     %cr0, %rax
        SHOW    %rax
        mov     %cr3, %rax
        SHOW    %rax
        mov     %cr4, %rax
        SHOW    %rax
        mov     %cr8, %rax
        SHOW    %rax
        READ_MSR 0xc0000080
END
CASE    "CR0.CD and NW"
        SET_CR  cr0, 0x60000000
        mov     %cr0, %rax
        SHOW    %rax
END
CASE    "CR0.ET stays set"
        mov     %cr0, %rax
        btr     $4, %rax
        mov     %rax, %cr0
        mov     %cr0, %rax
        SHOW    %rax
END
CASE    "CR4 bits every profile has"
        SET_CR  cr4, 0x6dc
        mov     %cr4, %rax
        SHOW    %rax
END
CASE    "CR3 keeps PWT and PCD"
        mov     $PML4_TABLE + 0x18, %eax
        mov     %rax, %cr3
        mov     %cr3, %rax
        SHOW    %rax
END
CASE    "CR8 takes four bits"
        mov     $9, %eax
        mov     %rax, %cr8
        mov     %cr8, %rcx
        SHOW    %rcx
        xor     %eax, %eax
        mov     %rax, %cr8
        mov     $16, %eax
        mov     %rax, %cr8
END
CASE    "mov to CR1, CR5, CR7"
        movl    $0x40, trap_mask
        movl    $1f, resume_at
        .byte   0x0f, 0x22, 0xc8
1:      movl    $1f, resume_at
        .byte   0x0f, 0x22, 0xe8
1:      movl    $1f, resume_at
        .byte   0x0f, 0x22, 0xf8
1:
END
CASE    "mov to CR ignores mod of ModRM"
        .byte   0x0f, 0x20, 0x18        /* mov %cr3, %rax with mod = 0 */
        SHOW    %rax
END
CASE    "smsw to memory is 16 bits, to a register all"
        movq    $-1, SCRATCH
        smsw    SCRATCH
        SHOW    SCRATCH
        smsw    %rax
        SHOW    %rax
END
CASE    "lmsw cannot clear PE"
        xor     %eax, %eax
        lmsw    %ax
        smsw    %eax
        SHOW32  %eax
END
CASE    "clts"
        SET_CR  cr0, 8
        clts
        smsw    %eax
        SHOW32  %eax
END

/* MSRs */
CASE    "EFER.LME cannot change while paging is on"
        WRITE_MSR 0xc0000080, 0x800
END
CASE    "EFER reserved bit"
        WRITE_MSR 0xc0000080, 0x10900
END
CASE    "EFER reserved upper half"
        WRITE_MSR 0xc0000080, 0x900, 1
END
CASE    "EFER.LMA is read-only"
        WRITE_MSR 0xc0000080, 0x900
        READ_MSR 0xc0000080
END
CASE    "unknown MSR, read"
        mov     $0x12345678, %ecx
        rdmsr
END
CASE    "unknown MSR, write"
        WRITE_MSR 0x12345678, 0
END
CASE    "STAR, LSTAR, CSTAR, FMASK hold values"
        WRITE_MSR 0xc0000081, 0x11223344, 0x00100008
        READ_MSR 0xc0000081
        WRITE_MSR 0xc0000082, 0x55667788, 0x7fff
        READ_MSR 0xc0000082
        WRITE_MSR 0xc0000083, 0x1234, 0xffff8000
        READ_MSR 0xc0000083
        WRITE_MSR 0xc0000084, 0x47700
        READ_MSR 0xc0000084
END
CASE    "SYSENTER MSRs hold values"
        WRITE_MSR 0x174, 0x10
        READ_MSR 0x174
        WRITE_MSR 0x175, 0x12345678, 0xffff8000
        READ_MSR 0x175
        WRITE_MSR 0x176, 0x9abc, 0x7fff
        READ_MSR 0x176
END
CASE    "SYSENTER_EIP takes canonical addresses only"
        WRITE_MSR 0x176, 0, 0x8000
END
CASE    "PAT holds a value"
        WRITE_MSR 0x277, 0x00010406, 0x00070406
        READ_MSR 0x277
        WRITE_MSR 0x277, 0x00070406, 0x00070406
END
CASE    "PAT, reserved type"
        WRITE_MSR 0x277, 0x00070402, 0x00070406
END
CASE    "PAT, reserved bits"
        WRITE_MSR 0x277, 0x08070406, 0x00070406
END
CASE    "MTRR default type"
        WRITE_MSR 0x2ff, 0xc06
        READ_MSR 0x2ff
        WRITE_MSR 0x2ff, 0
END
CASE    "MTRR default type, reserved type"
        WRITE_MSR 0x2ff, 2
END
CASE    "variable MTRR"
        WRITE_MSR 0x200, 0x80000000
        READ_MSR 0x200
        WRITE_MSR 0x201, 0x80000800, 0xf
        READ_MSR 0x201
        WRITE_MSR 0x201, 0
        WRITE_MSR 0x200, 0
END
CASE    "fixed MTRR"
        WRITE_MSR 0x250, 0x06060606, 0x06060606
        READ_MSR 0x250
        WRITE_MSR 0x26f, 0x05050505, 0
        READ_MSR 0x26f
END
CASE    "fixed MTRR, reserved type"
        WRITE_MSR 0x250, 0x06060602, 0
END
CASE    "MTRRCAP is read-only"
        WRITE_MSR 0xfe, 0
END
CASE    "TSC can be written and counts"
        WRITE_MSR 0x10, 0, 0x100
        rdtsc
        SHOW32  %edx
        mov     %eax, %ebx
        rdtsc
        cmp     %ebx, %eax
        seta    %al
        movzbl  %al, %eax
        SHOW32  %eax
END
CASE    "TSC_AUX and rdtscp"
        WRITE_MSR 0xc0000103, 0x1234
        rdtscp
        SHOW32  %ecx
END
CASE    "APIC base: bootstrap and enable bits"
        mov     $0x1b, %ecx
        rdmsr
        SHOW32  %eax
END
CASE    "rdmsr clears the upper halves"
        mov     $0xffffffff00000174, %rcx
        mov     $-1, %rax
        mov     $-1, %rdx
        rdmsr
        SHOW    %rdx
END

/* CPUID: what does not depend on the profile */
CASE    "cpuid clears the upper halves"
        mov     $-1, %rax
        mov     %rax, %rbx
        mov     %rax, %rcx
        mov     %rax, %rdx
        xor     %eax, %eax
        cpuid
        shr     $32, %rax
        shr     $32, %rbx
        shr     $32, %rcx
        shr     $32, %rdx
        or      %rbx, %rax
        or      %rcx, %rax
        or      %rdx, %rax
        SHOW    %rax
END
CASE    "cpuid 1: fpu, pse, tsc, msr, pae, cx8, apic, sep, mtrr, pge, cmov, pat, clflush, mmx, fxsr, sse, sse2"
        mov     $1, %eax
        cpuid
        and     $0x0708bb79 &~ 0x40, %edx
        SHOW32  %edx
END
CASE    "cpuid 1: osxsave follows CR4"
        mov     $1, %eax
        cpuid
        and     $0x8000000, %ecx
        SHOW32  %ecx
END
CASE    "cpuid 0x80000001: syscall, nx, lm"
        mov     $0x80000001, %eax
        cpuid
        and     $0x20100800, %edx
        SHOW32  %edx
END
CASE    "cpuid 0x80000008: 48 linear bits"
        mov     $0x80000008, %eax
        cpuid
        movzbl  %ah, %eax
        SHOW32  %eax
END
CASE    "cpuid at ring 3", USER
        mov     $0x80000000, %eax
        cpuid
        shr     $31, %eax
        SHOW32  %eax
UEND
