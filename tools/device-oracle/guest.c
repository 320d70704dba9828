// Script interpreter of the device oracle. Every operation is carried out on the real ports and memory of the
// machine below, and a 16-byte record (time stamp, operation, result) is written to the debug console.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct op {
    u32 code, addr, value;
};
enum { END, INB, INW, INL, OUTB, OUTW, OUTL, R8, R16, R32, W8, W16, W32, WAIT, STI, CLI, HLT, POLLB, IRQ };

static inline u64 now(void)
{
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}

static inline void out8(u16 port, u8 v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }

static void write_record(u64 t, u32 code, u32 value)
{
    u32 words[4] = {(u32)t, (u32)(t >> 32), code, value};
    u32 flags;
    __asm__ volatile("pushfl; popl %0; cli" : "=r"(flags));
    for (int i = 0; i < 16; i++)
        out8(0x402, ((u8 *)words)[i]);
    __asm__ volatile("pushl %0; popfl" ::"r"(flags) : "cc");
}

static void record(u64 t, u32 code, u32 value);

// An NMI can come in the middle of a record: it is noted in RAM and written after it.
static volatile u32 *const busy = (volatile u32 *)0x70000;
static volatile u32 *const noted = (volatile u32 *)0x70004;

void on_interrupt(u32 vector)
{
    if (*busy)
        *noted = vector;
    else
        record(now(), IRQ, vector);
}

static void record(u64 t, u32 code, u32 value)
{
    *busy = 1;
    write_record(t, code, value);
    *busy = 0;
    if (*noted) {
        u32 vector = *noted;
        *noted = 0;
        record(now(), IRQ, vector);
    }
}

static u32 perform(const struct op *o)
{
    u32 v = 0;
    u16 port = (u16)o->addr;
    switch (o->code) {
    case INB: __asm__ volatile("xorl %%eax, %%eax; inb %1, %%al" : "=a"(v) : "d"(port)); break;
    case INW: __asm__ volatile("xorl %%eax, %%eax; inw %1, %%ax" : "=a"(v) : "d"(port)); break;
    case INL: __asm__ volatile("inl %1, %0" : "=a"(v) : "d"(port)); break;
    case OUTB: out8(port, (u8)o->value); break;
    case OUTW: __asm__ volatile("outw %w0, %1" ::"a"(o->value), "d"(port)); break;
    case OUTL: __asm__ volatile("outl %0, %1" ::"a"(o->value), "d"(port)); break;
    case R8: v = *(volatile u8 *)o->addr; break;
    case R16: v = *(volatile u16 *)o->addr; break;
    case R32: v = *(volatile u32 *)o->addr; break;
    case W8: *(volatile u8 *)o->addr = (u8)o->value; break;
    case W16: *(volatile u16 *)o->addr = (u16)o->value; break;
    case W32: *(volatile u32 *)o->addr = o->value; break;
    case STI: __asm__ volatile("sti; nop"); break;
    case CLI: __asm__ volatile("cli"); break;
    case HLT: __asm__ volatile("sti; hlt; cli"); break;
    case WAIT:
        for (u64 end = now() + o->value; now() < end;)
            for (volatile int i = 0; i < 8; i++)
                ;
        break;
    case POLLB:
        do
            __asm__ volatile("xorl %%eax, %%eax; inb %1, %%al" : "=a"(v) : "d"(port));
        while ((v & o->value >> 8 & 0xff) != (o->value & 0xff));
        break;
    }
    return v;
}

void interpret(void)
{
    *busy = *noted = 0;
    for (const struct op *o = (const struct op *)0xfffc0000; o->code != END; o++) {
        u64 t = now();
        u32 v = perform(o);
        record(o->code == HLT || o->code == POLLB ? now() : t, o->code, v);
    }
    record(now(), END, 0);
}
