/* Where things stand in guest-physical memory. Shared by C, assembly and the linker scripts. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define ROM_BASE 0xffff0000 /* the last 64 KiB below 4 GiB, mirrored at 0xf0000 */
#define RESET_RECORD 0x600  /* registers as they were at reset, see rom.S */
#define USER_STACK_TOP 0x7ff0
#define STACK_TOP 0xfff0
#define BODY_BASE 0x10000 /* the body is copied here from ROM_BASE */
#define BODY_SIZE 0xf000

#define TABLES 0x70000 /* page tables of the base state, rebuilt before every case */
#define PML4_TABLE 0x70000
#define PDPT_TABLE 0x71000
#define PD_LOW 0x72000  /* 0..1 GiB */
#define PD_HIGH 0x73000 /* 3..4 GiB, for the ROM */
#define PD_WINDOW 0x74000
#define PT_WINDOW 0x75000

#define BOOT_PML4 0x76000 /* constant identity map of 64 MiB, in force while the tables above are rebuilt */
#define BOOT_PDPT 0x77000
#define BOOT_PD 0x78000

#define WINDOW 0x40000000    /* linear; its page table PT_WINDOW is empty in the base state */
#define PAGES 0x200000       /* physical pages for the cases, free to use */
#define SCRATCH 0x300000     /* linear and physical, mapped in the base state, zeroed before every case */
#define SCRATCH_SIZE 0x1000

#endif
