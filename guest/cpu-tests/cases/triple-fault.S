/* A fault while #DF is delivered ends the machine: SDM vol. 3A 6.15, "Interrupt 8". The transcript stops in the line. */
#include "case.inc"

        .text
        .code64
CASE    "the double-fault handler is reached"
        movw    $0x1f8, idt + 13 * 16 + 2
        mov     $0x800000000000, %rax
        mov     (%rax), %al
END
CASE    "an empty IDT"
        movw    $0, SCRATCH
        movq    $0, SCRATCH + 2
        SHOW32  %eax
        lidt    SCRATCH
        ud2
END
