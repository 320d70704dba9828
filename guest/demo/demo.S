# The demo guest: a 4 KiB ROM that ends at 4 GiB. It goes from the reset vector through real and protected mode into
# long mode, maps the memory of a prime sieve page by page from its own #PF handler, prints what it finds and stops.
#
# Ports: 0xe9 takes the text, 0xf4 the verdict (0 = all well), then the processor halts with interrupts off.
# RAM, physical:   0x1000 PML4   0x2000 PDPT   0x3000 PD of 0..2 MiB   0x4000 PD of the last GiB below 4 GiB
#                  0x5000 IDT    0x6000 PDPT   0x7000 PD   0x8000 and 0x9000 PTs of the sieve
#                  0xf000 top of the stack     0x100000 first frame handed to the sieve

        .set SIEVE_END, 4000000
        .set SIEVE, 0xffff800000000000
        .set FIRST_FRAME, 0x100000
        .set ROM_SEGMENT, 0xffff0000

        .section .text
        .code16
real_mode:
        cli
        lgdtl   %cs:(gdt_register - ROM_SEGMENT)
        movl    %cr0, %eax
        orl     $0x1, %eax                      # PE
        movl    %eax, %cr0
        ljmpl   $0x08, $protected_mode

        .code32
protected_mode:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $0xf000, %esp

        cld
        xorl    %eax, %eax
        movl    $0x1000, %edi
        movl    $(0x9000 / 4), %ecx
        rep stosl

        # Present and writable; PDEs of 2 MiB pages with PS besides (SDM Vol. 3A, 4.5).
        movl    $0x2003, 0x1000
        movl    $0x3003, 0x2000
        movl    $0x0083, 0x3000
        movl    $0x4003, 0x2018
        movl    $0xffe00083, 0x4ff8
        movl    $0x6003, 0x1800                 # PML4[256]: the sieve
        movl    $0x7003, 0x6000
        movl    $0x8003, 0x7000
        movl    $0x9003, 0x7008

        movl    $0x1000, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x20, %eax                     # PAE
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx               # IA32_EFER
        rdmsr
        orl     $0x100, %eax                    # LME
        wrmsr
        movl    %cr0, %eax
        orl     $0x80010000, %eax               # PG, WP
        movl    %eax, %cr0
        ljmpl   $0x18, $long_mode

        .code64
long_mode:
        # Gate 14: a 64-bit interrupt gate to page_fault (SDM Vol. 3A, 6.14.1).
        leaq    page_fault(%rip), %rax
        movl    $0x5000, %ebx
        movw    %ax, 14*16(%rbx)
        movw    $0x18, 14*16+2(%rbx)
        movw    $0x8e00, 14*16+4(%rbx)
        shrq    $16, %rax
        movw    %ax, 14*16+6(%rbx)
        shrq    $16, %rax
        movl    %eax, 14*16+8(%rbx)
        lidt    idt_register(%rip)

        leaq    greeting(%rip), %rsi
        call    print
        movq    %cr3, %rax
        call    print_hex
        call    print_newline

        # Sieve of Eratosthenes: one byte per number, 1 = composite.
        movabsq $SIEVE, %rbx
        xorl    %r12d, %r12d                    # page faults
        movl    $2, %ecx
next_number:
        movl    %ecx, %eax
        mulq    %rax
        cmpq    $SIEVE_END, %rax
        jae     sieved
        cmpb    $0, (%rbx,%rcx)
        jne     number_done
strike:
        movb    $1, (%rbx,%rax)
        addq    %rcx, %rax
        cmpq    $SIEVE_END, %rax
        jb      strike
number_done:
        incl    %ecx
        jmp     next_number

sieved:
        xorl    %r13d, %r13d                    # primes
        movl    $2, %ecx
count:
        cmpb    $1, (%rbx,%rcx)                 # carry when the byte is 0
        adcl    $0, %r13d
        incl    %ecx
        cmpl    $SIEVE_END, %ecx
        jb      count

        leaq    text_primes(%rip), %rsi
        call    print
        movl    $SIEVE_END, %eax
        call    print_decimal
        leaq    text_colon(%rip), %rsi
        call    print
        movl    %r13d, %eax
        call    print_decimal
        call    print_newline
        leaq    text_pages(%rip), %rsi
        call    print
        movl    %r12d, %eax
        call    print_decimal
        call    print_newline
        xorl    %eax, %eax
stop:
        outb    %al, $0xf4
        cli
        hlt
        jmp     stop

# #PF: a page of the sieve that is not present gets the next frame; any other fault ends the demo.
page_fault:
        pushq   %rax
        pushq   %rcx
        testb   $1, 16(%rsp)                    # error code, P: a protection violation
        jnz     unexpected
        movq    %cr2, %rax
        subq    %rbx, %rax
        cmpq    $SIEVE_END, %rax
        jae     unexpected
        shrl    $12, %eax
        movl    %r12d, %ecx
        shll    $12, %ecx
        addl    $(FIRST_FRAME + 3), %ecx
        movq    %rcx, 0x8000(,%rax,8)
        incl    %r12d
        popq    %rcx
        popq    %rax
        addq    $8, %rsp
        iretq
unexpected:
        leaq    text_unexpected(%rip), %rsi
        call    print
        movq    %cr2, %rax
        call    print_hex
        call    print_newline
        movb    $1, %al
        jmp     stop

# print: the NUL-terminated text at RSI.
print:
        lodsb
        testb   %al, %al
        jz      printed
        outb    %al, $0xe9
        jmp     print
printed:
        ret

print_newline:
        movb    $'\n', %al
        outb    %al, $0xe9
        ret

# print_decimal: EAX.
print_decimal:
        movl    $10, %ecx
        xorl    %edx, %edx
        divl    %ecx
        pushq   %rdx
        testl   %eax, %eax
        jz      last_digit
        call    print_decimal
last_digit:
        popq    %rax
        addb    $'0', %al
        outb    %al, $0xe9
        ret

# print_hex: RAX, without leading zeros.
print_hex:
        pushq   %rax
        shrq    $4, %rax
        jz      last_nibble
        call    print_hex
last_nibble:
        popq    %rax
        andl    $0xf, %eax
        cmpb    $10, %al
        jb      nibble_decimal
        addb    $('a' - '0' - 10), %al
nibble_decimal:
        addb    $'0', %al
        outb    %al, $0xe9
        ret

greeting:
        .asciz "hello from long mode, page tables at 0x"
text_primes:
        .asciz "primes below "
text_colon:
        .asciz ": "
text_pages:
        .asciz "pages mapped on demand: "
text_unexpected:
        .asciz "unexpected page fault at 0x"

        .balign 8
# The accessed bits are set: the processor has nothing to write back to a ROM.
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff              # 0x08: 32-bit code
        .quad   0x00cf93000000ffff              # 0x10: data
        .quad   0x00af9b000000ffff              # 0x18: 64-bit code
gdt_register:
        .word   gdt_register - gdt - 1
        .long   gdt
idt_register:
        .word   15*16 - 1
        .quad   0x5000

        .org    0xff0, 0xf4
        .code16
        .globl  reset_vector
reset_vector:
        jmp     real_mode
        .org    0x1000, 0xf4
