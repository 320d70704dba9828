/* Runs the kernels of the 64-bit image in Unicorn, flat and without paging: "E name checksum nanoseconds" per kernel.
   Arguments: image, divisor, selection. The image is loaded as its multiboot header says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicorn/unicorn.h>

#define LOAD_ADDRESS 0x100000
#define MEMORY (128u << 20)
#define STACK 0x7000000
#define RETURN_ADDRESS 0x6ff0000
#define TABLE_OFFSET 52 /* in the header, behind the signature */

static void check(uc_err error, const char *what) {
  if (error == UC_ERR_OK) return;
  fprintf(stderr, "%s: %s\n", what, uc_strerror(error));
  exit(1);
}

static unsigned long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  static unsigned char image[1 << 20];
  FILE *file = fopen(argv[1], "rb");
  if (!file) return 2;
  size_t size = fread(image, 1, sizeof image, file);
  unsigned divisor = (unsigned)strtoul(argv[2], 0, 0), selection = (unsigned)strtoul(argv[3], 0, 0), table;
  memcpy(&table, image + TABLE_OFFSET, 4);
  uc_engine *engine;
  check(uc_open(UC_ARCH_X86, UC_MODE_64, &engine), "open");
  check(uc_mem_map(engine, 0, MEMORY, UC_PROT_ALL), "map");
  check(uc_mem_write(engine, LOAD_ADDRESS, image, size), "load");
  for (unsigned i = 0;; i++) {
    struct {
      unsigned long long name, run;
      unsigned rounds, reserved;
    } kernel;
    char name[32] = {0};
    check(uc_mem_read(engine, table + i * sizeof kernel, &kernel, sizeof kernel), "table");
    if (!kernel.name) break;
    if (!(selection >> i & 1)) continue;
    check(uc_mem_read(engine, kernel.name, name, sizeof name - 1), "name");
    unsigned long long sp = STACK - 8, to = RETURN_ADDRESS, rounds = kernel.rounds / divisor, checksum;
    if (rounds == 0) rounds = 1;
    check(uc_mem_write(engine, sp, &to, sizeof to), "stack");
    uc_reg_write(engine, UC_X86_REG_RSP, &sp);
    uc_reg_write(engine, UC_X86_REG_RDI, &rounds);
    unsigned long long start = nanoseconds();
    check(uc_emu_start(engine, kernel.run, to, 0, 0), name);
    unsigned long long elapsed = nanoseconds() - start;
    uc_reg_read(engine, UC_X86_REG_RAX, &checksum);
    printf("E %s %016llx %llu\n", name, checksum, elapsed);
    fflush(stdout);
  }
  puts("DONE");
  return 0;
}
