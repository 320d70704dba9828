/* Runs the table of cases and writes one transcript line per case: "name: ok values" or "name: #GP(0x10) ip+3".
   The same source serves real, 32-bit protected and 64-bit mode. */
#include "harness.h"

extern const struct test_case case_table[], case_table_end[];

u32 trap_mask, case_flags, show_dr6;
word resume_at;

/* Shared with the assembly side. */
word case_entry, case_kind, shown_count;
u64 shown[16];

static const struct test_case *current;
static word finished, logged;

static const char vector_names[32][4] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#09", "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
    "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "#22", "#23", "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
};

/* Vectors that push an error code: SDM vol. 3A table 6-1. */
#define ERROR_CODE_VECTORS 0x00227d00u

void put_char(char c) { out8(0xe9, (u8)c); }

void put_text(const char *text) {
  while (*text) put_char(*text++);
}

void put_hex(u64 value) {
  int digits = 1;
  while (digits < 16 && value >> (digits * 4)) digits++;
  put_text("0x");
  while (digits--) put_char("0123456789abcdef"[(value >> (digits * 4)) & 15]);
}

void put_line(const char *name, u64 value) {
  put_text(name);
  put_text(": ");
  put_hex(value);
  put_char('\n');
}

static void put_ip(const struct frame *frame) {
  word ip = (word)frame->ip;
#if defined(MODE32)
  if (frame->cs >= 0x58 && frame->cs < 0x70) ip += BODY_BASE; /* the 16-bit code segments */
#endif
  if (ip >= current->start && ip <= current->end) {
    put_text(" ip+");
    put_hex(ip - current->start);
  } else {
    put_text(" ip=");
    put_hex(ip);
  }
}

static void put_vector(u32 vector) {
  if (vector < 32) {
    put_text(vector_names[vector]);
  } else {
    put_text("int ");
    put_hex(vector);
  }
}

#if !defined(MODE16)
static word read_cr2(void) {
  word value;
  __asm__ volatile("mov %%cr2, %0" : "=r"(value));
  return value;
}
#endif

static void put_dr6(void) {
  word value, cleared = 0xffff0ff0u;
  __asm__ volatile("mov %%dr6, %0" : "=r"(value));
  __asm__ volatile("mov %0, %%dr6" ::"r"(cleared));
  if (show_dr6) {
    put_text(" dr6=");
    put_hex(value & 0xe00f);
  }
}

static void put_trap(const struct frame *frame) {
  u32 vector = (u32)frame->vector;
  put_vector(vector);
#if !defined(MODE16)
  if (vector < 32 && (ERROR_CODE_VECTORS >> vector & 1)) {
    put_char('(');
    put_hex(frame->error);
    put_char(')');
  }
#endif
  put_ip(frame);
  put_text(" cs=");
  put_hex(frame->cs);
  if (vector == 1) put_dr6();
#if !defined(MODE16)
  if (vector == 14) {
    put_text(" cr2=");
    put_hex(read_cr2());
  }
#endif
}

static void put_shown(void) {
  for (word i = 0; i < shown_count; i++) {
    put_char(' ');
    put_hex(shown[i]);
  }
  shown_count = 0;
}

/* Called by the stubs for every exception and interrupt. Returning resumes the interrupted code. */
void on_trap(struct frame *frame) {
  u32 vector = (u32)frame->vector;
  if (!current) { /* outside every case: the harness itself is at fault */
    put_text("\nharness fault ");
    put_vector(vector);
    put_text(" ip=");
    put_hex(frame->ip);
    put_char('\n');
    out8(0xf4, 1);
  }
  if (vector == 0x81) {
    finished = 1;
    unwind();
  }
  put_shown();
  if ((vector >= 32 || (trap_mask >> vector & 1)) && logged++ < 24) {
    put_text(" [");
    put_trap(frame);
    /* TF, IF, DF, IOPL, NT and, in v8086 mode, VM as they were pushed. */
    put_text(" fl=");
    put_hex(frame->flags & 0x27700);
    put_char(']');
    if (resume_at) {
      frame->ip = resume_at;
      resume_at = 0;
    }
    return;
  }
  put_char(' ');
  put_trap(frame);
  unwind();
}

/* Called by enter_case's assembly when the near-called code returned. */
void on_return(void) { finished = 1; }

static void run_case(const struct test_case *test) {
  base_state();
  for (u32 *p = (u32 *)SCRATCH_POINTER, *end = p + SCRATCH_SIZE / 4; p < end;) *p++ = 0;
  trap_mask = resume_at = logged = finished = shown_count = 0;
  case_flags = 2;
  show_dr6 = 1;
  put_text((const char *)(word)test->name);
  put_char(':');
  case_entry = test->start;
  case_kind = test->kind;
  current = test;
  enter_case();
  if (finished) {
    put_text(" ok");
    put_shown();
  }
  current = 0;
  put_char('\n');
}

void run_cases(void) {
  u32 count = 0;
  for (const struct test_case *test = case_table; test < case_table_end; test++, count++) run_case(test);
  base_state();
  put_line("end", count);
  out8(0xf4, 0);
  for (;;) __asm__ volatile("cli; hlt");
}
