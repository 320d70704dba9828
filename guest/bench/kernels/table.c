#include "kernel.h"

u8 buffer_a[BUFFER_SIZE] PAGE_ALIGNED;
u8 buffer_b[BUFFER_SIZE] PAGE_ALIGNED;
u32 random_state = 0x12345678u;

const struct kernel kernels[] = {
    {"mix", run_mix, 9000, 0},        {"mem", run_mem, 1500, 0},         {"crc32", run_crc32, 800, 0},
    {"sha256", run_sha256, 1200, 0},  {"sort", run_sort, 45, 0},         {"muldiv", run_muldiv, 24000000, 0},
    {"rec", run_rec, 600, 0},         {"chase", run_chase, 8000000, 0},  {"interp", run_interp, 170000, 0},
    {"rep", run_rep, 1500, 0},        {0, 0, 0, 0},
};
