/* Multiboot header and the way to C: for a 64-bit build through long mode with 4 KiB pages over 128 MiB, for a 32-bit build with
   4 KiB pages in 32-bit mode. The header tells where a flat file goes, so no loader needs ELF. */
#define MULTIBOOT_FLAGS 0x00010003
#define MAPPED_PAGES (128 * 256)

        .section .header, "a"
        .globl  start, header_start, divisor, selection
        .balign 4
header_start:
        .long   0x1badb002, MULTIBOOT_FLAGS, -(0x1badb002 + MULTIBOOT_FLAGS)
        .long   header_start, load_start, load_end, bss_end, start
        .long   0, 0, 0, 0
        /* Ours: signature "SYBN", kernel table, and two words that the host may change. */
        .long   0x4e425953, kernels
divisor:
        .long   1
selection:
        .long   0xffffffff

        .section .text.start, "ax"
        .code32
start:
        cli
        cld
        movl    $stack_top, %esp
        movl    $page_tables, %edi
        movl    $3, %eax
        movl    $MAPPED_PAGES, %ecx
#if defined(MODE64)
1:      movl    %eax, (%edi)
        movl    $0, 4(%edi)
        addl    $8, %edi
        addl    $4096, %eax
        loop    1b
        movl    $page_directory, %edi
        movl    $page_tables + 3, %eax
        movl    $(MAPPED_PAGES / 512), %ecx
2:      movl    %eax, (%edi)
        movl    $0, 4(%edi)
        addl    $8, %edi
        addl    $4096, %eax
        loop    2b
        movl    $page_directory + 3, pdpt
        movl    $pdpt + 3, pml4
        movl    $pml4, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x100, %eax            /* EFER.LME */
        wrmsr
#else
1:      movl    %eax, (%edi)
        addl    $4, %edi
        addl    $4096, %eax
        loop    1b
        movl    $page_directory, %edi
        movl    $page_tables + 3, %eax
        movl    $(MAPPED_PAGES / 1024), %ecx
2:      movl    %eax, (%edi)
        addl    $4, %edi
        addl    $4096, %eax
        loop    2b
        movl    $page_directory, %eax
        movl    %eax, %cr3
#endif
        movl    %cr0, %eax
        orl     $0x80000001, %eax
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmpl   $8, $paging_on

#if defined(MODE64)
        .code64
#endif
paging_on:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        call    system_main

        .globl  interrupt_stub, page_fault_stub, touch
#if defined(MODE64)
interrupt_stub:
        incl    interrupt_count
        iretq
page_fault_stub:
        push    %rax
        mov     %cr2, %rax
        incl    page_fault_count
        addq    $16, %rsp               /* RAX and the error code */
        movq    $touched, (%rsp)
        iretq
touch:
        movl    (%rdi), %eax
touched:
        ret
#else
interrupt_stub:
        incl    interrupt_count
        iretl
page_fault_stub:
        incl    page_fault_count
        addl    $4, %esp                /* the error code */
        movl    $touched, (%esp)
        iretl
touch:
        movl    4(%esp), %eax
        movl    (%eax), %eax
touched:
        ret
#endif

        .data
        .balign 8
gdt:
#if defined(MODE64)
        .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
#else
        .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
#endif
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt, 0

        .bss
        .balign 4096
pml4:   .skip   4096
pdpt:   .skip   4096
page_directory: .skip 4096
page_tables: .skip MAPPED_PAGES * 8
        .skip   65536
stack_top:
        .globl  interrupt_count, page_fault_count
interrupt_count: .skip 4
page_fault_count: .skip 4
