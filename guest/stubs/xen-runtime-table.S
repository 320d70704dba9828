// Where each runtime service of xen-runtime.c is, from the first byte on, in the order of EFI_RUNTIME_SERVICES (UEFI 2.10, 4.5.1).
        .text
        .globl  _start
_start:
        .long   get_time - _start
        .long   set_time - _start
        .long   get_wakeup_time - _start
        .long   set_wakeup_time - _start
        .long   set_virtual_address_map - _start
        .long   convert_pointer - _start
        .long   get_variable - _start
        .long   get_next_variable_name - _start
        .long   set_variable - _start
        .long   get_next_high_monotonic_count - _start
        .long   reset_system - _start
        .long   update_capsule - _start
        .long   query_capsule_capabilities - _start
        .long   query_variable_info - _start
        .balign 16
