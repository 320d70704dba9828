/* sort: quicksort that compares through a function pointer, and heapsort. */
#include "kernel.h"

#define COUNT 20000

typedef int (*comparison)(u32, u32);

static int compare(u32 a, u32 b) { return a < b ? -1 : a > b; }

/* Read through a volatile so that the call stays indirect. */
static comparison volatile chosen = compare;

static NOINLINE void quicksort(u32 *values, int left, int right, comparison order) {
  while (left < right) {
    u32 pivot = values[(left + right) >> 1];
    int i = left, j = right;
    while (i <= j) {
      while (order(values[i], pivot) < 0) i++;
      while (order(values[j], pivot) > 0) j--;
      if (i <= j) {
        u32 value = values[i];
        values[i] = values[j];
        values[j] = value;
        i++;
        j--;
      }
    }
    if (j - left < right - i) {
      quicksort(values, left, j, order);
      left = i;
    } else {
      quicksort(values, i, right, order);
      right = j;
    }
  }
}

static void sift_down(u32 *values, int root, int end) {
  for (int child; (child = 2 * root + 1) < end; root = child) {
    if (child + 1 < end && values[child] < values[child + 1]) child++;
    if (values[root] >= values[child]) return;
    u32 value = values[root];
    values[root] = values[child];
    values[child] = value;
  }
}

static NOINLINE void heapsort(u32 *values, int count) {
  for (int start = count / 2 - 1; start >= 0; start--) sift_down(values, start, count);
  for (int end = count - 1; end > 0; end--) {
    u32 value = values[0];
    values[0] = values[end];
    values[end] = value;
    sift_down(values, 0, end);
  }
}

u64 run_sort(u32 rounds) {
  u32 *values = (u32 *)buffer_a;
  u64 sum = 0;
  for (u32 round = 0; round < rounds; round++) {
    random_state = 5 + round;
    for (int i = 0; i < COUNT; i++) values[i] = next_random();
    quicksort(values, 0, COUNT - 1, chosen);
    sum = sum * 31 + values[77] + values[COUNT - 1];
    random_state = 9 + round;
    for (int i = 0; i < COUNT; i++) values[i] = next_random();
    heapsort(values, COUNT);
    sum = sum * 31 + values[123];
  }
  return sum;
}
