/* External interrupts: 8259 behind LINT0 of the local APIC, and 8254, as on every PC. HLT, the shadows of STI and MOV SS, IF, priorities with TF.
   SDM vol. 3A 6.8 and vol. 2 STI, MOV, HLT. Counter 0 runs once and raises vector 0x80. */
#include "case.inc"

        .macro OUT8 port, value
        movb    $\value, %al
        outb    %al, $\port
        .endm
        /* Master 8259 at vector 0x80 with all but IRQ 0 masked; counter 0 will raise IRQ 0 (vector 0x80) after `count`. */
        .macro LOCAL_APIC
        movl    $0xfee00093, PD_HIGH + 503 * 8
        mov     $0xfee00000, %edx
        movl    $0x1ff, 0xf0(%rdx)      /* on */
        .endm
        .macro ARM count
        LOCAL_APIC
        movl    $0x700, 0x350(%rdx)     /* LINT0: external interrupts of the 8259 */
        OUT8    0x20, 0x11
        OUT8    0x21, 0x80
        OUT8    0x21, 0x04
        OUT8    0x21, 0x01
        OUT8    0x21, 0xfe
        OUT8    0x43, 0x30              /* counter 0, low and high byte, mode 0 */
        OUT8    0x40, (\count & 0xff)
        OUT8    0x40, (\count >> 8)
        .endm
        /* Waits with IF clear until the request is pending in the 8259. */
        .macro WAIT_PENDING
        OUT8    0x20, 0x0a              /* OCW3: read IRR */
9920:   inb     $0x20, %al
        testb   $1, %al
        jz      9920b
        .endm
        .macro HOOK label, vector
        push    %rax
        mov     $\label, %eax
        mov     %ax, idt + \vector * 16
        pop     %rax
        movw    $BODY_BASE >> 16, idt + \vector * 16 + 6
        .endm

        .text
        .code64
CASE    "hlt wakes by the timer"
        HOOK    count_interrupt, 0x80
        ARM     200
        sti
        hlt
        cli
        SHOW32  %ebp
END
CASE    "no interrupt while IF is clear"
        HOOK    count_interrupt, 0x80
        ARM     10
        WAIT_PENDING
        nop
        SHOW32  %ebp
        sti
        nop
        nop
        cli
        SHOW32  %ebp
END
CASE    "sti holds interrupts back for one instruction"
        HOOK    record_interrupt, 0x80
        ARM     10
        WAIT_PENDING
        xor     %ebx, %ebx
        sti
        inc     %ebx
        inc     %ebx
        inc     %ebx
        cli
        SHOW32  %ebp
END
CASE    "sti, cli lets nothing in"
        HOOK    count_interrupt, 0x80
        ARM     10
        WAIT_PENDING
        sti
        cli
        nop
        SHOW32  %ebp
END
CASE    "popf opens at once"
        HOOK    record_interrupt, 0x80
        ARM     10
        WAIT_PENDING
        mov     $0x10, %ebx
        pushq   $0x202
        popfq
        inc     %ebx
        inc     %ebx
        cli
        SHOW32  %ebp
END
CASE    "iretq opens at once"
        HOOK    record_interrupt, 0x80
        ARM     10
        WAIT_PENDING
        mov     $0x20, %ebx
        mov     %rsp, %rdx
        pushq   $DATA_SELECTOR
        pushq   %rdx
        pushq   $0x202
        pushq   $CODE64_SELECTOR
        pushq   $1f
        iretq
1:      inc     %ebx
        inc     %ebx
        cli
        SHOW32  %ebp
END
CASE    "an interrupt between iterations of rep"
        HOOK    record_count, 0x80
        ARM     10
        WAIT_PENDING
        mov     $SCRATCH, %edi
        mov     $16, %ecx
        xor     %eax, %eax
        sti
        nop
        rep stosb
        cli
        SHOW32  %ecx
        SHOW32  %ebp
END
CASE    "interrupt of a ring-3 program"
        HOOK    count_interrupt, 0x80
        ARM     200
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   $0x202
        pushq   $USER_CODE64
        pushq   $1f
        iretq
1:      test    %ebp, %ebp
        jz      1b
        SHOW32  %ebp
UEND
/* NMI: the local APIC sends one to its own processor. */
        .macro SEND_NMI
        movl    $0x44400, 0x300(%rdx)
        .rept   4
        jmp     9930f
9930:
        .endr
        .endm
CASE    "NMI is delivered with IF clear"
        HOOK    count_nmi, 2
        LOCAL_APIC
        SEND_NMI
        SHOW32  %ebp
END
CASE    "a second NMI waits for IRET"
        HOOK    nested_nmi, 2
        LOCAL_APIC
        SEND_NMI
        SHOW32  %ebp                    /* handler runs */
        SHOW32  %edi                    /* greatest depth */
END
CASE    "NMI ends hlt"
        HOOK    count_nmi, 2
        HOOK    nmi_from_interrupt, 0x80
        ARM     200
        sti
        hlt
        cli
        SHOW32  %ebp
END

count_nmi:
        inc     %ebp
        iretq
nested_nmi:
        inc     %ebp
        inc     %ebx
        cmp     %edi, %ebx
        cmova   %ebx, %edi
        cmp     $1, %ebp
        jne     1f
        SEND_NMI
1:      dec     %ebx
        iretq
nmi_from_interrupt:
        push    %rax
        OUT8    0x20, 0x20
        pop     %rax
        mov     $0xfee00000, %edx
        SEND_NMI
        add     $0x10, %ebp
        iretq
count_interrupt:
        inc     %ebp
        push    %rax
        OUT8    0x20, 0x20
        pop     %rax
        iretq
record_interrupt:
        lea     0x100(%rbx), %ebp
        push    %rax
        OUT8    0x20, 0x20
        pop     %rax
        iretq
record_count:
        mov     %ecx, %ebp
        push    %rax
        OUT8    0x20, 0x20
        pop     %rax
        iretq
