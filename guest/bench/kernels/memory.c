/* mem: word and byte copies and string scans without REP; chase: dependent loads over 16 MiB; rep: string instructions. */
#include "kernel.h"

static NOINLINE void copy_words(word *to, const word *from, u32 count) {
  for (u32 i = 0; i < count; i++) to[i] = from[i];
}

static NOINLINE u32 string_length(const char *text) {
  const char *end = text;
  while (*end) end++;
  return (u32)(end - text);
}

static NOINLINE void copy_bytes(u8 *to, const u8 *from, u32 count) {
  while (count--) *to++ = *from++;
}

u64 run_mem(u32 rounds) {
  const u32 size = 1u << 17;
  u64 sum = 0;
  random_state = 2;
  for (u32 i = 0; i < BUFFER_SIZE; i++) buffer_a[i] = (u8)(next_random() % 255 + 1);
  for (u32 i = 200; i < BUFFER_SIZE; i += 997) buffer_a[i] = 0;
  for (u32 round = 0; round < rounds; round++) {
    copy_words((word *)buffer_b, (const word *)buffer_a, size / sizeof(word));
    for (u32 i = 0; i < size;) {
      u32 length = string_length((const char *)buffer_b + i);
      sum += length;
      i += length + 1;
    }
    copy_bytes(buffer_b + 13, buffer_a + round, 60000);
    sum += buffer_b[round % 4096 + 13];
  }
  return sum;
}

/* 32-bit links, so that 32- and 64-bit builds walk the same bytes. */
#define LINKS (4u << 20)
static u32 links[LINKS] PAGE_ALIGNED;
static u32 links_ready;

/* One cycle through all links: Sattolo's shuffle. */
static void build_links(void) {
  for (u32 i = 0; i < LINKS; i++) links[i] = i;
  random_state = 8;
  for (u32 i = LINKS - 1; i > 0; i--) {
    u32 j = next_random() % i, link = links[i];
    links[i] = links[j];
    links[j] = link;
  }
  links_ready = 1;
}

u64 run_chase(u32 rounds) {
  u32 at = 0;
  u64 sum = 0;
  if (!links_ready) build_links();
  for (u32 i = 0; i < rounds; i++) {
    at = links[at];
    sum += at;
  }
  return sum;
}

u64 run_rep(u32 rounds) {
  random_state = 12;
  for (u32 i = 0; i < (1u << 16); i++) buffer_a[i] = (u8)next_random();
  for (u32 round = 0; round < rounds; round++) {
    void *to = buffer_b + 16, *from = buffer_a;
    word count = 65536 - 32;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    to = buffer_a + 65536;
    count = 8192;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(round) : "memory");
  }
  return (u64)buffer_b[777] + buffer_a[65536 + 5];
}
