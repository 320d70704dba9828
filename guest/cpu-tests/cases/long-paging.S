/* 4-level paging as SDM vol. 3A chapter 4 describes it: rights, error codes, CR2, accessed and dirty flags, page sizes,
   reserved bits, global pages, accesses across pages. WINDOW[i] is mapped by the 4 KiB entry i of PT_WINDOW.
   One image, one table of cases: hence the length. */
#include "case.inc"

        .macro MAP index, physical, flags
        movl    $(\physical) | ((\flags) & 0xfff), PT_WINDOW + (\index) * 8
        movl    $(\flags) >> 32, PT_WINDOW + (\index) * 8 + 4
        .endm
        .macro CR4_SET bits
        mov     %cr4, %rax
        or      $\bits, %rax
        mov     %rax, %cr4
        .endm

#define NX 0x8000000000000000

        .text
        .code64

/* Rights at ring 0 */
CASE    "not present, read"
        mov     WINDOW + 0x123, %al
END
CASE    "not present, write"
        movb    $1, WINDOW + 0x123
END
CASE    "not present, fetch"
        mov     $WINDOW, %eax
        call    *%rax
END
CASE    "read-only page, read"
        MAP     0, PAGES, 1
        mov     WINDOW, %al
        SHOW32  PT_WINDOW
END
CASE    "read-only page, write with CR0.WP"
        MAP     0, PAGES, 1
        movb    $1, WINDOW
END
CASE    "read-only page, write without CR0.WP"
        MAP     0, PAGES, 1
        mov     %cr0, %rax
        btr     $16, %rax
        mov     %rax, %cr0
        movb    $1, WINDOW
        SHOW32  PT_WINDOW
END
CASE    "read-modify-write on a read-only page reports a write"
        MAP     0, PAGES, 1
        lock incl WINDOW
END
CASE    "cmpxchg that does not match still writes"
        MAP     0, PAGES, 1
        mov     $1, %eax
        movl    $0, PAGES
        cmpxchg %ecx, WINDOW
END
CASE    "no-execute page, fetch"
        MAP     0, PAGES, NX + 3
        movb    $0xc3, PAGES
        mov     $WINDOW, %eax
        call    *%rax
END
CASE    "no-execute in the directory entry"
        MAP     0, PAGES, 3
        movb    $0xc3, PAGES
        movl    $0x80000000, PD_WINDOW + 4
        mov     $WINDOW, %eax
        call    *%rax
END
CASE    "no-execute page, read and write"
        MAP     0, PAGES, NX + 3
        movl    $0x77, WINDOW
        SHOW32  WINDOW
        SHOW32  PT_WINDOW
END
CASE    "NX without EFER.NXE is a reserved bit"
        MAP     0, PAGES, NX + 3
        mov     $0xc0000080, %ecx
        rdmsr
        btr     $11, %eax
        wrmsr
        mov     WINDOW, %al
END
CASE    "fetch runs"
        MAP     0, PAGES, 1
        movl    $0xc3c0ff48, PAGES
        mov     $WINDOW, %eax
        call    *%rax
        SHOW    %rax
        SHOW32  PT_WINDOW
END

/* Accessed and dirty flags */
CASE    "a read sets A at every level"
        MAP     0, PAGES, 3
        mov     WINDOW, %al
        SHOW32  PT_WINDOW
        SHOW32  PD_WINDOW
        SHOW32  PDPT_TABLE + 8
END
CASE    "a write sets D in the last level only"
        MAP     0, PAGES, 3
        movb    $1, WINDOW
        SHOW32  PT_WINDOW
        SHOW32  PD_WINDOW
END
CASE    "a write after a read sets D"
        MAP     0, PAGES, 3
        mov     WINDOW, %al
        SHOW32  PT_WINDOW
        movb    %al, WINDOW
        SHOW32  PT_WINDOW
END
CASE    "a faulting write does not set D"
        MAP     0, PAGES, 1
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        movb    $1, WINDOW
1:      mov     PT_WINDOW, %eax
        and     $0x40, %eax
        SHOW32  %eax
END
CASE    "cleared A comes back after invlpg"
        MAP     0, PAGES, 3
        mov     WINDOW, %al
        andl    $~0x60, PT_WINDOW
        invlpg  WINDOW
        mov     WINDOW, %al
        SHOW32  PT_WINDOW
END
CASE    "A and D of a 2 MiB page"
        movl    $PAGES + 0x83, PD_WINDOW + 8
        movb    $1, WINDOW + 0x2345678 - 0x2000000 - 0x345678 + 0x200000
        SHOW32  PD_WINDOW + 8
END

/* Page sizes */
CASE    "2 MiB page"
        movl    $0x400000 + 0x83, PD_WINDOW + 8
        movl    $0xabcd, 0x512340
        SHOW32  WINDOW + 0x200000 + 0x112340
END
CASE    "1 GiB page"
        movl    $0x83, PDPT_TABLE + 16
        movl    $0xabce, 0x512344
        mov     $0x80512344, %eax
        SHOW32  (%rax)
        SHOW32  PDPT_TABLE + 16
END
CASE    "2 MiB page with a reserved address bit"
        movl    $0x400000 + 0x2083, PD_WINDOW + 8
        mov     WINDOW + 0x200000, %al
END
CASE    "1 GiB page with a reserved address bit"
        movl    $0x200083, PDPT_TABLE + 16
        mov     $0x80000000, %eax
        mov     (%rax), %al
END
CASE    "PS in a PML4 entry is reserved"
        movl    $PDPT_TABLE + 0x83, PML4_TABLE + 8
        mov     $0x8000000000, %rax
        mov     (%rax), %al
END
CASE    "address above MAXPHYADDR is reserved"
        MAP     0, PAGES, 3
        movl    $0x00080000, PT_WINDOW + 4
        mov     WINDOW, %al
END
CASE    "reserved bit reported on a write from ring 3", USER
        movl    $0x00080000, PT_WINDOW + 4
        movl    $PAGES + 7, PT_WINDOW
        movb    $1, WINDOW
UEND
CASE    "PAT bit in a 4 KiB entry is not PS"
        MAP     0, PAGES, 0x83
        mov     WINDOW, %al
        SHOW32  PT_WINDOW
END

/* Ring 3 */
CASE    "ring 3: supervisor page, read", USER
        movl    $PAGES + 3, PT_WINDOW
        mov     WINDOW, %al
UEND
CASE    "ring 3: supervisor page, write", USER
        movl    $PAGES + 3, PT_WINDOW
        movb    $1, WINDOW
UEND
CASE    "ring 3: supervisor page, fetch", USER
        movl    $PAGES + 3, PT_WINDOW
        mov     $WINDOW, %eax
        call    *%rax
UEND
CASE    "ring 3: supervisor directory entry", USER
        movl    $PAGES + 7, PT_WINDOW
        andl    $~4, PD_WINDOW
        mov     WINDOW, %al
UEND
CASE    "ring 3: read-only page, write", USER
        movl    $PAGES + 5, PT_WINDOW
        movb    $1, WINDOW
UEND
CASE    "ring 3: read-only directory entry, write", USER
        movl    $PAGES + 7, PT_WINDOW
        andl    $~2, PD_WINDOW
        movb    $1, WINDOW
UEND
CASE    "ring 3: user page", USER
        movl    $PAGES + 7, PT_WINDOW
        movl    $0x1234, WINDOW
        SHOW32  WINDOW
        SHOW32  PT_WINDOW
UEND
CASE    "ring 3: not present, read", USER
        mov     WINDOW, %al
UEND
CASE    "ring 3: not present, write", USER
        movb    $1, WINDOW
UEND

/* SMEP and SMAP */
CASE    "SMEP: user page, fetch at ring 0"
        MAP     0, PAGES, 7
        movb    $0xc3, PAGES
        andl    $~4, PD_LOW             /* this code must stop being a user page */
        mov     %cr3, %rax
        mov     %rax, %cr3
        CR4_SET 0x100000
        mov     $WINDOW, %eax
        call    *%rax
END
CASE    "SMEP: user page, read at ring 0"
        MAP     0, PAGES, 7
        andl    $~4, PD_LOW
        mov     %cr3, %rax
        mov     %rax, %cr3
        CR4_SET 0x100000
        mov     WINDOW, %al
        SHOW32  PT_WINDOW
END
CASE    "SMAP: user page, read at ring 0"
        MAP     0, PAGES, 7
        andl    $~4, PD_LOW
        mov     %cr3, %rax
        mov     %rax, %cr3
        CR4_SET 0x200000
        mov     WINDOW, %al
END
CASE    "SMAP: user page, write at ring 0"
        MAP     0, PAGES, 7
        andl    $~4, PD_LOW
        mov     %cr3, %rax
        mov     %rax, %cr3
        CR4_SET 0x200000
        movb    $1, WINDOW
END
CASE    "SMAP: AC opens user pages"
        MAP     0, PAGES, 7
        andl    $~4, PD_LOW
        mov     %cr3, %rax
        mov     %rax, %cr3
        CR4_SET 0x200000
        stac
        movl    $0x77, WINDOW
        SHOW32  WINDOW
        clac
        mov     WINDOW, %al
END
CASE    "stac and clac without CR4.SMAP"
        stac
        SHOW_FLAGS 0x40000
        clac
        SHOW_FLAGS 0x40000
END
CASE    "stac at ring 3", USER
        stac
UEND

/* Across pages */
CASE    "read across into a page that is not present"
        MAP     0, PAGES, 3
        mov     WINDOW + 0xffd, %eax
END
CASE    "write across into a page that is not present writes nothing"
        MAP     0, PAGES, 3
        movl    $0, PAGES + 0xffc
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        movl    $-1, WINDOW + 0xffd
1:      SHOW32  PAGES + 0xffc
END
CASE    "write across into a read-only page"
        MAP     0, PAGES, 3
        MAP     1, PAGES + 0x1000, 1
        movq    $0, PAGES + 0xff8
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        movq    $-1, WINDOW + 0xffc
1:      SHOW    PAGES + 0xff8
END
CASE    "write across two pages that are apart in memory"
        MAP     0, PAGES + 0x3000, 3
        MAP     1, PAGES + 0x1000, 3
        mov     $0x1122334455667788, %rax
        mov     %rax, WINDOW + 0xffb
        SHOW    WINDOW + 0xffb
        SHOW32  PAGES + 0x3ffc
        SHOW32  PAGES + 0x1000
        SHOW32  PT_WINDOW
        SHOW32  PT_WINDOW + 8
END
CASE    "locked add across two pages"
        MAP     0, PAGES + 0x3000, 3
        MAP     1, PAGES + 0x1000, 3
        movq    $-1, WINDOW + 0xffd
        lock addq $2, WINDOW + 0xffd
        SHOW    WINDOW + 0xffd
END
CASE    "first page of an access is not present"
        MAP     1, PAGES, 3
        mov     WINDOW + 0xffe, %eax
END
CASE    "push across into a page that is not present"
        MAP     1, PAGES, 3
        mov     %rsp, %rdx
        movb    $7, idt + 14 * 16 + 4   /* the handler needs a stack: IST 7 */
        mov     $WINDOW + 0x1004, %rsp
        push    %rax
        mov     %rdx, %rsp
END
CASE    "fetch across into a page that is not present"
        MAP     0, PAGES, 1
        movl    $0x9090b890, PAGES + 0xffc
        mov     $WINDOW + 0xffc, %eax
        call    *%rax
END
CASE    "rep movsb stops at the fault with registers of that iteration"
        MAP     0, PAGES, 3
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        mov     $SCRATCH, %esi
        mov     $WINDOW + 0xff0, %edi
        mov     $0x40, %ecx
        rep movsb
1:      SHOW    %rcx
        SHOW    %rsi
        SHOW    %rdi
END
CASE    "rep stosq downwards stops at the fault"
        MAP     1, PAGES, 3
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        mov     $WINDOW + 0x1018, %edi
        mov     $0x40, %ecx
        std
        rep stosq
1:      cld
        SHOW    %rcx
        SHOW    %rdi
END
CASE    "rep movsq faults on the source"
        MAP     0, PAGES, 3
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        mov     $WINDOW + 0xff0, %esi
        mov     $SCRATCH, %edi
        mov     $0x40, %ecx
        rep movsq
1:      SHOW    %rcx
        SHOW    %rsi
        SHOW    %rdi
END

/* The TLB as far as the architecture lets it be seen */
CASE    "a page made present needs no invlpg"
        movl    $0x4000, trap_mask
        movl    $1f, resume_at
        mov     WINDOW, %al
1:      MAP     0, PAGES, 3
        movl    $0x55, PAGES
        SHOW32  WINDOW
END
CASE    "invlpg drops a translation"
        MAP     0, PAGES, 3
        movl    $0x55, PAGES
        movl    $0x66, PAGES + 0x1000
        SHOW32  WINDOW
        MAP     0, PAGES + 0x1000, 3
        invlpg  WINDOW
        SHOW32  WINDOW
END
CASE    "a CR3 load drops a translation"
        MAP     0, PAGES, 3
        movl    $0x55, PAGES
        movl    $0x66, PAGES + 0x1000
        SHOW32  WINDOW
        MAP     0, PAGES + 0x1000, 3
        mov     %cr3, %rax
        mov     %rax, %cr3
        SHOW32  WINDOW
END
CASE    "clearing CR4.PGE drops a global translation"
        MAP     0, PAGES, 0x103
        movl    $0x55, PAGES
        movl    $0x66, PAGES + 0x1000
        SHOW32  WINDOW
        MAP     0, PAGES + 0x1000, 0x103
        mov     %cr4, %rax
        btr     $7, %rax
        mov     %rax, %cr4
        SHOW32  WINDOW
END
CASE    "invlpg drops a global translation"
        MAP     0, PAGES, 0x103
        movl    $0x55, PAGES
        movl    $0x66, PAGES + 0x1000
        SHOW32  WINDOW
        MAP     0, PAGES + 0x1000, 0x103
        invlpg  WINDOW
        SHOW32  WINDOW
END
CASE    "two linear pages, one physical page"
        MAP     0, PAGES, 3
        MAP     1, PAGES, 3
        movl    $0x11, WINDOW
        SHOW32  WINDOW + 0x1000
        movl    $0x22, WINDOW + 0x1000
        SHOW32  WINDOW
END
CASE    "invlpg of an unmapped address does nothing"
        invlpg  WINDOW
        SHOW32  %eax
END
CASE    "invlpg of a non-canonical address does nothing"
        mov     $0x800000000000, %rax
        invlpg  (%rax)
END
CASE    "invlpg at ring 3", USER
        invlpg  WINDOW
UEND

/* High half and canonical form */
CASE    "the last PML4 slot reaches the high half"
        movl    $PDPT_TABLE + 3, PML4_TABLE + 511 * 8
        mov     $0xffffff8000000000 + SCRATCH, %rax
        movl    $0x99, (%rax)
        SHOW32  SCRATCH
END
CASE    "high half not present"
        mov     $0xffff800000000000, %rax
        mov     (%rax), %al
END
CASE    "non-canonical address"
        mov     $0x800000000000, %rax
        mov     (%rax), %al
END
CASE    "non-canonical address through RBP is a stack fault"
        mov     $0x800000000000, %rbp
        mov     (%rbp), %al
END
CASE    "access that runs out of the canonical half"
        movl    $PDPT_TABLE + 3, PML4_TABLE + 255 * 8
        mov     $0x7ffffffffffc, %rax
        mov     (%rax), %rax
END
CASE    "CR2 holds 64 bits"
        mov     $0xffffffffffffff00, %rax
        mov     (%rax), %al
END
CASE    "32-bit address size wraps in 64-bit mode"
        mov     $0xffffffff, %eax
        movl    $0x1234, SCRATCH
        mov     SCRATCH + 1(%eax), %ecx
        SHOW32  %ecx
END

        .section .rodata.names, "a"
