/* Far transfers, gates, privilege changes and exceptions in 32-bit protected mode. SDM vol. 3A 5.8, chapters 6 and 7.
   One image, one table of cases: hence the length. */
#include "case.inc"

        .macro GATE selector, target, target_selector, type, count=0
        movl    $\target, %eax
        movw    %ax, gdt + (\selector & ~7)
        shrl    $16, %eax
        movw    %ax, gdt + (\selector & ~7) + 6
        movw    $\target_selector, gdt + (\selector & ~7) + 2
        movw    $(\type << 8) | \count, gdt + (\selector & ~7) + 4
        .endm
        .macro HOOK label, vector
        pushl   %eax
        movl    $\label, %eax
        movw    %ax, idt + \vector * 8
        popl    %eax
        movw    $BODY_BASE >> 16, idt + \vector * 8 + 6
        .endm

        .text
        .code32

/* Far jumps and calls */
CASE    "far jump"
        ljmp    $CODE32_SELECTOR, $1f
1:      movl    %cs, %eax
        SHOW    %eax
END
CASE    "far jump, null"
        ljmp    $0, $0
END
CASE    "far jump, data"
        ljmp    $DATA_SELECTOR, $0
END
CASE    "far jump, beyond the GDT"
        ljmp    $0x100, $0
END
CASE    "far jump, RPL 3"
        ljmp    $CODE32_SELECTOR + 3, $0
END
CASE    "far jump, ring-3 code"
        ljmp    $USER_CODE32, $0
END
CASE    "far jump, not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf1b00
        ljmp    $FREE_SELECTOR, $0
END
CASE    "far jump, offset beyond the limit"
        DESCRIPTOR FREE_SELECTOR, 0x0fff, 0x00409b30
        movb    $0xc3, SCRATCH + 0x1000
        ljmp    $FREE_SELECTOR, $0x1000
END
CASE    "far jump sets the accessed bit"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9a00
        ljmp    $FREE_SELECTOR, $1f
1:      SHOW    gdt + FREE_SELECTOR + 4
END
CASE    "far jump, conforming code keeps CPL", USER
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9e00
        ljmp    $FREE_SELECTOR, $1f
1:      movl    %cs, %eax
        SHOW    %eax
UEND
CASE    "far jump from ring 3 to ring-0 code", USER
        ljmp    $CODE32_SELECTOR, $0
UEND
CASE    "far call and return"
        movl    %esp, %ebx
        lcall   $CODE32_SELECTOR, $1f
        jmp     2f
1:      subl    %esp, %ebx
        SHOW    %ebx
        movl    4(%esp), %eax
        SHOW    %eax
        lretl
2:
END
CASE    "far call with 16-bit operand size"
        movl    %esp, %ebx
        movl    $far16 - BODY_BASE, %eax
        movw    %ax, SCRATCH
        movw    $CODE16_SELECTOR, SCRATCH + 2
        .byte   0x66
        lcall   *SCRATCH
END
CASE    "far return to a lower ring number", USER
        pushl   $CODE32_SELECTOR
        pushl   $0
        lretl
UEND
CASE    "far return to ring 3"
        pushl   $USER_DATA
        pushl   $USER_STACK_TOP
        pushl   $USER_CODE32
        pushl   $1f
        lretl
1:      movl    %cs, %eax
        SHOW    %eax
        SHOW    %esp
        movl    %ds, %eax
        SHOW    %eax
UEND
CASE    "far return to ring 3 with a count releases both stacks"
        pushl   $USER_DATA
        pushl   $USER_STACK_TOP
        pushl   $0x22
        pushl   $0x11
        pushl   $USER_CODE32
        pushl   $1f
        lretl   $8
1:      SHOW    %esp
UEND
CASE    "far return, not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf1b00
        pushl   $FREE_SELECTOR
        pushl   $0
        lretl
END
CASE    "far return, stack segment not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf7300
        pushl   $FREE_SELECTOR + 3
        pushl   $USER_STACK_TOP
        pushl   $USER_CODE32
        pushl   $0
        lretl
END

/* Call gates */
CASE    "call gate, same ring"
        GATE    FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0x8c
        movl    %esp, %ebx
        lcall   $FREE_SELECTOR, $0
END
CASE    "call gate to ring 0 with two parameters", USER
        GATE    FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0xec, 2
        pushl   $0x1111
        pushl   $0x2222
        movl    $0x6ff0, %ebx
        lcall   $FREE_SELECTOR + 3, $0
UEND
CASE    "call gate and back to ring 3", USER
        GATE    FREE_SELECTOR, gate_return, CODE32_SELECTOR, 0xec, 1
        pushl   $0x1111
        lcall   $FREE_SELECTOR + 3, $0
        SHOW    %eax
        SHOW    %esp
        movl    %cs, %eax
        SHOW    %eax
UEND
CASE    "call gate of 16 bits to ring 0", USER
        GATE    FREE_SELECTOR, gate16_target - BODY_BASE, CODE16_SELECTOR, 0xe4, 1
        pushw   $0x1111
        movl    $0x6ff0, %ebx
        lcall   $FREE_SELECTOR + 3, $0
UEND
CASE    "call gate of DPL 0 from ring 3", USER
        GATE    FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0x8c
        lcall   $FREE_SELECTOR, $0
UEND
CASE    "call gate, RPL above DPL", USER
        GATE    FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0xcc
        lcall   $FREE_SELECTOR + 3, $0
UEND
CASE    "call gate not present"
        GATE    FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0x0c
        lcall   $FREE_SELECTOR, $0
END
CASE    "call gate to a null selector"
        GATE    FREE_SELECTOR, gate_target, 0, 0x8c
        lcall   $FREE_SELECTOR, $0
END
CASE    "call gate to a data segment"
        GATE    FREE_SELECTOR, gate_target, DATA_SELECTOR, 0x8c
        lcall   $FREE_SELECTOR, $0
END
        /* From ring 3 to ring 1, whose stack the case spoils; faults still find the good stack of ring 0. */
        .macro RING1_CASE name, stack
CASE    "\name", USER
        DESCRIPTOR FREE_SELECTOR + 8, 0xffff, 0x00cfba00
        GATE    FREE_SELECTOR, gate_target, FREE_SELECTOR + 9, 0xec
        DESCRIPTOR FREE_SELECTOR + 16, 0xffff, 0x00cfb200
        DESCRIPTOR FREE_SELECTOR + 24, 0xffff, 0x00cf3200
        DESCRIPTOR FREE_SELECTOR + 32, 0xffff, 0x00cfb000
        movl    $0x6000, tss + 12
        movw    $\stack, tss + 16
        movl    $0x6000, %ebx
        lcall   $FREE_SELECTOR + 3, $0
UEND
        .endm
        RING1_CASE "call gate to ring 1", FREE_SELECTOR + 17
        RING1_CASE "call gate to ring 1, null stack", 0
        RING1_CASE "call gate to ring 1, stack of RPL 0", FREE_SELECTOR + 16
        RING1_CASE "call gate to ring 1, stack of DPL 0", DATA_SELECTOR + 1
        RING1_CASE "call gate to ring 1, stack not present", FREE_SELECTOR + 25
        RING1_CASE "call gate to ring 1, read-only stack", FREE_SELECTOR + 33
        RING1_CASE "call gate to ring 1, stack beyond the GDT", 0x101
CASE    "jump through a call gate to ring 0", USER
        GATE    FREE_SELECTOR, gate_target, CODE32_SELECTOR, 0xec
        ljmp    $FREE_SELECTOR + 3, $0
UEND

/* Interrupts */
CASE    "frame in ring 0"
        HOOK    show_frame, 0x80
        movl    %esp, %ebx
        int     $0x80
END
CASE    "frame from ring 3", USER
        HOOK    show_frame, 0x80
        movl    $0x6ff0, %ebx
        int     $0x80
UEND
CASE    "data segments stay on the way to ring 0", USER
        HOOK    show_segments, 0x80
        int     $0x80
UEND
CASE    "trap gate leaves IF"
        HOOK    show_flags, 0x80
        sti
        int     $0x80
        movb    $0x8f, idt + 0x80 * 8 + 5
        int     $0x80
        cli
END
CASE    "16-bit interrupt gate"
        HOOK    show_frame16, 0x80
        movl    %esp, %ebx
        movb    $0x86, idt + 0x80 * 8 + 5     /* the low 16 bits of the address are the offset in this segment */
        movw    $0, idt + 0x80 * 8 + 6
        movw    $CODE16_SELECTOR, idt + 0x80 * 8 + 2
        int     $0x80
END
CASE    "gate not present"
        movb    $0x0e, idt + 0x80 * 8 + 5
        int     $0x80
END
CASE    "gate of a wrong type"
        movb    $0x8c, idt + 0x80 * 8 + 5
        int     $0x80
END
CASE    "gate of an empty slot"
        int     $0x90
END
CASE    "gate to a null selector"
        movw    $0, idt + 0x80 * 8 + 2
        int     $0x80
END
CASE    "gate to a data segment"
        movw    $DATA_SELECTOR, idt + 0x80 * 8 + 2
        int     $0x80
END
CASE    "gate to a conforming segment from ring 3", USER
        HOOK    show_code_selector, 0x80
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9e00
        movw    $FREE_SELECTOR, idt + 0x80 * 8 + 2
        int     $0x80
UEND
CASE    "beyond the IDT"
        movw    $0x81 * 8 + 7, SCRATCH
        movl    $idt, SCRATCH + 2
        lidt    SCRATCH
        int     $0x90
END
CASE    "ring 3: gate of DPL 0", USER
        int     $14
UEND
CASE    "ring 3: int3 and into through gates of DPL 3", USER
        movl    $0x18, trap_mask
        int3
        movb    $0x7f, %al
        incb    %al
        into
UEND
CASE    "#GP while delivering #GP"
        movw    $0x100, idt + 13 * 8 + 2
        movl    $0x100, %eax
        movl    %eax, %fs
END
CASE    "#NP while delivering #UD"
        movb    $0x0e, idt + 6 * 8 + 5
        ud2
END

/* IRET */
CASE    "iret to ring 3 and data segments are cleared"
        movl    $USER_DATA, %eax
        movl    %eax, %es
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %fs
        pushl   $USER_DATA
        pushl   $USER_STACK_TOP
        pushl   $0x3202
        pushl   $USER_CODE32
        pushl   $1f
        iretl
1:      pushfl
        popl    %ecx
        movl    %ds, %eax
        movl    $USER_DATA, %edx
        movl    %edx, %ds
        SHOW    %eax
        SHOW    %ecx
        movl    %es, %eax
        SHOW    %eax
        movl    %fs, %eax
        SHOW    %eax
        cli
UEND
CASE    "iret at ring 3 keeps IF and IOPL", USER
        pushl   $0x3202
        pushl   $USER_CODE32
        pushl   $1f
        iretl
1:      pushfl
        popl    %eax
        SHOW    %eax
UEND
CASE    "iret at ring 3 to ring 0", USER
        pushl   $2
        pushl   $CODE32_SELECTOR
        pushl   $0
        iretl
UEND
CASE    "iret, null CS"
        pushl   $2
        pushl   $0
        pushl   $0
        iretl
END
CASE    "iret to ring 3, stack segment of ring 0"
        pushl   $DATA_SELECTOR
        pushl   $USER_STACK_TOP
        pushl   $2
        pushl   $USER_CODE32
        pushl   $0
        iretl
END
CASE    "iret with 16-bit operand size"
        movl    $iret16 - BODY_BASE, %eax
        pushw   $0x8d7
        pushw   $CODE16_SELECTOR
        pushw   %ax
        iretw
iret16:
        .code16
        pushfl
        popl    %eax
        cld
        SHOW16  %eax
        ljmpl   $CODE32_SELECTOR, $1f
        .code32
1:
END

/* Privilege of instructions */
        .macro PRIVILEGED name, code:vararg
CASE    "ring 3: \name", USER
        \code
UEND
        .endm
        PRIVILEGED "cli", cli
        PRIVILEGED "hlt", hlt
        PRIVILEGED "mov to cr0", movl %eax, %cr0
        PRIVILEGED "lgdt", lgdt SCRATCH
        PRIVILEGED "ltr", ltr %ax
        PRIVILEGED "clts", clts
        PRIVILEGED "in", inb $0x80, %al
        PRIVILEGED "outsb", outsb
CASE    "ring 3: I/O map", USER
        movw    $104, tss + 102
        inb     $0x80, %al
        orb     $1, tss + 104 + 0x10
        inb     $0x80, %al
UEND

/* Single step and debug registers */
CASE    "single step"
        movl    $2, trap_mask
        pushl   $0x102
        popfl
        nop
        pushl   $2
        popfl
END
CASE    "instruction breakpoint"
        movl    $2, trap_mask
        movl    $1f, %eax
        movl    %eax, %dr3
        movl    $0x440, %eax
        movl    %eax, %dr7
        movl    $2f, resume_at
1:      incl    %ecx
2:      SHOW    %ecx
END

far16:
        .code16
        movl    %ebx, %eax
        subl    %esp, %eax
        SHOW16  %eax
        int     $0x81
        .code32
gate_target:
        subl    %esp, %ebx
        SHOW    %ebx
        movl    4(%esp), %eax
        SHOW    %eax
        movl    8(%esp), %eax
        movl    12(%esp), %ecx
        cmpl    $USER_CODE32, 4(%esp)
        jne     1f
        SHOW    %eax
        SHOW    %ecx
1:      movl    %cs, %eax
        SHOW    %eax
        movl    %ss, %eax
        SHOW    %eax
        int     $0x81
gate_return:
        movl    8(%esp), %eax
        lretl   $4
        .code16
gate16_target:
        subl    %esp, %ebx
        SHOW16  %ebx
        movw    %sp, %bp
        movzwl  4(%esp), %eax
        SHOW16  %eax
        movzwl  2(%esp), %eax
        SHOW16  %eax
        int     $0x81
        .code32
show_frame:
        subl    %esp, %ebx
        SHOW    %ebx
        movl    4(%esp), %eax
        SHOW    %eax
        movl    %ss, %eax
        SHOW    %eax
        int     $0x81
show_segments:
        movl    %ds, %eax
        SHOW    %eax
        movl    %fs, %eax
        SHOW    %eax
        int     $0x81
show_flags:
        SHOW_FLAGS 0x200
        iretl
show_code_selector:
        movl    %cs, %eax
        SHOW    %eax
        int     $0x81
        .code16
show_frame16:
        subl    %esp, %ebx
        SHOW16  %ebx
        int     $0x81
        .code32
