/* Paging below 32-bit protected mode: two-level tables with 4 MiB pages, and PAE. SDM vol. 3A 4.3 and 4.4. */
#include "case.inc"

#define DIRECTORY TABLES
#define LOW_TABLE (TABLES + 0x1000)
#define WINDOW_TABLE (TABLES + 0x2000)
#define PAE_POINTERS TABLES
#define PAE_LOW (TABLES + 0x1000)
#define PAE_WINDOW (TABLES + 0x2000)
#define PAE_TABLE (TABLES + 0x3000)

        .text
        .code32

        /* Identity map of the first 4 MiB by 4 KiB pages, WINDOW by an empty table; paging on. */
        .macro TWO_LEVEL
        movl    $LOW_TABLE, %edi
        movl    $7, %eax
        movl    $1024, %ecx
9910:   stosl
        addl    $0x1000, %eax
        decl    %ecx
        jnz     9910b
        movl    $LOW_TABLE + 7, DIRECTORY
        movl    $WINDOW_TABLE + 7, DIRECTORY + (WINDOW >> 22) * 4
        movl    $DIRECTORY, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        .endm
        .macro PSE_ON
        movl    %cr4, %eax
        orl     $0x10, %eax
        movl    %eax, %cr4
        .endm
        /* The first 4 MiB by 2 MiB pages, WINDOW by a table; paging on with PAE. */
        .macro PAE
        movl    $PAE_LOW + 1, PAE_POINTERS
        movl    $PAE_WINDOW + 1, PAE_POINTERS + 8
        movl    $0x87, PAE_LOW
        movl    $0x200087, PAE_LOW + 8
        movl    $PAE_TABLE + 7, PAE_WINDOW
        movl    $0x20, %eax
        movl    %eax, %cr4
        movl    $PAE_POINTERS, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        .endm
        /* The same state entered in ring 3. */
        .macro TO_USER
        pushl   $USER_DATA
        pushl   $USER_STACK_TOP
        pushl   $2
        pushl   $USER_CODE32
        pushl   $9911f
        movl    $USER_DATA, %eax
        movl    %eax, %ds
        iretl
9911:
        .endm

/* Two levels */
CASE    "two levels: not present table entry"
        TWO_LEVEL
        movl    WINDOW + 0x123, %eax
END
CASE    "two levels: not present directory entry"
        TWO_LEVEL
        movl    0x80000000, %eax
END
CASE    "two levels: read, accessed flags"
        TWO_LEVEL
        movl    $PAGES + 3, WINDOW_TABLE
        movl    WINDOW, %eax
        SHOW    WINDOW_TABLE
        SHOW    DIRECTORY + (WINDOW >> 22) * 4
END
CASE    "two levels: write, dirty flag"
        TWO_LEVEL
        movl    $PAGES + 3, WINDOW_TABLE
        movl    $0x4321, WINDOW
        SHOW    WINDOW_TABLE
        SHOW    PAGES
END
CASE    "two levels: write to a read-only page with WP"
        TWO_LEVEL
        movl    $PAGES + 1, WINDOW_TABLE
        movl    %eax, WINDOW
END
CASE    "two levels: write to a read-only page without WP"
        TWO_LEVEL
        movl    %cr0, %eax
        btrl    $16, %eax
        movl    %eax, %cr0
        movl    $PAGES + 1, WINDOW_TABLE
        movl    %eax, WINDOW
        SHOW    WINDOW_TABLE
END
CASE    "two levels: ring 3 on a supervisor page"
        TWO_LEVEL
        movl    $PAGES + 3, WINDOW_TABLE
        TO_USER
        movl    WINDOW, %eax
UEND
CASE    "two levels: ring 3 writes a read-only page"
        TWO_LEVEL
        movl    $PAGES + 5, WINDOW_TABLE
        TO_USER
        movl    %eax, WINDOW
UEND
CASE    "two levels: ring 3 fetches from a page that is not present: no I bit without NX"
        TWO_LEVEL
        TO_USER
        movl    $WINDOW, %eax
        jmp     *%eax
UEND
CASE    "two levels: 4 MiB page"
        TWO_LEVEL
        PSE_ON
        movl    $0x83, DIRECTORY + (WINDOW >> 22) * 4
        movl    $0x77, SCRATCH
        SHOW    WINDOW + SCRATCH
        SHOW    DIRECTORY + (WINDOW >> 22) * 4
END
CASE    "two levels: PS is ignored without CR4.PSE"
        TWO_LEVEL
        movl    $WINDOW_TABLE + 0x87, DIRECTORY + (WINDOW >> 22) * 4
        movl    $PAGES + 3, WINDOW_TABLE
        movl    $0x79, PAGES
        SHOW    WINDOW
END
CASE    "two levels: 4 MiB page with reserved bit 21"
        TWO_LEVEL
        PSE_ON
        movl    $0x200083, DIRECTORY + (WINDOW >> 22) * 4
        movl    WINDOW, %eax
END
CASE    "two levels: linear address wraps at 4 GiB"
        TWO_LEVEL
        movl    $LOW_TABLE + 7, DIRECTORY + 0xffc
        movl    $0x7a, SCRATCH
        movl    $0xffffffff, %ebx
        movl    SCRATCH + 1(%ebx), %eax
        SHOW    %eax
END
CASE    "two levels: access across pages"
        TWO_LEVEL
        movl    $PAGES + 3, WINDOW_TABLE
        movl    $PAGES + 0x3003, WINDOW_TABLE + 4
        movl    $0x11223344, WINDOW + 0xffe
        SHOW    PAGES + 0x3000
        movl    $0, WINDOW_TABLE + 4
        invlpg  WINDOW + 0x1000
        movl    WINDOW + 0xffe, %eax
END
CASE    "two levels: CR0.PG cleared and set again"
        TWO_LEVEL
        movl    $PAGES + 3, WINDOW_TABLE
        movl    $0x55, PAGES
        movl    WINDOW, %edx
        movl    %cr0, %eax
        btrl    $31, %eax
        movl    %eax, %cr0
        movl    $PAGES + 0x1003, WINDOW_TABLE
        movl    $0x66, PAGES + 0x1000
        btsl    $31, %eax
        movl    %eax, %cr0
        SHOW    %edx
        SHOW    WINDOW
END
CASE    "two levels: global page and CR3 load"
        TWO_LEVEL
        movl    $0x80, %eax
        movl    %eax, %cr4
        movl    $PAGES + 0x103, WINDOW_TABLE
        movl    $0x55, PAGES
        movl    WINDOW, %eax
        SHOW    %eax
        invlpg  WINDOW
        movl    $0x66, PAGES
        SHOW    WINDOW
END

/* PAE */
CASE    "PAE: not present"
        PAE
        movl    WINDOW, %eax
END
CASE    "PAE: read and write"
        PAE
        movl    $PAGES + 3, PAE_TABLE
        movl    $0x1357, WINDOW
        SHOW    PAGES
        SHOW    PAE_TABLE
        SHOW    PAE_WINDOW
        SHOW    PAE_POINTERS + 8
END
CASE    "PAE: 2 MiB page"
        PAE
        movl    $0x200083, PAE_WINDOW + 8
        movl    $0x2468, SCRATCH
        SHOW    WINDOW + 0x300000
        SHOW    PAE_WINDOW + 8
END
CASE    "PAE: directory pointer not present"
        PAE
        movl    0xc0000000, %eax
END
CASE    "PAE: a changed directory pointer counts from the next CR3 load"
        PAE
        movl    $PAE_WINDOW + 1, PAE_POINTERS + 16
        movl    $PAGES + 3, PAE_TABLE
        movl    $0x99, PAGES
        movl    %cr3, %eax
        movl    %eax, %cr3
        SHOW    0x80000000
END
CASE    "PAE: reserved bit in a directory pointer"
        PAE
        movl    $PAE_WINDOW + 0x21, PAE_POINTERS + 16
        movl    %cr3, %eax
        movl    %eax, %cr3
END
CASE    "PAE: reserved high bit in a table entry"
        PAE
        movl    $PAGES + 3, PAE_TABLE
        movl    $0x40000000, PAE_TABLE + 4
        movl    WINDOW, %eax
END
CASE    "PAE: XD without EFER.NXE"
        PAE
        movl    $PAGES + 3, PAE_TABLE
        movl    $0x80000000, PAE_TABLE + 4
        movl    WINDOW, %eax
END
CASE    "PAE: XD with EFER.NXE, fetch"
        PAE
        movl    $0xc0000080, %ecx
        movl    $0x800, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $PAGES + 3, PAE_TABLE
        movl    $0x80000000, PAE_TABLE + 4
        movl    WINDOW, %eax
        movl    $WINDOW, %eax
        call    *%eax
END
CASE    "PAE: U/S and R/W from ring 3"
        PAE
        movl    $PAGES + 5, PAE_TABLE
        TO_USER
        movl    WINDOW, %eax
        movl    %eax, WINDOW
UEND
