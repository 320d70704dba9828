// Numbers are arrays of 32-bit limbs, the least significant first. Multiplication is Montgomery's (Handbook of Applied
// Cryptography, 14.36). Nothing here is secret, so nothing takes constant time.
#include "rsa.h"
#include "memory.h"

#define MIN_BYTES 256u
#define MAX_LIMBS (RSA_MAX_BYTES / 4)

typedef struct {
  UINT32 modulus[MAX_LIMBS];
  // -modulus^-1 mod 2^32
  UINT32 inverse;
  UINT32 limbs;
} Modulus;

static void load(UINT32 *number, UINT32 limbs, const UINT8 *bytes, UINTN size) {
  memset(number, 0, limbs * 4);
  for (UINTN i = 0; i < size; i++) number[i / 4] |= (UINT32)bytes[size - 1 - i] << (8 * (i % 4));
}

static bool is_less(const UINT32 *left, const UINT32 *right, UINT32 limbs) {
  while (limbs--)
    if (left[limbs] != right[limbs]) return left[limbs] < right[limbs];
  return false;
}

static void subtract(UINT32 *from, const UINT32 *number, UINT32 limbs) {
  UINT32 borrow = 0;
  for (UINT32 i = 0; i < limbs; i++) {
    uint64_t difference = (uint64_t)from[i] - number[i] - borrow;
    from[i] = (UINT32)difference;
    borrow = (UINT32)(difference >> 32) & 1;
  }
}

// result = left * right / 2^(32 * limbs) mod modulus
static void multiply(const Modulus *in, UINT32 *result, const UINT32 *left, const UINT32 *right) {
  UINT32 sum[MAX_LIMBS + 2];
  UINT32 limbs = in->limbs;
  memset(sum, 0, sizeof(sum));
  for (UINT32 i = 0; i < limbs; i++) {
    uint64_t carry = 0;
    for (UINT32 j = 0; j < limbs; j++) {
      carry += (uint64_t)left[i] * right[j] + sum[j];
      sum[j] = (UINT32)carry;
      carry >>= 32;
    }
    carry += sum[limbs];
    sum[limbs] = (UINT32)carry;
    sum[limbs + 1] = (UINT32)(carry >> 32);
    UINT32 factor = sum[0] * in->inverse;
    carry = ((uint64_t)factor * in->modulus[0] + sum[0]) >> 32;
    for (UINT32 j = 1; j < limbs; j++) {
      carry += (uint64_t)factor * in->modulus[j] + sum[j];
      sum[j - 1] = (UINT32)carry;
      carry >>= 32;
    }
    carry += sum[limbs];
    sum[limbs - 1] = (UINT32)carry;
    sum[limbs] = sum[limbs + 1] + (UINT32)(carry >> 32);
  }
  if (sum[limbs] || !is_less(sum, in->modulus, limbs)) subtract(sum, in->modulus, limbs);
  memcpy(result, sum, limbs * 4);
}

static void start_modulus(Modulus *in, const RsaKey *key) {
  in->limbs = (UINT32)(key->modulus_size + 3) / 4;
  load(in->modulus, in->limbs, key->modulus, key->modulus_size);
  // Newton's iteration doubles the correct bits from 3 on.
  UINT32 inverse = in->modulus[0];
  for (int i = 0; i < 4; i++) inverse *= 2 - in->modulus[0] * inverse;
  in->inverse = 0 - inverse;
}

// 2^(64 * limbs) mod modulus: one doubled that often.
static void start_conversion(const Modulus *in, UINT32 *square) {
  memset(square, 0, in->limbs * 4);
  square[0] = 1;
  for (UINT32 bit = 0; bit < 64 * in->limbs; bit++) {
    UINT32 carry = 0;
    for (UINT32 i = 0; i < in->limbs; i++) {
      UINT32 next = square[i] >> 31;
      square[i] = square[i] << 1 | carry;
      carry = next;
    }
    if (carry || !is_less(square, in->modulus, in->limbs)) subtract(square, in->modulus, in->limbs);
  }
}

// EMSA-PKCS1-v1_5 (9.2) of a SHA-256 digest.
static bool is_encoding(const UINT8 *encoded, UINTN size, const UINT8 digest[SHA256_SIZE]) {
  static const UINT8 prefix[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
  UINTN filled = size - SHA256_SIZE - sizeof(prefix) - 1;
  if (encoded[0] != 0 || encoded[1] != 1 || encoded[filled] != 0) return false;
  for (UINTN i = 2; i < filled; i++)
    if (encoded[i] != 0xff) return false;
  return memcmp(encoded + filled + 1, prefix, sizeof(prefix)) == 0 &&
         memcmp(encoded + size - SHA256_SIZE, digest, SHA256_SIZE) == 0;
}

bool rsa_verify(const RsaKey *key, const UINT8 *signature, UINTN size, const UINT8 digest[SHA256_SIZE]) {
  // The largest objects of this driver: static, because runtime services promise the caller a small stack (2.3.4).
  static Modulus in;
  static UINT32 base[MAX_LIMBS], square[MAX_LIMBS], power[MAX_LIMBS];
  static UINT8 encoded[RSA_MAX_BYTES];
  if (key->modulus_size < MIN_BYTES || key->modulus_size > RSA_MAX_BYTES || size != key->modulus_size) return false;
  if (key->exponent_size == 0 || key->exponent_size > 4 || !(key->modulus[key->modulus_size - 1] & 1)) return false;
  UINT32 exponent;
  load(&exponent, 1, key->exponent, key->exponent_size);
  start_modulus(&in, key);
  load(base, in.limbs, signature, size);
  if (exponent < 3 || !is_less(base, in.modulus, in.limbs)) return false;
  start_conversion(&in, square);
  multiply(&in, base, base, square);
  memcpy(power, base, sizeof(power));
  int bit = 31;
  while (!(exponent >> bit & 1)) bit--;
  while (bit-- > 0) {
    multiply(&in, power, power, power);
    if (exponent >> bit & 1) multiply(&in, power, power, base);
  }
  memset(square, 0, sizeof(square));
  square[0] = 1;
  multiply(&in, power, power, square);
  for (UINTN i = 0; i < size; i++) encoded[size - 1 - i] = (UINT8)(power[i / 4] >> (8 * (i % 4)));
  return is_encoding(encoded, size, digest);
}
