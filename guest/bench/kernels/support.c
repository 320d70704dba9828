/* What the compiler may call: block moves, and on 32-bit processors 64-bit division. */
#include "kernel.h"

void *memcpy(void *to, const void *from, unsigned long count);
void *memset(void *to, int value, unsigned long count);

void *memcpy(void *to, const void *from, unsigned long count) {
  u8 *t = to;
  for (const u8 *f = from; count--;) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, unsigned long count) {
  for (u8 *t = to; count--;) *t++ = (u8)value;
  return to;
}

#if defined(__i386__)
u64 __udivdi3(u64 dividend, u64 divisor);
u64 __umoddi3(u64 dividend, u64 divisor);

static u32 divide(u32 high, u32 low, u32 divisor, u32 *remainder) {
  u32 quotient;
  __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "rm"(divisor) : "cc");
  return quotient;
}

/* Schoolbook division in base 2^32: one digit of quotient when the divisor needs two digits. */
static u64 divide64(u64 dividend, u64 divisor, u64 *remainder) {
  u32 n1 = (u32)(dividend >> 32), n0 = (u32)dividend, d1 = (u32)(divisor >> 32), d0 = (u32)divisor, rest;
  if (d1 == 0) {
    u32 q1 = divide(0, n1, d0, &rest), q0 = divide(rest, n0, d0, &rest);
    *remainder = rest;
    return (u64)q1 << 32 | q0;
  }
  int shift = __builtin_clz(d1);
  u64 scaled = divisor << shift;
  u32 top = shift ? n1 >> (32 - shift) : 0;
  u32 middle = shift ? n1 << shift | n0 >> (32 - shift) : n1;
  u64 quotient = divide(top, middle, (u32)(scaled >> 32), &rest);
  while (quotient && (quotient * d0 >> 32) + quotient * d1 > 0xffffffffu) quotient--;
  while (quotient && quotient * divisor > dividend) quotient--;
  u64 left = dividend - quotient * divisor;
  while (left >= divisor) {
    left -= divisor;
    quotient++;
  }
  *remainder = left;
  return quotient;
}

u64 __udivdi3(u64 dividend, u64 divisor) {
  u64 remainder;
  return divide64(dividend, divisor, &remainder);
}

u64 __umoddi3(u64 dividend, u64 divisor) {
  u64 remainder;
  divide64(dividend, divisor, &remainder);
  return remainder;
}
#endif
