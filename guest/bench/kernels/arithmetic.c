/* muldiv: 64-bit multiplication and division; rec: recursive calls; interp: a bytecode interpreter with a jump table. */
#include "kernel.h"

u64 run_muldiv(u32 rounds) {
  u64 x = 0x123456789abcdefULL, sum = 0;
  for (u32 i = 1; i <= rounds; i++) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    u64 divisor = (x >> 33) | 1;
    sum += x / divisor;
    sum ^= x % (i | 0x10001u);
    sum += (u64)((u32)x) * (u32)(x >> 32);
    sum = (sum << 7) | (sum >> 57);
  }
  return sum;
}

static NOINLINE u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static NOINLINE int takeuchi(int x, int y, int z) {
  return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

u64 run_rec(u32 rounds) {
  u64 sum = 0;
  for (u32 round = 0; round < rounds; round++) {
    sum += fibonacci(24 + (round & 1));
    sum += (u64)takeuchi(18, 12, 6);
  }
  return sum;
}

u64 run_interp(u32 rounds) {
  static u8 program[256];
  const u8 stop = 12;
  word a = 1, b = 2, c = 3;
  u64 sum = 0;
  random_state = 11;
  for (int i = 0; i < 255; i++) program[i] = (u8)(next_random() % stop);
  program[255] = stop;
  for (u32 round = 0; round < rounds; round++) {
    for (u32 at = 0, running = 1; running;) {
      switch (program[at++]) {
        case 0: a += b; break;
        case 1: b ^= c; break;
        case 2: c -= a; break;
        case 3: a = a * 5 + 1; break;
        case 4: b >>= 1; break;
        case 5: c = c << 1 | 1; break;
        case 6: {
          word swap = a;
          a = b;
          b = swap;
          break;
        }
        case 7:
          if (a & 1) b++;
          break;
        case 8: c &= b | 0xff; break;
        case 9: a = ~a; break;
        case 10:
          if (c > b) a--;
          break;
        case 11: b += program[(u8)a]; break;
        default: running = 0;
      }
    }
    sum += (u32)a;
  }
  return sum;
}
