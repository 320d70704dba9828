/* The case runner: every case is a short piece of machine code; its line in the transcript says how it ended. */
#ifndef HARNESS_H
#define HARNESS_H

#include "layout.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long word; /* a general register of the mode the harness runs in */

/* How a case is entered. */
enum {
  KIND_KERNEL = 0,      /* near call in the mode of the harness */
  KIND_USER = 1,        /* IRET to ring 3, ends with int 0x81 */
  KIND_COMPAT = 2,      /* 32-bit code at ring 0 below a 64-bit harness, ends with int 0x81 */
  KIND_COMPAT_USER = 3, /* 32-bit code at ring 3 below a 64-bit harness, ends with int 0x81 */
  KIND_USER16 = 4,      /* IRET to 16-bit ring-3 code (base 0x10000) below a 32-bit harness, ends with int 0x81 */
};

struct test_case {
  u32 name, start, end, kind;
};

#if defined(MODE64)
struct frame {
  u64 r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
  u64 vector, error, ip, cs, flags, sp, ss;
};
#elif defined(MODE32)
struct frame {
  u32 gs, fs, es, ds, di, si, bp, unused_sp, bx, dx, cx, ax;
  u32 vector, error, ip, cs, flags, sp, ss; /* sp and ss only after a change of ring */
};
#else
struct frame {
  u32 di, si, bp, unused_sp, bx, dx, cx, ax, sp;
  u16 ss, ds, es, fs, gs, vector, ip, cs, flags;
};
#endif

#if defined(MODE16)
#define SCRATCH_POINTER 0xd000 /* offset in the one segment of a real-mode image */
#else
#define SCRATCH_POINTER SCRATCH
#endif

/* Set by cases. */
extern u32 trap_mask;    /* vectors below 32 that are logged in the line and resumed */
extern word resume_at;   /* where a logged fault resumes; 0 = where it stopped */
extern u32 case_flags;   /* RFLAGS a ring-3 case starts with */
extern u32 show_dr6;     /* 0: leave DR6 out of #DB reports */

void put_char(char c);
void put_text(const char *text);
void put_hex(u64 value);
void put_line(const char *name, u64 value);

/* Brings tables, control registers and segments to the base state. */
void base_state(void);
void run_cases(void);

/* Written in assembly, per mode: runs case_entry as case_kind says, and the way out of it from a handler. */
void enter_case(void);
__attribute__((noreturn)) void unwind(void);

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

#endif
