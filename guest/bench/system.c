/* The system side of the benchmark guest: runs the kernels, then the system events, and reports each on port 0xe9 and on
   COM1: "B name" when it starts, "E name checksum rounds" when it ends. The host takes the time between the two lines. */
#include "kernels/kernel.h"

void interrupt_stub(void);
void page_fault_stub(void);
void touch(word address);
void system_main(void);

extern u32 interrupt_count, page_fault_count;
extern const u32 divisor; /* in the header: the host may change it before it loads the image */
extern const u32 selection;

static u8 idt[256 * 16] __attribute__((aligned(16)));
static u8 patched_code[4096] PAGE_ALIGNED;
static volatile u8 touched_pages[64 * 4096] PAGE_ALIGNED;

static void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

static u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void put_char(char c) {
  out8(0xe9, (u8)c);
  out8(0x3f8, (u8)c);
}

static void put_text(const char *text) {
  while (*text) put_char(*text++);
}

static void put_hex(u64 value, int digits) {
  while (digits--) put_char("0123456789abcdef"[(value >> (digits * 4)) & 15]);
}

/* 64-bit mode has gates of 16 bytes, protected mode of 8. */
static void set_gate(u32 vector, void (*handler)(void)) {
  word address = (word)handler;
  u8 *gate = idt + vector * sizeof(word) * 2;
  *(u16 *)gate = (u16)address;
  *(u16 *)(gate + 2) = 8;
  gate[4] = 0;
  gate[5] = 0x8e;
  *(u16 *)(gate + 6) = (u16)(address >> 16);
#if defined(__x86_64__)
  *(u32 *)(gate + 8) = (u32)(address >> 32);
  *(u32 *)(gate + 12) = 0;
#endif
}

static u64 run_interrupt(u32 rounds) {
  interrupt_count = 0;
  for (u32 i = 0; i < rounds; i++) __asm__ volatile("int $0x80" ::: "memory");
  return interrupt_count;
}

static u64 run_page_fault(u32 rounds) {
  page_fault_count = 0;
  for (u32 i = 0; i < rounds; i++) touch(0x18000000);
  return page_fault_count;
}

static u64 run_cr3(u32 rounds) {
  word cr3;
  u64 sum = 0;
  __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
  for (u32 i = 0; i < rounds; i++) {
    __asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
    for (u32 page = 0; page < 64; page++) sum += touched_pages[page * 4096 + i % 64];
  }
  return sum;
}

static u64 run_port_pair(u32 rounds) {
  u32 ones = 0;
  for (u32 i = 0; i < rounds; i++) {
    out8(0x80, (u8)i);
    ones += in8(0x2f9) == 0xff; /* no device there on any of the machines */
  }
  return ones;
}

static u64 run_patch(u32 rounds) {
  u32 (*code)(void) = (u32(*)(void))(word)patched_code;
  u64 sum = 0;
  for (u32 i = 0; i < rounds; i++) {
    patched_code[0] = 0xb8; /* mov $i, %eax */
    *(u32 *)(patched_code + 1) = i;
    patched_code[5] = 0xc3; /* ret */
    for (int call = 0; call < 4; call++) sum += code();
  }
  return sum;
}

#define COLD_BLOCKS 200000
#define COLD_BLOCK_SIZE 24
static u8 cold_code[COLD_BLOCKS * COLD_BLOCK_SIZE + 1] PAGE_ALIGNED;

static u8 *put_word(u8 *to, u32 value) {
  *(u32 *)to = value;
  return to + 4;
}

/* Writes blocks of code, each of its own, and runs every one of them once. */
static u64 run_cold(u32 rounds) {
  u32 sum = 0, other = 0;
  random_state = 21;
  for (u32 i = 0; i < rounds; i++) {
    u8 *at = cold_code + i * COLD_BLOCK_SIZE;
    *at++ = 0x05; /* add $random, %eax */
    at = put_word(at, next_random());
    *at++ = 0xc1; /* rol $count, %eax */
    *at++ = 0xc0;
    *at++ = (u8)(i % 31 + 1);
    *at++ = 0x81; /* xor $random, %ecx */
    *at++ = 0xf1;
    at = put_word(at, next_random());
    *at++ = 0x01; /* add %ecx, %eax */
    *at++ = 0xc8;
    *at++ = 0xeb; /* jmp to the next block */
    *at++ = 6;
  }
  cold_code[rounds * COLD_BLOCK_SIZE] = 0xc3; /* ret */
  __asm__ volatile("call *%2" : "+a"(sum), "+c"(other) : "r"(cold_code) : "memory", "cc");
  return sum;
}

/* Enough rounds for engines that are compiled while they run. */
static const struct kernel events[] = {
    {"int", run_interrupt, 1200000, 0},  {"pf", run_page_fault, 400000, 0}, {"cr3", run_cr3, 60000, 0},
    {"port", run_port_pair, 1200000, 0}, {"smc", run_patch, 120000, 0},     {"cold", run_cold, COLD_BLOCKS, 0},
    {0, 0, 0, 0},
};

static u32 run_table(const struct kernel *table, u32 bit) {
  for (; table->name; table++, bit++) {
    if (!(selection >> bit & 1)) continue;
    u32 rounds = scaled_rounds(table, divisor);
    put_text("B ");
    put_text(table->name);
    put_char('\n');
    u64 checksum = table->run(rounds);
    put_text("E ");
    put_text(table->name);
    put_char(' ');
    put_hex(checksum, 16);
    put_char(' ');
    put_hex(rounds, 8);
    put_char('\n');
  }
  return bit;
}

void system_main(void) {
  struct {
    u16 limit;
    word base;
  } __attribute__((packed)) idtr = {sizeof idt - 1, (word)idt};
  set_gate(0x80, interrupt_stub);
  set_gate(14, page_fault_stub);
  __asm__ volatile("lidt %0" ::"m"(idtr));
  put_text("BOOT\n");
  run_table(events, run_table(kernels, 0));
  put_text("DONE\n");
  out8(0xf4, 0);
  for (;;) __asm__ volatile("cli; hlt");
}
