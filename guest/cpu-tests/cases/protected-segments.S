/* Segmentation in 32-bit protected mode: loads, rights, limits, expand-down, 16-bit segments, queries.
   SDM vol. 3A chapters 3 and 5. TCG checks no limits and no segment rights: those lines are in the list "expected by SDM". */
#include "case.inc"

        .text
        .code32

        .macro SEGMENT_CASE name, low, high, code:vararg
CASE    "\name"
        DESCRIPTOR FREE_SELECTOR, \low, \high
        movl    $FREE_SELECTOR, %eax
        movl    %eax, %fs
        movl    $0x77, SCRATCH + 0x10
        xorl    %eax, %eax
        \code
        SHOW    %eax
END
        .endm
        .macro LOAD name, register, selector
CASE    "\name"
        movl    $\selector, %eax
        movl    %eax, %\register
        SHOW    %eax
END
        .endm
        .macro LOAD_NEW name, register, low, high
CASE    "\name"
        DESCRIPTOR FREE_SELECTOR, \low, \high
        movl    $FREE_SELECTOR, %eax
        movl    %eax, %\register
        SHOW    gdt + FREE_SELECTOR + 4
END
        .endm

/* Loads */
        LOAD    "ds: null", ds, 0
        LOAD    "ds: null with RPL", ds, 2
        LOAD    "ds: ring-3 data", ds, USER_DATA
        LOAD    "ds: ring-0 data with RPL 1", ds, DATA_SELECTOR + 1
        LOAD    "ds: code", ds, CODE32_SELECTOR
        LOAD    "ds: beyond the GDT", ds, 0x100
        LOAD    "ds: last slot of the GDT is empty", ds, 0xf8
        LOAD    "ds: TSS", ds, TSS_SELECTOR
        LOAD    "ds: LDT selector without an LDT", ds, 0x0c
        LOAD    "ss: null", ss, 0
        LOAD    "ss: ring-3 data", ss, USER_DATA
        LOAD    "ss: RPL 3", ss, DATA_SELECTOR + 3
        LOAD    "ss: code", ss, CODE32_SELECTOR
        LOAD_NEW "ds: not present", ds, 0xffff, 0x00cf1300
        LOAD_NEW "ss: not present", ss, 0xffff, 0x00cf1300
        LOAD_NEW "ss: read-only", ss, 0xffff, 0x00cf9100
        LOAD_NEW "fs: execute-only", fs, 0xffff, 0x00cf9900
        LOAD_NEW "fs: call gate", fs, 0xffff, 0x00008c00
        LOAD_NEW "fs: LDT descriptor", fs, 0xffff, 0x00008200
        LOAD_NEW "fs: accessed bit is set", fs, 0xffff, 0x00cf9200
        LOAD_NEW "fs: readable code, accessed bit is set", fs, 0xffff, 0x00cf9a00
        LOAD_NEW "fs: conforming code", fs, 0xffff, 0x00cf9e00
CASE    "use of a null segment"
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %fs:0, %eax
END
CASE    "a failed load leaves the register"
        movl    $0x2000, trap_mask
        movl    $1f, resume_at
        movl    $0x100, %eax
        movl    $USER_DATA, %ecx
        movl    %ecx, %fs
        movl    %eax, %fs
1:      movl    %fs, %eax
        SHOW    %eax
END
CASE    "lfs of a selector beyond the GDT changes neither register"
        movl    $0x2000, trap_mask
        movl    $1f, resume_at
        movl    $0x11, SCRATCH
        movl    $0x200, SCRATCH + 4
        movl    $0x99, %ebx
        lfsl    SCRATCH, %ebx
1:      SHOW    %ebx
END
CASE    "the hidden part stays when the table changes"
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %fs
        movl    $0, gdt + DATA_SELECTOR
        movl    $0, gdt + DATA_SELECTOR + 4
        movl    $0x1234, SCRATCH
        movl    %fs:SCRATCH, %eax
        movl    $0x0000ffff, gdt + DATA_SELECTOR
        movl    $0x00cf9300, gdt + DATA_SELECTOR + 4
        SHOW    %eax
END

/* Bases and limits */
        SEGMENT_CASE "base is added", 0x0000ffff, 0x00cf9330, movl %fs:0x10, %eax
        SEGMENT_CASE "base wraps at 4 GiB", 0x0000ffff, 0xffcf93ff, movl %fs:SCRATCH + 0x10010, %eax
        SEGMENT_CASE "byte limit: last byte", 0x00000fff, 0x00409330, movb %fs:0xfff, %al
        SEGMENT_CASE "byte limit: first byte beyond", 0x00000fff, 0x00409330, movb %fs:0x1000, %al
        SEGMENT_CASE "byte limit: dword over the end", 0x00000fff, 0x00409330, movl %fs:0xffd, %eax
        SEGMENT_CASE "byte limit: last dword", 0x00000fff, 0x00409330, movl %fs:0xffc, %eax
        SEGMENT_CASE "page limit: last byte", 0x00000001, 0x00c09330, movb %fs:0x1fff, %al
        SEGMENT_CASE "page limit: first byte beyond", 0x00000001, 0x00c09330, movb %fs:0x2000, %al
        SEGMENT_CASE "expand-down: first byte above the limit", 0x00000fff, 0x00409730, movb %fs:0x1000, %al
        SEGMENT_CASE "expand-down: the limit itself", 0x00000fff, 0x00409730, movb %fs:0xfff, %al
        SEGMENT_CASE "expand-down with B clear, offset 0xffff", 0x00000fff, 0x00009730, movb %fs:0xffff, %al
        SEGMENT_CASE "expand-down with B clear, offset 0x10000", 0x00000fff, 0x00009730, movb %fs:0x10000, %al
        SEGMENT_CASE "read-only data: read", 0x0000ffff, 0x00cf9130, movl %fs:0, %eax
        SEGMENT_CASE "read-only data: write", 0x0000ffff, 0x00cf9130, movl %eax, %fs:0
        SEGMENT_CASE "readable code: read", 0x0000ffff, 0x00cf9b30, movl %fs:0, %eax
        SEGMENT_CASE "readable code: write", 0x0000ffff, 0x00cf9b30, movl %eax, %fs:0
CASE    "write through CS"
        movl    %eax, %cs:SCRATCH
END
CASE    "stack limit: push below an expand-up limit of 0xfff", USER
        DESCRIPTOR FREE_SELECTOR, 0x00000fff, 0x0040f330
        movl    $FREE_SELECTOR + 3, %eax
        movl    %eax, %ss
        movl    $0x1000, %esp
        pushl   %eax
        movl    $0x1004, %esp
        pushl   %eax
UEND
CASE    "stack segment is not present at use of SS override", USER
        DESCRIPTOR FREE_SELECTOR, 0x00000fff, 0x0040f330
        movl    $FREE_SELECTOR + 3, %eax
        movl    %eax, %ss
        movl    %ss:0x1000, %eax
UEND
CASE    "code limit", USER
        DESCRIPTOR FREE_SELECTOR, 0x00000fff, 0x0040fb30
        movb    $0x90, SCRATCH + 0xfff
        movb    $0xcc, SCRATCH + 0x1000
        ljmp    $FREE_SELECTOR + 3, $0xfff
UEND
CASE    "jump beyond the code limit is reported at the jump", USER
        DESCRIPTOR FREE_SELECTOR, 0x00000fff, 0x0040fb30
        movb    $0xe9, SCRATCH
        movl    $0x2000, SCRATCH + 1
        movb    $0xcc, SCRATCH + 0x2005
        ljmp    $FREE_SELECTOR + 3, $0
UEND

/* Rings */
CASE    "ring 3: ring-0 data", USER
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
UEND
CASE    "ring 3: ring-0 conforming code as data", USER
        DESCRIPTOR FREE_SELECTOR, 0xffff, 0x00cf9f00
        movl    $FREE_SELECTOR, %eax
        movl    %eax, %fs
        movl    %fs, %ecx
        SHOW    %ecx
UEND
CASE    "ring 3: ring-0 readable code as data", USER
        movl    $CODE32_SELECTOR, %eax
        movl    %eax, %fs
UEND
CASE    "ring 3: RPL 0 on ring-3 data", USER
        movl    $USER_DATA & ~3, %eax
        movl    %eax, %fs
        movl    %fs, %eax
        SHOW    %eax
UEND
CASE    "ring 3: RPL 0 in SS", USER
        movl    $USER_DATA & ~3, %eax
        movl    %eax, %ss
UEND

/* ARPL */
CASE    "arpl raises the RPL"
        movl    $0x20, %eax
        movl    $0x03, %ecx
        arpl    %cx, %ax
        SHOW_FLAGS 0x40
        SHOW    %eax
END
CASE    "arpl leaves a greater RPL"
        movl    $0x23, %eax
        movl    $0x01, %ecx
        arpl    %cx, %ax
        SHOW_FLAGS 0x40
        SHOW    %eax
END
CASE    "arpl on memory"
        movw    $0x20, SCRATCH
        movl    $2, %ecx
        arpl    %cx, SCRATCH
        SHOW    SCRATCH
END

/* Tables */
CASE    "sgdt, sidt"
        sgdtl   SCRATCH
        movzwl  SCRATCH, %eax
        SHOW    %eax
        movl    $gdt, %eax
        subl    SCRATCH + 2, %eax
        SHOW    %eax
        sidtl   SCRATCH
        movzwl  SCRATCH, %eax
        SHOW    %eax
END
CASE    "sgdt with 16-bit operand size"
        sgdtw   SCRATCH
        movl    $gdt, %eax
        subl    SCRATCH + 2, %eax
        SHOW    %eax
END
CASE    "sldt, str, smsw to registers and memory"
        movl    $-1, %eax
        sldtl   %eax
        SHOW    %eax
        movl    $-1, %eax
        strl    %eax
        SHOW    %eax
        movl    $-1, SCRATCH
        str     SCRATCH
        SHOW    SCRATCH
        movl    $-1, %eax
        smswl   %eax
        SHOW    %eax
        movl    $-1, %eax
        smsww   %ax
        SHOW    %eax
END
CASE    "lldt and a segment of the LDT"
        movl    $(SCRATCH & 0xffff) << 16 | 0x0f, gdt + LDT_SELECTOR
        movl    $0x8200 | SCRATCH >> 16, gdt + LDT_SELECTOR + 4
        movl    $0x0000ffff, SCRATCH + 8
        movl    $0x00cf9330, SCRATCH + 12
        movl    $0x4455, SCRATCH + 0x20
        movl    $LDT_SELECTOR, %eax
        lldt    %ax
        movl    $0x0c, %eax
        movl    %eax, %fs
        SHOW    %fs:0x20
        movl    $0x04, %eax
        movl    %eax, %gs
END
CASE    "lldt of a data segment"
        movl    $DATA_SELECTOR, %eax
        lldt    %ax
END
CASE    "lldt not present"
        movl    $0x0200, gdt + LDT_SELECTOR + 4
        movl    $LDT_SELECTOR, %eax
        lldt    %ax
END
CASE    "ltr of a busy TSS"
        movl    $TSS_SELECTOR, %eax
        ltr     %ax
END
CASE    "ltr of a 16-bit TSS"
        DESCRIPTOR FREE_SELECTOR, 0x00000067, 0x00008130
        movl    $FREE_SELECTOR, %eax
        ltr     %ax
        SHOW    gdt + FREE_SELECTOR + 4
END
CASE    "ltr of an LDT selector"
        movl    $TSS_SELECTOR + 4, %eax
        ltr     %ax
END

/* LAR, LSL, VERR, VERW over the descriptor types */
        .macro QUERY_TYPE type
CASE    "query type \type"
        DESCRIPTOR FREE_SELECTOR, 0x00001234, 0x00008000 + \type * 0x100
        movl    $FREE_SELECTOR, %ecx
        movl    $-1, %eax
        larl    %ecx, %eax
        SHOW_FLAGS 0x40
        andl    $0xfff0ffff, %eax       /* bits 19:16 are undefined */
        SHOW    %eax
        movl    $-1, %eax
        lsll    %ecx, %eax
        SHOW_FLAGS 0x40
        SHOW    %eax
        verr    %cx
        SHOW_FLAGS 0x40
        verw    %cx
        SHOW_FLAGS 0x40
END
        .endm
        QUERY_TYPE 0x00
        QUERY_TYPE 0x01
        QUERY_TYPE 0x02
        QUERY_TYPE 0x03
        QUERY_TYPE 0x04
        QUERY_TYPE 0x05
        QUERY_TYPE 0x06
        QUERY_TYPE 0x07
        QUERY_TYPE 0x08
        QUERY_TYPE 0x09
        QUERY_TYPE 0x0a
        QUERY_TYPE 0x0b
        QUERY_TYPE 0x0c
        QUERY_TYPE 0x0d
        QUERY_TYPE 0x0e
        QUERY_TYPE 0x0f
        QUERY_TYPE 0x10
        QUERY_TYPE 0x12
        QUERY_TYPE 0x14
        QUERY_TYPE 0x18
        QUERY_TYPE 0x1a
        QUERY_TYPE 0x1e
        QUERY_TYPE 0x72
CASE    "query not present"
        DESCRIPTOR FREE_SELECTOR, 0x00001234, 0x00001300
        movl    $FREE_SELECTOR, %ecx
        larl    %ecx, %eax
        SHOW_FLAGS 0x40
        verr    %cx
        SHOW_FLAGS 0x40
END
CASE    "query at ring 3", USER
        movl    $DATA_SELECTOR, %ecx
        larl    %ecx, %eax
        SHOW_FLAGS 0x40
        movl    $USER_DATA, %ecx
        larl    %ecx, %eax
        SHOW_FLAGS 0x40
        verw    %cx
        SHOW_FLAGS 0x40
UEND

/* 16-bit code and stack segments at ring 3 */
        .code16
CASE    "16-bit code: operand and address size", USER16
        movl    %esp, %edx
        pushw   %ax
        subl    %esp, %edx
        SHOW16  %edx
        popw    %ax
        movl    $0x12345678, %eax
        movw    $0x9abc, %ax
        SHOW16  %eax
        movw    %cs, %ax
        SHOW16  %eax
UEND
CASE    "16-bit stack: SP wraps, upper half of ESP stays", USER16
        movl    %esp, %edx
        movl    $0x12340000, %esp
        pushw   %ax
        movl    %esp, %ecx
        movl    %edx, %esp
        SHOW16  %ecx
UEND
CASE    "16-bit code: near call and return", USER16
        callw   1f
        jmp     2f
1:      movl    $0x77, %eax
        retw
2:      SHOW16  %eax
UEND
CASE    "16-bit code: int and back", USER16
        int     $0x80
        movw    %sp, %ax
        SHOW16  %eax
UEND
CASE    "16-bit code: IP wraps at 0xffff", USER16
        movl    $0x10000, %eax
        jmpl    *%eax
UEND
CASE    "16-bit code: far jump to 32-bit code", USER16
        ljmpl   $USER_CODE32, $1f
        .code32
1:      movl    %cs, %eax
        SHOW    %eax
UEND
