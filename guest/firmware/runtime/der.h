// Reading DER (ITU-T X.690). A span is a range of bytes; reading from it moves its begin.
#pragma once
#include "memory.h"

typedef struct {
  const UINT8 *at;
  UINTN size;
} Span;

enum {
  DER_BOOLEAN = 0x01,
  DER_INTEGER = 0x02,
  DER_BIT_STRING = 0x03,
  DER_OCTET_STRING = 0x04,
  DER_OBJECT_ID = 0x06,
  DER_SEQUENCE = 0x30,
  DER_SET = 0x31,
  DER_CONTEXT_0 = 0xa0,
  DER_CONTEXT_1 = 0xa1,
  DER_CONTEXT_3 = 0xa3,
};

static inline bool same_span(Span left, Span right) {
  return left.size == right.size && memcmp(left.at, right.at, left.size) == 0;
}

static inline bool der_is(Span from, UINT8 tag) {
  return from.size && from.at[0] == tag;
}

// Takes one element; `whole` gets it with tag and length, `value` without. Either may be NULL.
static inline bool der_take(Span *from, Span *whole, Span *value) {
  if (from->size < 2) return false;
  UINTN header = 2, length = from->at[1];
  if (length & 0x80) {
    UINTN bytes = length & 0x7f;
    if (bytes == 0 || bytes > 3 || from->size - 2 < bytes) return false;
    length = 0;
    for (UINTN i = 0; i < bytes; i++) length = length << 8 | from->at[2 + i];
    header += bytes;
  }
  if (from->size - header < length) return false;
  if (whole) *whole = (Span){from->at, header + length};
  if (value) *value = (Span){from->at + header, length};
  from->at += header + length;
  from->size -= header + length;
  return true;
}

// Takes one element that has to have `tag`.
static inline bool der_enter(Span *from, UINT8 tag, Span *value) {
  return der_is(*from, tag) && der_take(from, NULL, value);
}
