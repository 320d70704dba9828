/* Every CPUID leaf of QEMU's qemu64, against the profile of the same name. SDM vol. 2, CPUID. */
#include "case.inc"

        .macro LEAF number, subleaf=0
CASE    "leaf \number subleaf \subleaf"
        mov     $\number, %eax
        mov     $\subleaf, %ecx
        cpuid
        SHOW32  %eax
        SHOW32  %ebx
        SHOW32  %ecx
        SHOW32  %edx
END
        .endm

        .text
        .code64
        LEAF    0
        LEAF    1
        LEAF    2
        LEAF    4, 0
        LEAF    4, 1
        LEAF    4, 2
        LEAF    4, 3
        LEAF    5
        LEAF    6
        LEAF    7, 0
        LEAF    7, 1
        LEAF    9
        LEAF    0xa
        LEAF    0xb, 0
        LEAF    0xb, 1
        LEAF    0xd, 0
        LEAF    0xd, 1
        LEAF    0xe
        LEAF    0x40000000
        LEAF    0x80000000
        LEAF    0x80000001
        LEAF    0x80000002
        LEAF    0x80000003
        LEAF    0x80000004
        LEAF    0x80000005
        LEAF    0x80000006
        LEAF    0x80000007
        LEAF    0x80000008
        LEAF    0x8000000a
        LEAF    0x8000001d
        LEAF    0x90000000
