/* Runs the same kernels as a host process: "E name checksum nanoseconds" per kernel. Arguments: divisor, selection. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernels/kernel.h"

static u64 nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

int main(int argc, char **argv) {
  u32 divisor = argc > 1 ? (u32)strtoul(argv[1], 0, 0) : 1;
  u32 selection = argc > 2 ? (u32)strtoul(argv[2], 0, 0) : ~0u;
  for (u32 i = 0; kernels[i].name; i++) {
    if (!(selection >> i & 1)) continue;
    u64 start = nanoseconds();
    u64 checksum = kernels[i].run(scaled_rounds(&kernels[i], divisor));
    printf("E %s %016llx %llu\n", kernels[i].name, checksum, nanoseconds() - start);
    fflush(stdout);
  }
  puts("DONE");
  return 0;
}
