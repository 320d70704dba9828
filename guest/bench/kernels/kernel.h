/* Common ground of the benchmark kernels: freestanding C, no library, no floating point. Every kernel is deterministic
   and returns a checksum that depends on all of its work. The same sources run natively and in every emulator. */
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long word; /* a general register */

#define NOINLINE __attribute__((noinline))
#define PAGE_ALIGNED __attribute__((aligned(4096)))
#define BUFFER_SIZE (1u << 20)

struct kernel {
  const char *name;
  u64 (*run)(u32 rounds);
  u32 rounds; /* at divisor 1 */
  u32 reserved;
};

/* Ends with an entry without a name. */
extern const struct kernel kernels[];

extern u8 buffer_a[BUFFER_SIZE], buffer_b[BUFFER_SIZE];
extern u32 random_state;

/* Rounds of a run; at least one. */
static inline u32 scaled_rounds(const struct kernel *kernel, u32 divisor) {
  u32 rounds = kernel->rounds / divisor;
  return rounds ? rounds : 1;
}

/* xorshift32 */
static inline u32 next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

u64 run_mix(u32 rounds);
u64 run_mem(u32 rounds);
u64 run_crc32(u32 rounds);
u64 run_sha256(u32 rounds);
u64 run_sort(u32 rounds);
u64 run_muldiv(u32 rounds);
u64 run_rec(u32 rounds);
u64 run_chase(u32 rounds);
u64 run_interp(u32 rounds);
u64 run_rep(u32 rounds);

#endif
