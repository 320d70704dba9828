/* Base state of the 32-bit harness: flat segments, ring-3 and 16-bit selectors, one 32-bit TSS, paging off. */
#include "harness.h"

struct gate {
  u16 offset_low, selector;
  u8 count, type;
  u16 offset_high;
} __attribute__((packed));

struct tss32 {
  u16 back_link, pad0;
  u32 sp0;
  u16 ss0, pad1;
  u32 rest[22];
  u16 trap, io_map_base;
  u8 io_map[33];
} __attribute__((packed));

struct gate idt[256] __attribute__((aligned(16)));
struct tss32 tss __attribute__((aligned(16)));
extern u64 gdt[];
extern u32 stub_addresses[];

void load_base_segments(void);
void run_image(void);

static void set_gate(u32 vector, u32 stub, u32 dpl) {
  idt[vector] = (struct gate){(u16)stub, 0x08, 0, (u8)(0x8e | dpl << 5), (u16)(stub >> 16)};
}

static void build_tss(void) {
  u8 *bytes = (u8 *)&tss;
  for (u32 i = 0; i < sizeof tss; i++) bytes[i] = 0;
  tss.sp0 = 0x6ff0;
  tss.ss0 = 0x18;
  tss.io_map_base = 0xffff;
  tss.io_map[32] = 0xff;
  u64 base = (word)&tss;
  gdt[7] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
  gdt[9] = 0;
  for (int i = 16; i < 32; i++) gdt[i] = 0;
}

void base_state(void) {
  __asm__ volatile("mov %0, %%cr0" ::"r"(0x33ul));
  __asm__ volatile("mov %0, %%cr4" ::"r"(0ul));
  __asm__ volatile("mov %0, %%cr3" ::"r"(0ul));
  __asm__ volatile("wrmsr" ::"c"(0xc0000080), "a"(0), "d"(0));
  for (u32 i = 0; i < 0x4000 / 4; i++) ((u32 *)TABLES)[i] = 0;
  build_tss();
  for (u32 i = 0; i < 256; i++) idt[i] = (struct gate){0};
  for (u32 i = 0; i < 32; i++) set_gate(i, stub_addresses[i], i >= 3 && i <= 5 ? 3 : 0);
  for (u32 i = 0; i < 4; i++) set_gate(0x80 + i, stub_addresses[32 + i], 3);
  load_base_segments();
  __asm__ volatile("mov %0, %%dr7; mov %1, %%dr6" ::"r"(0x400ul), "r"(0xffff0ff0ul));
}

void run_image(void) {
  base_state();
  run_cases();
}
