// Verification of RSA signatures. RFC 8017, 8.2.2 (PKCS #1 v1.5) with SHA-256.
#pragma once
#include "sha256.h"

#define RSA_MAX_BYTES 512u

// Big-endian numbers without leading zeros.
typedef struct {
  const UINT8 *modulus;
  UINTN modulus_size;
  const UINT8 *exponent;
  UINTN exponent_size;
} RsaKey;

// Keys from 2048 to 4096 bits; the exponent has up to 32.
bool rsa_verify(const RsaKey *key, const UINT8 *signature, UINTN size, const UINT8 digest[SHA256_SIZE]);
