// Signed updates with bytes changed at random: the parsers of DER, PKCS #7 and signature lists stay inside their buffers,
// and nothing verifies over a digest that nobody has signed. Meant to be built with sanitizers; the argument is
// auth-vectors.bin.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "signature-list.h"

#define ROUNDS 150u
#define DESCRIPTOR_SIZE 40u
#define MAX_VECTOR 0x4000u

static UINT32 random32(void) {
  static UINT32 state = 0x1234567;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

// Gives each parser the bytes in a buffer of exactly their size.
static void parse(const UINT8 *bytes, UINT32 size) {
  UINT8 *copy = malloc(size + 1), *fresh = malloc(size + 1);
  memcpy(copy, bytes, size);
  static const UINT8 digest[SHA256_SIZE];
  Signature signature;
  Certificate certificate;
  UINT32 certificate_size = size < DESCRIPTOR_SIZE ? size : size - DESCRIPTOR_SIZE;
  if (pkcs7_verify((Span){copy + (size - certificate_size), certificate_size}, digest, &signature)) {
    fprintf(stderr, "FAIL a signature over something else verifies\n");
    exit(1);
  }
  certificate_parse((Span){copy, size}, &certificate);
  for (UINT32 at = 0; at < size; at += 1 + random32() % 64) {
    certificate_parse((Span){copy + at, size - at}, &certificate);
    signature_lists_are_valid(copy + at, size - at, false);
    signature_lists_new(fresh, copy + at, size - at, copy, size);
  }
  free(copy);
  free(fresh);
}

int main(int count, char **arguments) {
  static UINT8 vector[MAX_VECTOR], changed[MAX_VECTOR];
  FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
  if (!file) return 2;
  UINT32 size, vectors = 0;
  for (; fread(&size, sizeof(size), 1, file) == 1; vectors++) {
    if (size > MAX_VECTOR || fread(vector, 1, size, file) != size) return 2;
    for (UINT32 round = 0; round < ROUNDS; round++) {
      memcpy(changed, vector, size);
      for (UINT32 n = 1 + random32() % 8; n; n--) changed[random32() % size] = (UINT8)random32();
      parse(changed, round % 3 ? size : random32() % size);
    }
  }
  fclose(file);
  printf("%u updates, %u changes of each\n", vectors, ROUNDS);
  return 0;
}
