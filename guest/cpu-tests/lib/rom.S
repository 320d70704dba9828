/* Reset stub at the top of the 64 KiB ROM: runs in place from ROM, records the state the CPU had at reset, enters flat
   32-bit protected mode, copies the body of the image to its run address and jumps to it. */
#include "layout.h"

#define ROM_OFFSET(label) (0xf000 + label - rom_start)

        .section .rom, "ax"
        .code16
        .globl  rom_start
rom_start:
        /* At reset DS has base 0, so these stores reach conventional memory. */
        movl    %eax, RESET_RECORD + 0
        movl    %ebx, RESET_RECORD + 4
        movl    %ecx, RESET_RECORD + 8
        movl    %edx, RESET_RECORD + 12
        movl    %esi, RESET_RECORD + 16
        movl    %edi, RESET_RECORD + 20
        movl    %ebp, RESET_RECORD + 24
        movl    %esp, RESET_RECORD + 28
        movw    %cs, RESET_RECORD + 32
        movw    %ds, RESET_RECORD + 34
        movw    %es, RESET_RECORD + 36
        movw    %ss, RESET_RECORD + 38
        movw    %fs, RESET_RECORD + 40
        movw    %gs, RESET_RECORD + 42
        movw    $RESET_RECORD, %sp
        pushfl
        popl    RESET_RECORD + 44
        movl    %cr0, %eax
        movl    %eax, RESET_RECORD + 48
        movl    %cr2, %eax
        movl    %eax, RESET_RECORD + 52
        movl    %cr3, %eax
        movl    %eax, RESET_RECORD + 56
        movl    %cr4, %eax
        movl    %eax, RESET_RECORD + 60
        movl    %dr6, %eax
        movl    %eax, RESET_RECORD + 64
        movl    %dr7, %eax
        movl    %eax, RESET_RECORD + 68
        sgdtl   RESET_RECORD + 72
        sidtl   RESET_RECORD + 80

        lgdtl   %cs:ROM_OFFSET(rom_gdtr)
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $rom_protected

        .code32
rom_protected:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $ROM_BASE, %esi
        movl    $BODY_BASE, %edi
        movl    $(BODY_SIZE / 4), %ecx
        cld
        rep movsl
        movl    $STACK_TOP, %esp
        ljmpl   $0x08, $BODY_BASE

        .balign 8
rom_gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* 0x08 flat 32-bit code */
        .quad   0x00cf93000000ffff      /* 0x10 flat data */
        .quad   0x00009b010000ffff      /* 0x18 16-bit code, base 0x10000 */
        .quad   0x000093010000ffff      /* 0x20 16-bit data, base 0x10000 */
rom_gdtr:
        .word   rom_gdtr - rom_gdt - 1
        .long   rom_gdt

        .section .vector, "ax"
        .code16
        jmp     rom_start               /* the build pads the image behind it to 64 KiB */
