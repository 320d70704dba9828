/* The state after RESET as the first instructions saw it: SDM vol. 3A table 10-1 (state following power-up or reset). */
#include "case.inc"

#define ROM_CODE_OFFSET 0xffe0

        .macro RECORDED name, offset, load=movl
CASE    "\name"
        xorl    %eax, %eax
        movw    %ax, %fs
        \load   %fs:RESET_RECORD + \offset, %eax
        SHOW    %eax
END
        .endm

        .text
        .code16
        RECORDED "eax", 0
        RECORDED "ebx", 4
        RECORDED "ecx", 8
CASE    "edx is the signature that CPUID reports"
        xorl    %eax, %eax
        movw    %ax, %fs
        incl    %eax
        cpuid
        xorl    %fs:RESET_RECORD + 12, %eax
        SHOW    %eax
END
        RECORDED "esi", 16
        RECORDED "edi", 20
        RECORDED "ebp", 24
        RECORDED "esp", 28
        RECORDED "cs", 32, movzwl
        RECORDED "ds", 34, movzwl
        RECORDED "es", 36, movzwl
        RECORDED "ss", 38, movzwl
        RECORDED "fs", 40, movzwl
        RECORDED "gs", 42, movzwl
        RECORDED "eflags", 44
        RECORDED "cr0", 48
        RECORDED "cr2", 52
        RECORDED "cr3", 56
        RECORDED "cr4", 60
        RECORDED "dr6", 64
        RECORDED "dr7", 68
        RECORDED "gdtr limit", 72, movzwl
        RECORDED "gdtr base", 74
        RECORDED "idtr limit", 80, movzwl
        RECORDED "idtr base", 82

CASE    "efer"
        movl    $0xc0000080, %ecx
        rdmsr
        SHOW    %eax
        SHOW    %edx
END
CASE    "apic base"
        movl    $0x1b, %ecx
        rdmsr
        SHOW    %eax
        SHOW    %edx
END
CASE    "pat"
        movl    $0x277, %ecx
        rdmsr
        SHOW    %eax
        SHOW    %edx
END
CASE    "sysenter cs, esp, eip"
        movl    $0x174, %ecx
        rdmsr
        SHOW    %eax
        incl    %ecx
        rdmsr
        SHOW    %eax
        incl    %ecx
        rdmsr
        SHOW    %eax
END
CASE    "mtrr default type"
        movl    $0x2ff, %ecx
        rdmsr
        SHOW    %eax
END
CASE    "the ROM is mirrored below 1 MiB"
        movw    $0xf000, %ax
        movw    %ax, %fs
        movl    %fs:0xfff0, %eax
        andl    $0xffffff, %eax
        SHOW    %eax
END
CASE    "a write to the ROM changes nothing"
        movw    $0xf000, %ax
        movw    %ax, %fs
        movl    %fs:0xfff0, %ebx
        notl    %fs:0xfff0
        cmpl    %fs:0xfff0, %ebx
        SHOW_FLAGS 0x40
END
CASE    "code runs from the ROM"
        xorl    %eax, %eax
        lcallw  $0xf000, $ROM_CODE_OFFSET
        SHOW    %eax
END

        .section .rom_code, "ax"
        .code16
        movl    $0x1234, %eax
        lretw
