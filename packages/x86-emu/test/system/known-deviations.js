// Lines in which our machine still differs from what is expected. Each entry must really differ: a fix removes its entry.
export const KNOWN_DEVIATIONS = [
    {
        image: 'real-basics',
        name: 'int clears TF for the handler',
        reason: 'a single-step trap is taken after INT n although delivery cleared TF',
    },
    {
        image: 'real-basics',
        name: 'sysenter',
        reason: '#UD; SDM vol. 2, SYSENTER says #GP in real-address mode',
    },
    {
        image: 'protected-segments',
        name: 'write through CS',
        reason: 'a code segment is writable through a CS override; SDM vol. 3A 5.5',
    },
    {
        image: 'protected-paging',
        name: 'two levels: 4 MiB page with reserved bit 21',
        reason: 'bits from 21 down to the physical width are not checked; SDM vol. 3A table 4-4',
    },
    {
        image: 'protected-paging',
        name: 'PAE: reserved bit in a directory pointer',
        reason: 'MOV to CR3 does not check the directory pointers',
    },
    {
        image: 'protected-paging',
        name: 'PAE: reserved high bit in a table entry',
        reason: 'bits from the physical width up to 62 are not checked with PAE',
    },
    {
        image: 'long-paging',
        name: 'access that runs out of the canonical half',
        reason: 'only the first byte of an access is checked for canonical form',
    },
    {
        image: 'long-exceptions',
        name: 'single step into an int gate',
        reason: 'a single-step trap is taken after INT n although delivery cleared TF',
    },
    {
        image: 'long-exceptions',
        name: 'syscall with TF in FMASK',
        reason: 'the single-step trap of SYSCALL must look at TF after masking',
    },
    {
        image: 'long-exceptions',
        name: 'I/O breakpoint needs CR4.DE',
        reason: 'I/O breakpoints are missing',
    },
    {
        image: 'long-transfers',
        name: 'sysret, non-canonical RCX',
        reason: 'faults behind the transfer, as on AMD; the SDM demands #GP in ring 0',
    },
    {
        image: 'long-registers',
        name: 'mov to CR ignores mod of ModRM',
        reason: '#UD; SDM vol. 2, MOV CR ignores the two bits of mod',
    },
];
