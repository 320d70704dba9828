// Entries from the guest and the processor, and the ways back. Calls into C follow the Microsoft x64 convention.
        .text

        .macro  save_registers
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %rax
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        .endm

        .macro  restore_registers
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rax
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        .endm

// SYSCALL from ring 3: RCX has the return address, R11 the flags, RSP is the guest's. One processor: one place to keep it.
        .globl  syscall_entry
syscall_entry:
        movq    %rsp, guest_stack(%rip)
        leaq    hypervisor_stack_top(%rip), %rsp
        pushq   $0xe02b
        pushq   guest_stack(%rip)
        pushq   %r11
        pushq   $0xe033
        pushq   %rcx
        pushq   $0
        pushq   $0x100
        save_registers
        movq    %rsp, %rcx
        subq    $32, %rsp
        call    hypercall
        addq    $32, %rsp
        restore_registers
        addq    $16, %rsp
        movq    (%rsp), %rcx
        movq    16(%rsp), %r11
        movq    24(%rsp), %rsp
        sysretq

// Exceptions and interrupts: 16 bytes for each vector, with a zero where the processor pushes no error code.
        .balign 16
trap_stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        pushq   $0
        .endif
        pushq   $vector
        jmp     trap_common
        .set    vector, vector + 1
        .endr

trap_common:
        // In a frame the vector stands below the error code.
        save_registers
        cld
        movq    %rsp, %rbp
        movq    %rsp, %rcx
        subq    $32, %rsp
        andq    $~15, %rsp
        call    trap
        movq    %rbp, %rsp
        restore_registers
        addq    $16, %rsp
        iretq

        .globl  trap_stub
trap_stub:
        leaq    trap_stubs(%rip), %rax
        shlq    $4, %rcx
        addq    %rcx, %rax
        retq

// Copies between hypervisor and guest. A fault at copy_guest_instruction goes on at copy_guest_end, where RCX has what is left.
        .globl  copy_guest, copy_guest_instruction, copy_guest_end
copy_guest:
        pushq   %rdi
        pushq   %rsi
        movq    %rcx, %rdi
        movq    %rdx, %rsi
        movq    %r8, %rcx
copy_guest_instruction:
        rep movsb
copy_guest_end:
        movq    %rcx, %rax
        popq    %rsi
        popq    %rdi
        retq

        .globl  enter_high
enter_high:
        movq    %rcx, %cr3
        movq    %r8, %rsp
        subq    $40, %rsp
        xorl    %ebp, %ebp
        jmpq    *%rdx

// Ring 3 as a PV kernel finds it: interrupts on, data segments null, everything else 0.
        .globl  enter_guest
enter_guest:
        movq    %r8, %rsi
        pushq   $0xe02b
        pushq   %rdx
        pushq   $0x202
        pushq   $0xe033
        pushq   %rcx
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        xorl    %r8d, %r8d
        xorl    %r9d, %r9d
        xorl    %r10d, %r10d
        xorl    %r11d, %r11d
        xorl    %r12d, %r12d
        xorl    %r13d, %r13d
        xorl    %r14d, %r14d
        xorl    %r15d, %r15d
        iretq

        .bss
        .balign 16
guest_stack:
        .quad   0
        .balign 4096
        .globl  hypervisor_stack_top
        .zero   32768
hypervisor_stack_top:
        .globl  urgent_stack_top
        .zero   8192
urgent_stack_top:
        .quad   0
