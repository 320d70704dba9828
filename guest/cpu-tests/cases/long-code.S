/* Code as data: self-modification, aliases, page crossings, code in the ROM, LOCK, undefined encodings.
   SDM vol. 3A 11.6 (self-modifying code), vol. 2A 2.2 and LOCK. */
#include "case.inc"

        .macro MAP index, physical, flags
        movl    $(\physical) | (\flags), PT_WINDOW + (\index) * 8
        .endm
        /* Copies the code between two labels to an address. */
        .macro COPY_CODE from, to, address
        mov     $\from, %esi
        mov     $\address, %edi
        mov     $\to - \from, %ecx
        rep movsb
        .endm

        .text
        .code64

/* Self-modification */
CASE    "patch the immediate of the next instruction"
        movl    $0x22, 1f + 1
1:      mov     $0x11, %eax
        SHOW32  %eax
        movl    $0x11, 1b + 1
END
CASE    "patch the next instruction to another one"
        movw    $0x9090, 1f
1:      inc     %eax
        SHOW32  %eax
END
CASE    "patch code that already ran, in a loop"
        xor     %ecx, %ecx
1:      mov     $0x100, %eax
        SHOW32  %eax
        incl    1b + 1
        inc     %ecx
        cmp     $4, %ecx
        jne     1b
END
CASE    "patch of one byte in the middle of an instruction"
        xor     %ecx, %ecx
1:      mov     $0x11223344, %eax
        SHOW32  %eax
        movb    $0x99, 1b + 3
        inc     %ecx
        cmp     $2, %ecx
        jne     1b
END
CASE    "rep movsb overwrites the code that follows it"
        mov     $2f, %esi
        mov     $1f, %edi
        mov     $3f - 2f, %ecx
        rep movsb
1:      mov     $1, %eax
        jmp     4f
2:      mov     $2, %eax
3:
4:      SHOW32  %eax
END
CASE    "patch in another page"
        COPY_CODE return_one, return_one_end, PAGES
        mov     $PAGES, %ebx
        call    *%rbx
        SHOW32  %eax
        movl    $7, PAGES + 1
        call    *%rbx
        SHOW32  %eax
END
CASE    "patch through an alias of the page"
        MAP     0, PAGES, 3
        COPY_CODE return_one, return_one_end, PAGES
        mov     $WINDOW, %ebx
        call    *%rbx
        SHOW32  %eax
        movl    $8, PAGES + 1
        call    *%rbx
        SHOW32  %eax
END
CASE    "patch through a second linear page"
        MAP     0, PAGES, 3
        MAP     1, PAGES, 3
        COPY_CODE return_one, return_one_end, WINDOW
        mov     $WINDOW, %ebx
        call    *%rbx
        SHOW32  %eax
        movl    $9, WINDOW + 0x1001
        call    *%rbx
        SHOW32  %eax
END
CASE    "patch by a locked exchange"
        COPY_CODE return_one, return_one_end, PAGES
        mov     $PAGES, %ebx
        call    *%rbx
        SHOW32  %eax
        mov     $0xa, %edx
        xchg    %edx, PAGES + 1
        call    *%rbx
        SHOW32  %eax
END
CASE    "patch by push"
        COPY_CODE return_one, return_one_end, PAGES + 0x100
        mov     $PAGES + 0x100, %ebx
        call    *%rbx
        SHOW32  %eax
        mov     %rsp, %rdx
        mov     $PAGES + 0x108, %esp
        mov     $0x00c30000000bb8, %rax
        push    %rax
        mov     %rdx, %rsp
        call    *%rbx
        SHOW32  %eax
END
CASE    "patch by an unaligned store across two code pages"
        COPY_CODE return_one, return_one_end, PAGES + 0xffd
        mov     $PAGES + 0xffd, %ebx
        call    *%rbx
        SHOW32  %eax
        movq    $0x0000000c, PAGES + 0xffe
        movb    $0xc3, PAGES + 0x1002
        call    *%rbx
        SHOW32  %eax
END
CASE    "remapping a page changes the code"
        MAP     0, PAGES, 3
        COPY_CODE return_one, return_one_end, PAGES
        COPY_CODE return_one, return_one_end, PAGES + 0x1000
        movl    $5, PAGES + 0x1001
        mov     $WINDOW, %ebx
        call    *%rbx
        SHOW32  %eax
        MAP     0, PAGES + 0x1000, 3
        invlpg  WINDOW
        call    *%rbx
        SHOW32  %eax
        MAP     0, PAGES, 3
        invlpg  WINDOW
        call    *%rbx
        SHOW32  %eax
END
CASE    "two hundred patches of one function"
        COPY_CODE return_one, return_one_end, PAGES
        mov     $PAGES, %ebx
        xor     %edx, %edx
        mov     $200, %ecx
1:      mov     %ecx, PAGES + 1
        call    *%rbx
        add     %eax, %edx
        dec     %ecx
        jnz     1b
        SHOW32  %edx
END

/* Page crossings */
CASE    "instruction across two pages that are apart in memory"
        MAP     0, PAGES + 0x3000, 3
        MAP     1, PAGES + 0x1000, 3
        COPY_CODE return_one, return_one_end, WINDOW + 0xffe
        mov     $WINDOW + 0xffe, %ebx
        call    *%rbx
        SHOW32  %eax
END
CASE    "second page of an instruction is remapped"
        MAP     0, PAGES, 3
        MAP     1, PAGES + 0x1000, 3
        COPY_CODE return_one, return_one_end, WINDOW + 0xffe
        mov     $WINDOW + 0xffe, %ebx
        call    *%rbx
        SHOW32  %eax
        movl    $0xc3000066, PAGES + 0x2000
        MAP     1, PAGES + 0x2000, 3
        invlpg  WINDOW + 0x1000
        call    *%rbx
        SHOW32  %eax
END
CASE    "second page of an instruction is patched"
        MAP     0, PAGES, 3
        MAP     1, PAGES + 0x1000, 3
        COPY_CODE return_one, return_one_end, WINDOW + 0xffd
        mov     $WINDOW + 0xffd, %ebx
        call    *%rbx
        SHOW32  %eax
        movb    $0x12, PAGES + 0x1001
        call    *%rbx
        SHOW32  %eax
END
CASE    "straight-line run over a page end"
        MAP     0, PAGES, 3
        MAP     1, PAGES + 0x4000, 3
        mov     $WINDOW, %edi
        mov     $0x2000, %ecx
        mov     $0x90, %al
        rep stosb
        movb    $0xc3, WINDOW + 0x1fff
        mov     $WINDOW, %ebx
        call    *%rbx
        SHOW32  %ebx
END
CASE    "branch to the last byte of a page"
        MAP     0, PAGES, 3
        movb    $0xc3, WINDOW + 0xfff
        mov     $WINDOW + 0xfff, %ebx
        call    *%rbx
        SHOW32  %ebx
END

/* Code in the ROM */
CASE    "code runs from the ROM at the top of 4 GiB"
        mov     $0xffffffe0, %ebx
        call    *%rbx
        SHOW32  %eax
END
CASE    "a write to the ROM does not change the code"
        mov     $0xffffffe0, %ebx
        movl    $0x77, 1(%rbx)
        call    *%rbx
        SHOW32  %eax
END

/* LOCK */
        .macro LOCKED name, bytes:vararg
CASE    "lock: \name"
        mov     $SCRATCH, %ebx
        .byte   \bytes
        SHOW32  SCRATCH
END
        .endm
        LOCKED  "add to memory", 0xf0, 0x83, 0x03, 5
        LOCKED  "add to a register", 0xf0, 0x83, 0xc0, 5
        LOCKED  "add from memory", 0xf0, 0x03, 0x03
        LOCKED  "cmp", 0xf0, 0x83, 0x3b, 5
        LOCKED  "or byte", 0xf0, 0x80, 0x0b, 5
        LOCKED  "inc", 0xf0, 0xff, 0x03
        LOCKED  "not", 0xf0, 0xf7, 0x13
        LOCKED  "neg", 0xf0, 0xf7, 0x1b
        LOCKED  "test", 0xf0, 0xf7, 0x03, 0, 0, 0, 0
        LOCKED  "mul", 0xf0, 0xf7, 0x23
        LOCKED  "xchg", 0xf0, 0x87, 0x03
        LOCKED  "xchg of registers", 0xf0, 0x87, 0xc1
        LOCKED  "xadd", 0xf0, 0x0f, 0xc1, 0x03
        LOCKED  "cmpxchg", 0xf0, 0x0f, 0xb1, 0x03
        LOCKED  "cmpxchg8b", 0xf0, 0x0f, 0xc7, 0x0b
        LOCKED  "bts by register", 0xf0, 0x0f, 0xab, 0x03
        LOCKED  "bts by immediate", 0xf0, 0x0f, 0xba, 0x2b, 3
        LOCKED  "bt", 0xf0, 0x0f, 0xba, 0x23, 3
        LOCKED  "btc", 0xf0, 0x0f, 0xba, 0x3b, 3
        LOCKED  "mov", 0xf0, 0x89, 0x03
        LOCKED  "nop", 0xf0, 0x90
        LOCKED  "push", 0xf0, 0x50
        LOCKED  "shl", 0xf0, 0xd1, 0x23
        LOCKED  "movsb", 0xf0, 0xa4
        LOCKED  "jmp", 0xf0, 0xeb, 0
        LOCKED  "call", 0xf0, 0xe8, 0, 0, 0, 0
        LOCKED  "lea", 0xf0, 0x8d, 0x03
        LOCKED  "cpuid", 0xf0, 0x0f, 0xa2

/* Encodings without a meaning */
        .macro UNDEFINED name, bytes:vararg
CASE    "undefined: \name"
        mov     $SCRATCH, %ebx
        .byte   \bytes
END
        .endm
        UNDEFINED "ud0", 0x0f, 0xff, 0x03
        UNDEFINED "ud1", 0x0f, 0xb9, 0x03
        UNDEFINED "0f 04", 0x0f, 0x04
        UNDEFINED "0f 0a", 0x0f, 0x0a
        UNDEFINED "0f 24", 0x0f, 0x24, 0
        UNDEFINED "0f a6", 0x0f, 0xa6, 0
        UNDEFINED "8d with a register", 0x8d, 0xc0
        UNDEFINED "mov to segment register 6", 0x8e, 0xf0
        UNDEFINED "mov from segment register 7", 0x8c, 0xf8
        UNDEFINED "mov to CS", 0x8e, 0xc8
        UNDEFINED "fe /2", 0xfe, 0xd0
        UNDEFINED "ff /7", 0xff, 0xf8
        UNDEFINED "ff /5 with a register", 0xff, 0xe8
        UNDEFINED "c6 /1", 0xc6, 0xc8, 0
        UNDEFINED "c7 /1", 0xc7, 0xc8, 0, 0, 0, 0
        UNDEFINED "0f ba /0", 0x0f, 0xba, 0xc0, 0
        UNDEFINED "0f 00 /6", 0x0f, 0x00, 0xf0
        UNDEFINED "cmpxchg8b with a register", 0x0f, 0xc7, 0xc8
        UNDEFINED "invlpg of a register", 0x0f, 0x01, 0xfb
        UNDEFINED "sgdt to a register", 0x0f, 0x01, 0xc7
        UNDEFINED "movbe with a register", 0x0f, 0x38, 0xf0, 0xc0
        UNDEFINED "movnti with a register", 0x0f, 0xc3, 0xc0
        UNDEFINED "vmcall without VMX", 0x0f, 0x01, 0xc1
        UNDEFINED "xgetbv without CR4.OSXSAVE", 0x0f, 0x01, 0xd0
        UNDEFINED "vaddps without AVX", 0xc5, 0xf8, 0x58, 0xc0
        UNDEFINED "salc", 0xd6

/* Prefixes and operand forms */
CASE    "a legacy prefix after REX cancels it"
        mov     $-1, %rax
        .byte   0x48, 0x66, 0x31, 0xc0
        SHOW    %rax
END
CASE    "the last REX counts"
        mov     $-1, %rax
        .byte   0x41, 0x48, 0x31, 0xc0
        SHOW    %rax
END
CASE    "66 with REX.W is 64 bits"
        mov     $-1, %rax
        .byte   0x66, 0x48, 0x31, 0xc0
        SHOW    %rax
END
CASE    "xchg %eax, %eax by 87 clears the upper half, 90 does not"
        mov     $-1, %rax
        .byte   0x90
        SHOW    %rax
        .byte   0x87, 0xc0
        SHOW    %rax
END
CASE    "SPL with REX, AH without"
        mov     $0x1122, %eax
        movzbl  %ah, %ecx
        SHOW32  %ecx
        .byte   0x40, 0x0f, 0xb6, 0xcc
        movzbl  %spl, %eax
        cmp     %al, %cl
        SHOW_FLAGS 0x40
END
CASE    "bswap of 16 bits is left out; of 32 clears the upper half"
        mov     $0x1122334455667788, %rax
        bswap   %eax
        SHOW    %rax
END
CASE    "push of an immediate is sign-extended"
        pushq   $-2
        pop     %rax
        SHOW    %rax
        .byte   0x66, 0x68, 0x34, 0x12
        movzwl  (%rsp), %eax
        add     $2, %rsp
        SHOW32  %eax
END
CASE    "address size 32 with a negative displacement"
        mov     $SCRATCH + 0x80, %ebx
        movl    $0x1357, SCRATCH
        mov     -0x80(%ebx), %eax
        SHOW32  %eax
END
CASE    "RIP-relative with address size 32"
        movl    $0x2468, SCRATCH
        mov     SCRATCH(%eip), %eax
        SHOW32  %eax
END
CASE    "moffs of 64 bits"
        movl    $0x1123, SCRATCH
        movabs  SCRATCH, %eax
        SHOW32  %eax
        .byte   0x67, 0xa1
        .long   SCRATCH
        SHOW32  %eax
END
CASE    "bit test far outside the operand"
        mov     $SCRATCH, %ebx
        mov     $8 * 0x100 + 3, %eax
        bts     %rax, (%rbx)
        SHOW32  SCRATCH + 0x100
        mov     $-8, %rax
        bts     %rax, 0x200(%rbx)
        movzbl  SCRATCH + 0x1ff, %eax
        SHOW32  %eax
END
CASE    "loop with ECX by address size 32"
        mov     $0x100000001, %rcx
        .byte   0x67
        loop    1f
        SHOW    %rcx
1:
END
CASE    "rep with ECX by address size 32"
        mov     $0x100000002, %rcx
        mov     $SCRATCH, %edi
        .byte   0x67
        rep stosb
        SHOW    %rcx
END

return_one:
        mov     $1, %eax
        ret
return_one_end:

        .section .rom_code, "ax"
        .code64
        mov     $0x1234, %eax
        ret
