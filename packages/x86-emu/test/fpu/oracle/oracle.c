/*
 * Runs single floating-point instructions on the host CPU: 384-byte records from stdin, the same
 * records with the state afterwards to stdout. The layout is declared once, in case-record.ts.
 * The instruction finds its memory operand at [rdi]; the record's code has no RET of its own.
 * A context switch at the wrong moment clears FOP, FIP and FDP; record.ts repeats cases that differ.
 *
 * gcc -O1 -o oracle oracle.c && ./oracle < cases > results
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct record {
    uint8_t code[16];
    uint8_t code_length;
    uint8_t trap; /* out: x86 vector + 1, or 0 */
    uint8_t pad[6];
    uint32_t mxcsr;
    uint32_t pad2;
    uint64_t rflags;
    uint64_t rax;
    struct {
        uint16_t fcw, fsw;
        uint8_t ftw, reserved;
        uint16_t fop;
        uint64_t fip, fdp;
    } x87;
    uint8_t pad3[8];
    uint8_t st[8][16];
    uint8_t xmm[3][16];
    uint8_t memory[128];
};

_Static_assert(sizeof(struct record) == 384, "case-record.ts knows this size");

static uint8_t image[512] __attribute__((aligned(64)));
/* Fixed places, because FIP and FDP are results. */
static uint8_t *const code = (uint8_t *)0x10000000;
static uint8_t *const memory = (uint8_t *)0x10001000;
static uint64_t rflags, rax;
static volatile int trap;

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;
    trap = (int)g[REG_TRAPNO] + 1;
    g[REG_RIP] = *(uint64_t *)g[REG_RSP];
    g[REG_RSP] += 8;
}

static void execute(void)
{
    __asm__ volatile(
        "sub $128, %%rsp\n\t"
        "fxrstor64 (%[image])\n\t"
        "mov %[memory], %%rdi\n\t"
        "pushq %[rflags]\n\t"
        "mov %[rax], %%rax\n\t"
        "popfq\n\t"
        "call *%[code]\n\t"
        "pushfq\n\t"
        "fxsave64 (%[image])\n\t"
        "popq %[rflags]\n\t"
        "mov %%rax, %[rax]\n\t"
        "fninit\n\t"
        "add $128, %%rsp\n\t"
        : [rflags] "+m"(rflags), [rax] "+m"(rax)
        : [image] "r"(image), [memory] "r"(memory), [code] "r"(code)
        : "rax", "rdi", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
          "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    uint32_t calm = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(calm));
}

int main(void)
{
    static char stack[1 << 16];
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (mmap(code, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != code) {
        perror("mmap");
        return 1;
    }
    static struct record batch[4096];
    size_t n;
    while ((n = fread(batch, sizeof *batch, 4096, stdin)) > 0) {
        for (size_t i = 0; i < n; i++) {
            struct record *r = &batch[i];
            memset(image, 0, sizeof image);
            memcpy(image, &r->x87, 24);
            memcpy(image + 24, &r->mxcsr, 4);
            memcpy(image + 32, r->st, 128);
            memcpy(image + 160, r->xmm, 48);
            memcpy(memory, r->memory, sizeof r->memory);
            memcpy(code, r->code, 16);
            code[r->code_length] = 0xc3;
            rflags = r->rflags;
            rax = r->rax;
            trap = 0;
            execute();
            r->trap = (uint8_t)trap;
            memcpy(&r->x87, image, 24);
            memcpy(&r->mxcsr, image + 24, 4);
            memcpy(r->st, image + 32, 128);
            memcpy(r->xmm, image + 160, 48);
            memcpy(r->memory, memory, sizeof r->memory);
            r->rflags = rflags;
            r->rax = rax;
        }
        if (fwrite(batch, sizeof *batch, n, stdout) != n) return 1;
    }
    return 0;
}
