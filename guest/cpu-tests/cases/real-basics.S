/* Real-address mode: addresses, limits, interrupts through the vector table, instructions that do not exist here.
   SDM vol. 3B chapter 21 (8086 emulation). One image, one table of cases: hence the length. */
#include "case.inc"

        .text
        .code16

/* Addresses */
CASE    "linear address is selector * 16 + offset"
        movl    $0x11223344, 0xd010
        movw    $0x1d00, %ax
        movw    %ax, %fs
        movl    %fs:0x10, %ecx
        SHOW    %ecx
        movw    $0x1d01, %ax
        movw    %ax, %fs
        movl    %fs:0, %ecx
        SHOW    %ecx
END
CASE    "A20 is on: ffff:0010 is 0x100000"
        movw    $0xffff, %ax
        movw    %ax, %fs
        xorl    %eax, %eax
        movw    %ax, %gs
        movl    $0x5a5a5a5a, %fs:0x10
        movl    $0, %gs:0
        movl    %fs:0x10, %eax
        SHOW    %eax
END
CASE    "effective address of 16 bits wraps"
        movb    $0x77, 0xd004
        movw    $0xffff, %bx
        movw    $0xd005, %si
        movzbl  (%bx,%si), %eax
        SHOW    %eax
END
CASE    "word at offset 0xffff exceeds the limit"
        movw    0xffff, %ax
END
CASE    "dword at offset 0xfffd exceeds the limit"
        movl    0xfffd, %eax
END
CASE    "dword at offset 0xfffc is inside the limit"
        movl    0xfffc, %eax
END
CASE    "32-bit offset above 0xffff exceeds the limit"
        movl    $0x10000, %ebx
        movb    (%ebx), %al
END
CASE    "word at BP offset 0xffff is a stack fault"
        movw    $0xffff, %bp
        movw    (%bp), %ax
END
CASE    "SP wraps to 0xfffe"
        movl    %esp, %edx
        xorl    %esp, %esp
        pushw   %ax
        movl    %esp, %eax
        movl    %edx, %esp
        SHOW    %eax
END
CASE    "push writes SP before the decrement"
        pushw   %sp
        popw    %ax
        subw    %sp, %ax
        movzwl  %ax, %eax
        SHOW    %eax
END
CASE    "upper half of ESP survives 16-bit stack use"
        movl    %esp, %edx
        orl     $0xabcd0000, %esp
        pushw   %ax
        popw    %ax
        movl    %esp, %eax
        movl    %edx, %esp
        xorl    %edx, %eax
        SHOW    %eax
END
CASE    "lea truncates to the operand size"
        movl    $0x12345678, %ebx
        movl    $-1, %eax
        leaw    (%ebx), %ax
        SHOW    %eax
        leal    0x10(%ebx), %eax
        SHOW    %eax
        leal    0x10(%bx), %eax
        SHOW    %eax
END
CASE    "string index wraps at 16 bits"
        movw    $0xffff, %di
        movb    $0x42, %al
        stosb
        movzwl  %di, %eax
        SHOW    %eax
END
CASE    "rep with a 16-bit count leaves the upper half of ECX"
        movl    $0xabcd0004, %ecx
        movw    $0xd000, %di
        rep stosb
        SHOW    %ecx
        SHOW    %edi
END
CASE    "loop uses CX, addr32 loop uses ECX"
        movl    $0x10001, %ecx
        loop    1f
        SHOW    %ecx
1:      movl    $0x10001, %ecx
        .byte   0x67
        loop    1f
        SHOW    %ecx
        jmp     2f
1:      SHOW    %eax
2:
END
CASE    "xlat"
        movw    $0xd000, %bx
        movb    $0x99, 0xd020
        movb    $0x20, %al
        xlatb
        SHOW    %eax
END
CASE    "lds, les, lfs, lgs, lss"
        movl    $0x1d005678, 0xd000
        lesw    0xd000, %bx
        SHOW    %ebx
        lfsw    0xd000, %cx
        lgsl    0xd000, %edx
        movw    %es, %ax
        SHOW    %eax
        movw    %fs, %ax
        SHOW    %eax
        SHOW    %edx
END

/* Transfers */
CASE    "far call and far return"
        pushw   %cs
        lcallw  $0x1000, $1f
        SHOW    %eax
        addw    $2, %sp
        jmp     2f
1:      movl    $0xca11, %eax
        lretw
2:
END
CASE    "32-bit far call pushes dwords"
        movl    %esp, %edx
        lcalll  $0x1000, $1f
        jmp     2f
1:      subl    %esp, %edx
        SHOW    %edx
        lretl
2:
END
CASE    "far jump reaches the same byte by another segment"
        ljmpw   $0x0fff, $1f + 0x10
1:      movw    %cs, %ax
        SHOW    %eax
        ljmpw   $0x1000, $2f
2:      movw    %cs, %ax
        SHOW    %eax
END
CASE    "near jump beyond 0xffff with a 32-bit operand"
        movw    $0x2000, %ax            /* an INT3 for a CPU that lets the jump through */
        movw    %ax, %fs
        movb    $0xcc, %fs:0
        movl    $0x10000, %eax
        jmpl    *%eax
END
CASE    "iret takes flags"
        pushw   $0x0ad7
        pushw   %cs
        pushw   $1f
        iretw
1:      pushw   $0x0002
        pushfw
        popw    %ax
        popw    %bx
        SHOW    %eax
        cld
END
CASE    "iretl keeps the upper flags in reach"
        pushl   $0x00240202
        pushl   $0x1000
        pushl   $1f
        iretl
1:      pushfl
        popl    %eax
        andl    $0xfd0200, %eax
        SHOW    %eax
        cli
END

/* Flags */
CASE    "popf sets IOPL and NT"
        pushw   $0x7002
        popfw
        pushfw
        popw    %ax
        SHOW    %eax
        pushw   $2
        popfw
END
CASE    "popfl sets AC and ID, not VM and RF"
        pushl   $0x00270002
        popfl
        pushfl
        popl    %eax
        SHOW    %eax
        pushl   $2
        popfl
END
CASE    "flags bits 1, 3, 5, 15"
        pushw   $0x802a
        popfw
        pushfw
        popw    %ax
        SHOW    %eax
END

/* Interrupts */
CASE    "int pushes flags, CS, IP"
        movw    $0xd100, %bp
        xorw    %ax, %ax
        movw    %ax, %fs
        movw    $1f, %fs:0x90 * 4
        movw    $0x1000, %fs:0x90 * 4 + 2
        movl    %esp, %edx
        stc
        sti
        int     $0x90
2:      jmp     3f
1:      subl    %esp, %edx
        SHOW    %edx
        movw    %sp, %bp
        movzwl  (%bp), %eax
        subw    $2b, %ax
        SHOW    %eax
        movzwl  2(%bp), %eax
        SHOW    %eax
        movzwl  4(%bp), %eax
        SHOW    %eax
        SHOW_FLAGS 0x301
        iretw
3:      SHOW_FLAGS 0x201
        cli
END
CASE    "int3 and into are traps"
        movl    $0x18, trap_mask
        int3
        movb    $0x7f, %al
        addb    $1, %al
        into
        xorl    %eax, %eax
        into
        SHOW    %eax
END
CASE    "int 3 as two bytes"
        movl    $0x8, trap_mask
        .byte   0xcd, 3
        SHOW    %eax
END
CASE    "divide error is a fault"
        xorl    %ecx, %ecx
        divw    %cx
END
CASE    "divide overflow"
        movw    $0x100, %ax
        movb    $1, %cl
        divb    %cl
END
CASE    "aam 0"
        aam     $0
END
CASE    "bound inside and outside"
        movw    $5, 0xd000
        movw    $9, 0xd002
        movw    $5, %ax
        bound   %ax, 0xd000
        movw    $9, %ax
        bound   %ax, 0xd000
        SHOW    %eax
        movw    $10, %ax
        bound   %ax, 0xd000
END
CASE    "single step"
        movl    $2, trap_mask
        pushw   $0x102
        popfw
        nop
        incl    %eax
        pushw   $2
        popfw
        SHOW    %eax
END
CASE    "single step over mov ss is held back by one instruction"
        movl    $2, trap_mask
        movw    %ss, %ax
        pushw   $0x102
        popfw
        movw    %ax, %ss
        nop
        nop
        pushw   $2
        popfw
END
CASE    "int clears TF for the handler"
        movl    $2, trap_mask
        pushw   $0x102
        popfw
        int     $0x80
        pushw   $2
        popfw
END
CASE    "a vector beyond the limit of the IDTR"
        pushl   $0
        pushw   $0x7f
        movw    %sp, %bp
        lidtl   (%bp)
        addw    $6, %sp
        int     $0x80
END
CASE    "icebp"
        movl    $2, trap_mask
        .byte   0xf1
        SHOW    %eax
END

/* What does not exist in real mode */
CASE    "lldt"
        lldt    %ax
END
CASE    "ltr"
        ltr     %ax
END
CASE    "sldt"
        sldt    %ax
END
CASE    "str"
        str     %ax
END
CASE    "verr"
        verr    %ax
END
CASE    "verw"
        verw    %ax
END
CASE    "lar"
        larw    %ax, %bx
END
CASE    "lsl"
        lslw    %ax, %bx
END
CASE    "arpl"
        arpl    %ax, %bx
END
CASE    "sysenter"
        sysenter
END
CASE    "lock add memory"
        lock addl $5, 0xd000
        movl    0xd000, %eax
        SHOW    %eax
END
CASE    "lock nop"
        .byte   0xf0, 0x90
END
CASE    "lock mov"
        .byte   0xf0
        movw    %ax, 0xd000
END
CASE    "lock add register"
        .byte   0xf0
        addw    %ax, %bx
END
CASE    "mov to CS"
        .byte   0x8e, 0xc8
END
CASE    "les with a register operand"
        .byte   0xc4, 0xc0
END
CASE    "ud1"
        .byte   0x0f, 0xb9, 0xc0
END

/* System instructions that do exist */
CASE    "smsw and lmsw"
        smsww   %ax
        SHOW    %eax
        movw    $0x1e, %ax
        lmsw    %ax
        smswl   %eax
        SHOW    %eax
END
CASE    "clts"
        movw    $8, %ax
        lmsw    %ax
        clts
        smsww   %ax
        SHOW    %eax
END
CASE    "sgdt of 16-bit operand size"
        movl    $-1, 0xd000
        movl    $-1, 0xd004
        sgdtw   0xd000
        movzwl  0xd000, %eax
        SHOW    %eax
        movl    0xd004, %eax
        shrl    $16, %eax
        SHOW    %eax
END
CASE    "lidt of 16-bit operand size loads 24 bits of base"
        movw    $0x3ff, 0xd000
        movl    $0xff000000, 0xd002
        lidtw   0xd000
        sidtl   0xd008
        movl    0xd00a, %eax
        SHOW    %eax
END
CASE    "mov from CR1"
        .byte   0x0f, 0x20, 0xc8
END
CASE    "pusha and popa"
        movl    $0x11110001, %eax
        movl    $0x22220002, %ebx
        movl    %esp, %edx
        pushaw
        subl    %esp, %edx
        SHOW    %edx
        movw    %sp, %bp
        movzwl  14(%bp), %eax
        SHOW    %eax
        popaw
        SHOW    %ebx
END
CASE    "enter and leave"
        movw    $0xd100, %bp
        movl    %esp, %edx
        enter   $8, $1
        movw    %dx, %ax
        subw    %sp, %ax
        movzwl  %ax, %eax
        SHOW    %eax
        leave
        movw    %dx, %ax
        subw    %sp, %ax
        movzwl  %ax, %eax
        SHOW    %eax
END
CASE    "instruction of 15 bytes"
        .byte   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
        SHOW    %eax
END
CASE    "instruction of 16 bytes"
        .byte   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
END

/* Protected mode and back */
CASE    "unreal mode keeps a 4 GiB limit"
        pushw   %ds
        movl    $0xcf9300, real_gdt + 12
        movl    $0xffff, real_gdt + 8
        lgdtl   real_gdtr
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        jmp     1f
1:      movw    $8, %bx
        movw    %bx, %fs
        andb    $0xfe, %al
        movl    %eax, %cr0
        jmp     1f
1:      xorw    %ax, %ax
        movw    %ax, %fs
        movl    $SCRATCH, %ebx
        movl    $0x600d600d, %fs:(%ebx)
        movl    %fs:(%ebx), %eax
        SHOW    %eax
        popw    %ds
END

        .data
        .balign 8
real_gdt: .quad 0, 0
real_gdtr:
        .word   15
        .long   0x10000 + real_gdt
