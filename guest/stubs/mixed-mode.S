// Calls 32-bit firmware from 64-bit code: into compatibility mode, cdecl call, and back (SDM Vol. 1, 3.1; Vol. 3A, 5.8.1).
// Position-independent, at the start of a page below 4 GiB; the page behind it holds the frame of the call, apart from the code:
#define FUNCTION 0
#define STACK 4
#define COUNT 8
#define CODE32 12
#define DATA32 16
#define SAVED_STACK 24
#define BEFORE 32 /* EBX EBP ESI EDI ESP at the call, for whoever checks the contract */
#define AFTER 52
#define CODE64 72
#define ARGUMENTS 76
#define FRAME 4096
// Gives EAX, zero-extended.

  .globl _start
  .code64
_start:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov %ss, %eax
  push %rax
  lea _start + FRAME(%rip), %rdi
  mov %rsp, SAVED_STACK(%rdi)
  mov %cs, CODE64(%rdi)
  mov STACK(%rdi), %esp
  mov CODE32(%rdi), %eax
  push %rax
  lea compatibility(%rip), %rax
  push %rax
  lretq

  .code32
compatibility:
  movl DATA32(%edi), %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl COUNT(%edi), %ecx
1:
  testl %ecx, %ecx
  jz 2f
  decl %ecx
  pushl ARGUMENTS(%edi, %ecx, 4)
  jmp 1b
2:
  movl $0x65627800, %ebx
  movl $0x65627000, %ebp
  movl $0x65736900, %esi
  movl %ebx, BEFORE(%edi)
  movl %ebp, BEFORE + 4(%edi)
  movl %esi, BEFORE + 8(%edi)
  movl %edi, BEFORE + 12(%edi)
  movl %esp, BEFORE + 16(%edi)
  call *FUNCTION(%edi)
  // Nothing but EIP can be trusted from here on.
  movl %esp, %ecx
  // The frame of the call stays as it was, for whoever looks at it.
  subl $32, %esp
  call 3f
3:
  popl %edx
  leal _start + FRAME - 3b(%edx), %edx
  movl %ebx, AFTER(%edx)
  movl %ebp, AFTER + 4(%edx)
  movl %esi, AFTER + 8(%edx)
  movl %edi, AFTER + 12(%edx)
  movl %ecx, AFTER + 16(%edx)
  movl %edx, %edi
  call 4f
4:
  popl %edx
  pushl CODE64(%edi)
  addl $long_mode - 4b, %edx
  pushl %edx
  lretl

  .code64
long_mode:
  mov %edi, %edi
  mov SAVED_STACK(%rdi), %rsp
  mov %eax, %eax
  pop %rcx
  mov %ecx, %ss
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
