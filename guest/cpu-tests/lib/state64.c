/* Base state of the 64-bit harness: identity map of 64 MiB and the ROM, flat segments, ring-3 selectors, one TSS. */
#include "harness.h"

struct gate {
  u16 offset_low, selector;
  u8 ist, type;
  u16 offset_middle;
  u32 offset_high, reserved;
} __attribute__((packed));

struct tss64 {
  u32 reserved0;
  u64 rsp[3], reserved1, ist[7], reserved2;
  u16 reserved3, io_map_base;
  u8 io_map[33];
} __attribute__((packed));

struct gate idt[256] __attribute__((aligned(16)));
struct tss64 tss __attribute__((aligned(16)));
extern u64 gdt[];
extern u32 stub_addresses[];

void load_base_segments(void);
void run_image(void);

static void write_msr(u32 number, u64 value) {
  __asm__ volatile("wrmsr" ::"c"(number), "a"((u32)value), "d"((u32)(value >> 32)));
}

static void set_gate(u32 vector, u32 stub, u32 dpl) {
  struct gate *gate = &idt[vector];
  *gate = (struct gate){(u16)stub, 0x10, 0, (u8)(0x8e | dpl << 5), (u16)(stub >> 16), 0, 0};
}

static void build_tables(void) {
  u64 *pml4 = (u64 *)PML4_TABLE, *pdpt = (u64 *)PDPT_TABLE, *low = (u64 *)PD_LOW;
  u64 *high = (u64 *)PD_HIGH, *window = (u64 *)PD_WINDOW, *pages = (u64 *)PT_WINDOW;
  for (int i = 0; i < 512; i++) {
    pml4[i] = pdpt[i] = high[i] = window[i] = pages[i] = 0;
    low[i] = i < 32 ? (u64)i << 21 | 0x87 : 0;
  }
  pml4[0] = PDPT_TABLE | 7;
  pdpt[0] = PD_LOW | 7;
  pdpt[1] = PD_WINDOW | 7;
  pdpt[3] = PD_HIGH | 7;
  high[511] = 0xffe00000 | 0x87;
  window[0] = PT_WINDOW | 7;
}

static void build_tss(void) {
  u8 *bytes = (u8 *)&tss;
  for (u32 i = 0; i < sizeof tss; i++) bytes[i] = 0;
  tss.rsp[0] = 0x6ff0;
  for (int i = 0; i < 7; i++) tss.ist[i] = 0x2000 + (u64)i * 0x400;
  tss.io_map_base = 0xffff;
  tss.io_map[32] = 0xff;
  u64 base = (word)&tss;
  gdt[7] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
  gdt[8] = base >> 32;
  for (int i = 9; i < 32; i++) gdt[i] = 0;
}

void base_state(void) {
  __asm__ volatile("mov %0, %%cr3" ::"r"((word)BOOT_PML4));
  build_tables();
  __asm__ volatile("mov %0, %%cr0" ::"r"(0x80050033ul));
  __asm__ volatile("mov %0, %%cr4" ::"r"(0x20ul)); /* clearing PGE drops global entries */
  __asm__ volatile("mov %0, %%cr4" ::"r"(0xa0ul));
  __asm__ volatile("mov %0, %%cr3" ::"r"((word)PML4_TABLE));
  write_msr(0xc0000080, 0x901);
  build_tss();
  for (u32 i = 0; i < 256; i++) idt[i] = (struct gate){0};
  for (u32 i = 0; i < 32; i++) set_gate(i, stub_addresses[i], i >= 3 && i <= 4 ? 3 : 0);
  for (u32 i = 0; i < 4; i++) set_gate(0x80 + i, stub_addresses[32 + i], 3);
  idt[8].ist = 7;
  load_base_segments();
  write_msr(0xc0000100, 0);
  write_msr(0xc0000101, 0);
  write_msr(0xc0000102, 0);
  __asm__ volatile("mov %0, %%dr7; mov %1, %%dr6" ::"r"(0x400ul), "r"(0xffff0ff0ul));
}

void run_image(void) {
  base_state();
  run_cases();
}
