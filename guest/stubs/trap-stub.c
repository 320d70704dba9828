// The image firmware starts as the operating system. Its entry traps to whoever runs the machine, who takes control with
// the arguments of an EFI entry point in place (UEFI 2.10, 4.1), or lets it return to the firmware what the return
// register holds. The same bytes on x64 and ia32.
#define STRING_OF(text) #text
#define STRING(text) STRING_OF(text)

__asm__(".globl " STRING(__USER_LABEL_PREFIX__) "trap_main\n" STRING(__USER_LABEL_PREFIX__) "trap_main:\n"
        "  ud2\n"
        "  jmp 1f\n"
        "  .ascii \"systab-trap\"\n"
        "1: ret\n");
