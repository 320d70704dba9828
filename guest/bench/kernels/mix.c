/* mix: linked list, integer matrix, state machine and CRC-16, in the proportions of common embedded benchmarks. */
#include "kernel.h"

struct node {
  struct node *next;
  u16 index, value;
};

#define NODES 512
#define MATRIX (48 * 48)

static struct node pool[NODES];
static short left[MATRIX], right[MATRIX];
static int product[MATRIX];

static NOINLINE u16 crc16(u32 data, u16 crc) {
  for (int bit = 0; bit < 16; bit++) {
    u32 differs = (data ^ crc) & 1;
    data >>= 1;
    crc >>= 1;
    if (differs) crc ^= 0xA001;
  }
  return crc;
}

static NOINLINE struct node *reverse(struct node *list) {
  struct node *previous = 0;
  while (list) {
    struct node *next = list->next;
    list->next = previous;
    previous = list;
    list = next;
  }
  return previous;
}

static NOINLINE struct node *find(struct node *list, u16 value) {
  while (list && list->value != value) list = list->next;
  return list;
}

static NOINLINE u32 multiply(int size, short offset) {
  u32 sum = 0;
  for (int row = 0; row < size; row++) {
    for (int column = 0; column < size; column++) {
      int cell = 0;
      for (int k = 0; k < size; k++) cell += (int)left[row * size + k] * (int)right[k * size + column];
      product[row * size + column] = cell + offset;
      sum += (u32)((cell >> 3) ^ (cell << 2));
    }
  }
  return sum;
}

static int is_digit(u8 c) { return c >= '0' && c <= '9'; }

/* Scans text for numbers and counts visits of each state. */
static NOINLINE u32 scan_numbers(const u8 *text, u32 length) {
  u32 state = 0, visits[8] = {0};
  for (u32 i = 0; i < length; i++) {
    u8 c = text[i];
    switch (state) {
      case 0:
        if (is_digit(c)) state = 1;
        else if (c == '+' || c == '-') state = 2;
        else if (c == '.') state = 3;
        else state = 7;
        break;
      case 1:
        if (c == '.') state = 3;
        else if (!is_digit(c)) state = c == 'e' ? 4 : 0;
        break;
      case 2: state = is_digit(c) ? 1 : c == '.' ? 3 : 7; break;
      case 3:
        if (c == 'e' || c == 'E') state = 4;
        else if (!is_digit(c)) state = 0;
        break;
      case 4: state = c == '+' || c == '-' ? 5 : 7; break;
      case 5: state = is_digit(c) ? 6 : 7; break;
      case 6:
        if (!is_digit(c)) state = 0;
        break;
      default: state = 0;
    }
    visits[state & 7]++;
  }
  u32 sum = 0;
  for (int i = 0; i < 8; i++) sum = sum * 31 + visits[i];
  return sum;
}

u64 run_mix(u32 rounds) {
  static const char alphabet[] = "0123456789+-.eE, x";
  u16 crc = 0;
  u32 sum = 0;
  random_state = 1;
  for (int i = 0; i < NODES; i++) {
    pool[i].next = i < NODES - 1 ? &pool[i + 1] : 0;
    pool[i].index = (u16)i;
    pool[i].value = (u16)(next_random() & 0xff);
  }
  for (int i = 0; i < MATRIX; i++) {
    left[i] = (short)next_random();
    right[i] = (short)(next_random() & 0xff);
  }
  for (int i = 0; i < 4096; i++) buffer_a[i] = (u8)alphabet[next_random() % 18];
  struct node *head = &pool[0];
  for (u32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < 40; i++) {
      struct node *found = find(head, (u16)((round * 7 + i) & 0xff));
      if (found) sum += found->index;
    }
    head = reverse(head);
    crc = crc16(sum, crc);
    sum += multiply(20, (short)round);
    crc = crc16(sum, crc);
    sum += scan_numbers(buffer_a, 2048);
    crc = crc16(sum, crc);
  }
  return (u64)crc << 32 | sum;
}
