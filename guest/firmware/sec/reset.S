# From the reset vector to the core: real mode, protected mode and, in the x64 build, long mode with 4 GiB mapped
# one to one (UEFI 2.10, 2.3.4). The core is copied from flash to the RAM it is linked for.

#ifdef MODE64
        .set WRITABLE_TABLES, 0x800000          # PML4, PDPT, four page directories; firmware.ld
#endif
        .set ROM_SEGMENT, 0xffff0000
        .set CR0_PE, 1 << 0
        .set CR0_MP, 1 << 1
        .set CR0_NE, 1 << 5
        .set CR0_WP, 1 << 16
        .set CR0_PG, 1 << 31
        .set CR4_PAE, 1 << 5
        .set CR4_OSFXSR, 1 << 9
        .set CR4_OSXMMEXCPT, 1 << 10

        .section .reset, "ax"
        .code16
        .globl  real_mode
real_mode:
        cli
        cld
        lgdtl   %cs:(flash_gdt_register - ROM_SEGMENT)
        movl    $(CR0_PE | CR0_MP | CR0_NE), %eax       # caches on, no FPU emulation
        movl    %eax, %cr0
        ljmpl   $0x08, $protected_mode

        .code32
protected_mode:
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        inb     $0x92, %al                              # A20
        orb     $0x02, %al
        andb    $0xfe, %al                              # not the reset bit
        outb    %al, $0x92

        movl    $core_load, %esi
        movl    $core_start, %edi
        movl    $core_words, %ecx
        rep movsl
        movl    $core_bss_start, %edi
        movl    $core_bss_words, %ecx
        xorl    %eax, %eax
        rep stosl
        movl    $core_stack_top, %esp
        movl    %cr4, %eax
        orl     $(CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
        movl    %eax, %cr4
        fninit
#ifdef MODE64
        movl    $WRITABLE_TABLES, %edi
        movl    $(0x6000 / 4), %ecx
        xorl    %eax, %eax
        rep stosl
        movl    $(WRITABLE_TABLES + 0x1000 + 3), WRITABLE_TABLES
        movl    $(WRITABLE_TABLES + 0x2000 + 3), WRITABLE_TABLES + 0x1000
        movl    $(WRITABLE_TABLES + 0x3000 + 3), WRITABLE_TABLES + 0x1008
        movl    $(WRITABLE_TABLES + 0x4000 + 3), WRITABLE_TABLES + 0x1010
        movl    $(WRITABLE_TABLES + 0x5000 + 3), WRITABLE_TABLES + 0x1018
        movl    $(WRITABLE_TABLES + 0x2000), %edi
        movl    $0x83, %eax                             # 2 MiB page, writable, present
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     1b
        movl    $WRITABLE_TABLES, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx                       # IA32_EFER
        rdmsr
        orl     $0x100, %eax                            # LME
        wrmsr
        movl    %cr0, %eax
        orl     $(CR0_PG | CR0_WP), %eax
        movl    %eax, %cr0
        ljmpl   $0x10, $1f
        .code64
1:      movl    $core_stack_top, %esp
        lgdt    core_gdt_register
        movl    $core_main, %eax                        # farther away than a relative call reaches
        call    *%rax
#else
        lgdtl   core_gdt_register
        ljmpl   $0x08, $1f
1:      call    core_main
#endif
halt:   hlt
        jmp     halt

        # Flat segments; accessed bits are set because the processor cannot set them in flash.
        .macro  descriptors
        .quad   0
        .quad   0x00cf9b000000ffff                      # 0x08 code, 32-bit
        .quad   0x00af9b000000ffff                      # 0x10 code, 64-bit
        .quad   0x00cf93000000ffff                      # 0x18 data
        .endm

        .balign 8
flash_gdt:
        descriptors
flash_gdt_register:
        .word   . - flash_gdt - 1
        .long   flash_gdt

        .section .data, "aw"
        .balign 8
core_gdt:
        descriptors
core_gdt_register:
        .word   . - core_gdt - 1
#ifdef MODE64
        .quad   core_gdt
#else
        .long   core_gdt
#endif

        # SDM Vol. 3A, 9.1.4: the first instruction is fetched from 0xfffffff0.
        .section .vector, "ax"
        .code16
        jmp     real_mode

        # The runtime driver as it goes into flash.
        .section .rodata, "a"
        .balign 16
        .globl  runtime_driver
runtime_driver:
        .incbin RUNTIME_DRIVER
        .globl  runtime_driver_end
runtime_driver_end:
