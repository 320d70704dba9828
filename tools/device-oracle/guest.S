# Reset code of the device oracle: real mode to flat 32-bit protected mode, then the script interpreter in guest.c.
# The image is 256 KiB at the top of the 32-bit address space; the script stands at its start (0xfffc0000).
    .section .text
    .code32
start32:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x80000, %esp
    movl $0x90000, %edi
    movl $vectors, %esi
    movl $256, %ecx
1:  movl %esi, %eax
    andl $0xffff, %eax
    orl $0x00080000, %eax
    stosl
    movl %esi, %eax
    andl $0xffff0000, %eax
    orl $0x8e00, %eax
    stosl
    addl $16, %esi
    loop 1b
    lidt idtr
    call interpret
2:  cli
    hlt
    jmp 2b

    .balign 16
vectors:
    .set v, 0
    .rept 256
    .balign 16
    pushl $v
    jmp interrupt
    .set v, v + 1
    .endr
interrupt:
    pushal
    pushl 32(%esp)
    call on_interrupt
    addl $4, %esp
    popal
    addl $4, %esp
    iret

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
    .globl gdtr
gdtr:
    .word 23
    .long gdt
idtr:
    .word 256 * 8 - 1
    .long 0x90000

    .section .reset, "ax"
    .code16
enter:
    cli
    lgdtl %cs:gdtr_low
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $start32
    .org 0xf0
    .globl reset
reset:
    jmp enter
    .org 0x100
