/* What ring 3 may not do, I/O permission, segment loads and descriptor queries in 64-bit mode.
   SDM vol. 3A 5.9, vol. 1 19.5, vol. 2 of each instruction. */
#include "case.inc"

        .text
        .code64

        .macro PRIVILEGED name, code:vararg
CASE    "ring 3: \name", USER
        \code
UEND
        .endm

        PRIVILEGED "hlt", hlt
        PRIVILEGED "cli", cli
        PRIVILEGED "sti", sti
        PRIVILEGED "clts", clts
        PRIVILEGED "lgdt", lgdt SCRATCH
        PRIVILEGED "lidt", lidt SCRATCH
        PRIVILEGED "lldt", lldt %ax
        PRIVILEGED "ltr", ltr %ax
        PRIVILEGED "lmsw", lmsw %ax
        PRIVILEGED "mov to cr0", mov %rax, %cr0
        PRIVILEGED "mov from cr0", mov %cr0, %rax
        PRIVILEGED "mov to cr3", mov %rax, %cr3
        PRIVILEGED "mov from cr8", mov %cr8, %rax
        PRIVILEGED "mov to dr7", mov %rax, %dr7
        PRIVILEGED "rdmsr", rdmsr
        PRIVILEGED "wrmsr", wrmsr
        PRIVILEGED "invd", invd
        PRIVILEGED "wbinvd", wbinvd
        PRIVILEGED "in", in $0x80, %al
        PRIVILEGED "out", out %al, $0x80
        PRIVILEGED "ins", insb
        PRIVILEGED "outs", outsb
        PRIVILEGED "rdpmc", rdpmc

CASE    "ring 3: rdtsc with CR4.TSD clear", USER
        rdtsc
        xor     %eax, %eax
        SHOW32  %eax
UEND
CASE    "ring 3: sgdt, sidt, sldt, str, smsw with UMIP clear", USER
        sgdt    SCRATCH
        SHOW32  SCRATCH - 2
        sidt    SCRATCH
        sldt    %eax
        SHOW32  %eax
        str     %eax
        SHOW32  %eax
        smsw    %eax
        SHOW32  %eax
UEND
CASE    "rdtsc with CR4.TSD at ring 0"
        mov     %cr4, %rax
        or      $4, %rax
        mov     %rax, %cr4
        rdtsc
        xor     %eax, %eax
        SHOW32  %eax
END
CASE    "clflush of an unmapped address"
        clflush WINDOW
END

/* Flags at ring 3 */
CASE    "ring 3: popf changes neither IF nor IOPL", USER
        pushq   $0x3202
        popfq
        SHOW_FLAGS 0x3200
UEND
CASE    "ring 0: popf changes IF and IOPL"
        pushq   $0x3202
        popfq
        SHOW_FLAGS 0x3200
        pushq   $2
        popfq
END
CASE    "popf cannot set VM, VIF, VIP; RF is cleared"
        pushq   $0x1b0002
        popfq
        SHOW_FLAGS 0x1f0000
END
CASE    "ID toggles"
        pushq   $0x200002
        popfq
        SHOW_FLAGS 0x200000
END

/* IOPL and the I/O map. Ring 3 reaches the tables of the harness: every page is a user page. */
CASE    "ring 3 with the I/O map: port allowed", USER
        movw    $104, tss + 102
        in      $0x80, %al
        xor     %eax, %eax
        SHOW32  %eax
UEND
CASE    "ring 3 with the I/O map: port denied", USER
        movw    $104, tss + 102
        orb     $1, tss + 104 + 0x10
        in      $0x80, %al
UEND
CASE    "ring 3 with the I/O map: word access looks at two bits", USER
        movw    $104, tss + 102
        orb     $2, tss + 104 + 0x10
        in      $0x80, %al
        in      $0x80, %ax
UEND
CASE    "ring 3 with the I/O map: dword access looks at four bits over a byte boundary", USER
        movw    $104, tss + 102
        orb     $1, tss + 104 + 0x11
        mov     $0x84, %edx
        in      %dx, %eax
        mov     $0x85, %edx
        in      %dx, %eax
UEND
CASE    "ring 3 with the I/O map: beyond the limit of the TSS", USER
        movw    $104, tss + 102
        mov     $0x100, %edx
        in      %dx, %al
UEND
CASE    "ring 3 with the I/O map: last byte of the map is past the limit", USER
        movw    $104, tss + 102
        movb    $0, tss + 104 + 32
        mov     $0xf8, %edx
        in      %dx, %al
        mov     $0xff, %edx
        in      %dx, %ax
        mov     $0x107, %edx
        in      %dx, %al
UEND
CASE    "IOPL 3 from ring 0 to ring 3"
        pushq   $USER_DATA
        pushq   $USER_STACK_TOP
        pushq   $0x3002
        pushq   $USER_CODE64
        pushq   $1f
        iretq
1:      sti
        SHOW_FLAGS 0x3200
        cli
        in      $0x80, %al
        pushq   $0x2
        popfq
        SHOW_FLAGS 0x3200
UEND

/* Segment loads in 64-bit mode */
        .macro LOAD name, register, selector
CASE    "\name"
        mov     $\selector, %eax
        mov     %eax, %\register
        SHOW32  %eax
END
        .endm
        LOAD    "ds takes null", ds, 0
        LOAD    "ds takes null with RPL 3", ds, 3
        LOAD    "ds: RPL 3 on a ring-0 data segment", ds, DATA_SELECTOR + 3
        LOAD    "ds: ring-3 data", ds, USER_DATA
        LOAD    "ds: readable code", ds, CODE32_SELECTOR
        LOAD    "ds: beyond the GDT", ds, 0x100
        LOAD    "ds: empty descriptor", ds, FREE_SELECTOR
        LOAD    "ds: a TSS", ds, TSS_SELECTOR
        LOAD    "ds: selector of the absent LDT", ds, 4
        LOAD    "ss: null at ring 0", ss, 0
        LOAD    "ss: null with RPL 3 at ring 0", ss, 3
        LOAD    "ss: ring-3 data at ring 0", ss, USER_DATA
        LOAD    "ss: code", ss, CODE64_SELECTOR
        LOAD    "ss: ring-0 data", ss, DATA_SELECTOR
        LOAD    "ss: beyond the GDT", ss, 0x100
CASE    "ds: not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf1300
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %ds
END
CASE    "ss: not present"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf1300
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %ss
END
CASE    "ss: read-only data"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9100
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %ss
END
CASE    "ds: execute-only code"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9900
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %ds
END
CASE    "loading a segment sets the accessed bit"
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9200
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %es
        SHOW32  gdt + FREE_SELECTOR + 4
END
CASE    "ring 3: null SS", USER
        xor     %eax, %eax
        mov     %eax, %ss
UEND
CASE    "ring 3: ring-0 data in DS", USER
        mov     $DATA_SELECTOR, %eax
        mov     %eax, %ds
UEND
CASE    "ring 3: conforming code of ring 0 in DS", USER
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9f00
        mov     $FREE_SELECTOR, %eax
        mov     %eax, %ds
        mov     %ds, %ecx
        SHOW32  %ecx
UEND
CASE    "push and pop of fs and gs"
        mov     $USER_DATA, %eax
        mov     %eax, %fs
        push    %fs
        pop     %gs
        mov     %gs, %eax
        SHOW32  %eax
END
CASE    "mov from a segment register clears the upper bits"
        mov     $-1, %rax
        mov     %ds, %eax
        SHOW    %rax
        mov     $-1, %rax
        mov     %ds, %ax
        shr     $32, %rax
        SHOW    %rax
END
CASE    "lss with 64-bit operand size"
        mov     %rsp, SCRATCH
        movw    $DATA_SELECTOR, SCRATCH + 8
        mov     %rsp, %rbx
        .byte   0x48
        lss     SCRATCH, %esp
        sub     %rsp, %rbx
        SHOW    %rbx
END

/* LDT and TSS */
CASE    "lldt, 16-byte descriptor, and a segment of the LDT"
        movl    $SCRATCH << 16 | 0x0f, gdt + LDT_SELECTOR
        movl    $0x8200 | (SCRATCH >> 16 & 0xff), gdt + LDT_SELECTOR + 4
        movq    $0, gdt + LDT_SELECTOR + 8
        movl    $0xffff, SCRATCH + 8
        movl    $0x00cf9300, SCRATCH + 12
        mov     $LDT_SELECTOR, %eax
        lldt    %ax
        sldt    %ecx
        SHOW32  %ecx
        mov     $0x0c, %eax
        mov     %eax, %fs
        mov     %fs, %ecx
        SHOW32  %ecx
        mov     $0x14, %eax
        mov     %eax, %fs
END
CASE    "lldt null"
        xor     %eax, %eax
        lldt    %ax
        mov     $4, %eax
        mov     %eax, %fs
END
CASE    "lldt of a TSS"
        mov     $TSS_SELECTOR, %eax
        lldt    %ax
END
CASE    "lldt with an LDT selector"
        mov     $LDT_SELECTOR + 4, %eax
        lldt    %ax
END
CASE    "lldt not present"
        movl    $0x200, gdt + LDT_SELECTOR + 4
        mov     $LDT_SELECTOR, %eax
        lldt    %ax
END
CASE    "ltr of a busy TSS"
        mov     $TSS_SELECTOR, %eax
        ltr     %ax
END
CASE    "ltr null"
        xor     %eax, %eax
        ltr     %ax
END
CASE    "ltr sets the busy bit"
        andb    $~2, gdt + TSS_SELECTOR + 5
        mov     $TSS_SELECTOR, %eax
        ltr     %ax
        movzbl  gdt + TSS_SELECTOR + 5, %eax
        SHOW32  %eax
END
CASE    "ltr, upper half has a type"
        andb    $~2, gdt + TSS_SELECTOR + 5
        movl    $0x0100, gdt + TSS_SELECTOR + 12
        mov     $TSS_SELECTOR, %eax
        ltr     %ax
END
CASE    "str with 64-bit operand size"
        mov     $-1, %rax
        str     %rax
        SHOW    %rax
END

/* LAR, LSL, VERR, VERW */
        .macro QUERY name, selector
CASE    "\name"
        mov     $\selector, %ecx
        mov     $-1, %eax
        lar     %ecx, %eax
        SHOW_FLAGS 0x40
        and     $0xfff0ffff, %eax       /* bits 19:16 are undefined */
        SHOW32  %eax
        mov     $-1, %eax
        lsl     %ecx, %eax
        SHOW_FLAGS 0x40
        SHOW32  %eax
        verr    %cx
        SHOW_FLAGS 0x40
        verw    %cx
        SHOW_FLAGS 0x40
END
        .endm
        QUERY   "query: null", 0
        QUERY   "query: 64-bit code", CODE64_SELECTOR
        QUERY   "query: data", DATA_SELECTOR
        QUERY   "query: data with RPL 3", DATA_SELECTOR + 3
        QUERY   "query: user data", USER_DATA
        QUERY   "query: TSS", TSS_SELECTOR
        QUERY   "query: empty", FREE_SELECTOR
        QUERY   "query: beyond the GDT", 0x200
CASE    "query: call gate"
        DESCRIPTOR FREE_SELECTOR, 0x00101234, 0x00018c00
        mov     $FREE_SELECTOR, %ecx
        lar     %ecx, %eax
        SHOW_FLAGS 0x40
        and     $0xfff0ffff, %eax
        SHOW32  %eax
        lsl     %ecx, %edx
        SHOW_FLAGS 0x40
END
CASE    "query: limit with 4 KiB granularity"
        DESCRIPTOR FREE_SELECTOR, 0x00001234, 0x00859300
        mov     $FREE_SELECTOR, %ecx
        lsl     %ecx, %eax
        SHOW32  %eax
END
CASE    "query: 16-bit operand size keeps the upper bits"
        mov     $DATA_SELECTOR, %ecx
        mov     $-1, %rax
        lar     %cx, %ax
        SHOW    %rax
        mov     $-1, %rax
        lsl     %cx, %ax
        SHOW    %rax
END
CASE    "query at ring 3: ring-0 data", USER
        mov     $DATA_SELECTOR, %ecx
        lar     %ecx, %eax
        SHOW_FLAGS 0x40
        verr    %cx
        SHOW_FLAGS 0x40
UEND
CASE    "sgdt and sidt store 10 bytes"
        movq    $-1, SCRATCH
        movq    $-1, SCRATCH + 8
        sgdt    SCRATCH
        movzwl  SCRATCH, %eax
        SHOW32  %eax
        mov     $gdt, %eax
        sub     SCRATCH + 2, %rax
        SHOW    %rax
        SHOW32  SCRATCH + 10
        sidt    SCRATCH
        movzwl  SCRATCH, %eax
        SHOW32  %eax
END
