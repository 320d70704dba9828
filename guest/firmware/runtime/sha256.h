// SHA-256. FIPS 180-4.
#pragma once
#include "efi-base.h"

#define SHA256_SIZE 32u

typedef struct {
  UINT32 state[8];
  UINT32 length;
  UINT8 block[64];
} Sha256;

void sha256_start(Sha256 *hash);
// No message is longer than 2^29 - 1 bytes.
void sha256_add(Sha256 *hash, const void *bytes, UINTN count);
void sha256_end(Sha256 *hash, UINT8 digest[SHA256_SIZE]);
