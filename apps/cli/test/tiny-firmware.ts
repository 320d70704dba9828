// A firmware of 64 KiB that prints the shell's prompt and does what single keys say: boots in microseconds.

const SIZE = 0x1_0000;
const MESSAGE = 0x200;
const RESET_VECTOR = 0xfff0;
const BASE = 0xffff_0000;
const GDT = 0x300;
const ROUTINE = 0x400;
const ROUTINE_COPY = 0x7000;

/** Offset of an erased byte that `w` programs. */
export const PROGRAMMED = 0x8000;

const word = (value: number): readonly number[] => [value & 0xff, (value >>> 8) & 0xff];
const double = (value: number): readonly number[] => [...word(value), ...word(value >>> 16)];

/** 32-bit code that runs from RAM, for the chip answers with its status meanwhile: program 0x42, read array, hlt. */
const routine = (): readonly number[] => {
  const put = (byte: number): readonly number[] => [0xc6, 0x05, ...double(BASE + PROGRAMMED), byte];
  // mov ax, 16; mov ds, ax
  return [0x66, 0xb8, 16, 0, 0x8e, 0xd8, ...put(0x10), ...put(0x42), ...put(0xff), 0xf4];
};

/** Builds 16-bit code with jumps to labels. */
class Assembler {
  readonly bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly at: number; readonly label: string }[] = [];

  label(name: string): this {
    this.#labels.set(name, this.bytes.length);
    return this;
  }

  code(...bytes: readonly number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  /** A jump with a displacement of 8 bits. */
  jump(opcode: number, label: string): this {
    this.bytes.push(opcode, 0);
    this.#jumps.push({ at: this.bytes.length, label });
    return this;
  }

  finish(): readonly number[] {
    for (const { at, label } of this.#jumps)
      this.bytes[at - 1] = ((this.#labels.get(label) as number) - at) & 0xff;
    return this.bytes;
  }
}

const JMP = 0xeb;
const JZ = 0x74;

/**
 * Prints `greeting` and `Shell> `, then echoes what is typed; Enter gives a new prompt. `h` halts for good, `d` loops for good, `t` ends in a triple fault,
 * `r` resets, `w` programs 0x42 into the byte at `PROGRAMMED` of the image and halts.
 * With `asksForKernel` it first prints the low byte of the kernel's size as fw_cfg gives it.
 */
export const tinyFirmware = (greeting = 'hello\r\n', asksForKernel = false): Uint8Array => {
  const asm = new Assembler();
  if (asksForKernel)
    asm
      // mov dx, 0x510; mov ax, 8; out dx, ax; inc dx; in al, dx; mov dx, 0x3f8; out dx, al
      .code(0xba, ...word(0x510), 0xb8, ...word(8), 0xef, 0x42, 0xec)
      .code(0xba, ...word(0x3f8), 0xee);
  asm
    // mov si, MESSAGE; mov dx, 0x3f8
    .code(0xbe, ...word(MESSAGE), 0xba, 0xf8, 0x03)
    .label('print')
    // lodsb cs:[si]; test al, al
    .code(0x2e, 0xac, 0x84, 0xc0)
    .jump(JZ, 'poll')
    .code(0xee)
    .jump(JMP, 'print')
    .label('poll')
    // mov dx, 0x3fd; in al, dx; test al, 1
    .code(0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01)
    .jump(JZ, 'poll')
    // mov dx, 0x3f8; in al, dx; out dx, al
    .code(0xba, 0xf8, 0x03, 0xec, 0xee);
  const onKey = (key: string, label: string): Assembler =>
    asm.code(0x3c, key.charCodeAt(0)).jump(JZ, label);
  onKey('h', 'halt');
  onKey('d', 'loop');
  onKey('t', 'fault');
  onKey('r', 'reset');
  onKey('w', 'program');
  onKey('\r', 'prompt');
  const bytes = asm
    .jump(JMP, 'poll')
    .label('halt')
    .code(0xfa, 0xf4)
    .label('loop')
    // pause
    .code(0xf3, 0x90)
    .jump(JMP, 'loop')
    .label('fault')
    // lidt cs:[MESSAGE - 16], all zeros; int3
    .code(0x2e, 0x0f, 0x01, 0x1e, ...word(MESSAGE - 16), 0xcc)
    .label('reset')
    // mov dx, 0xcf9; mov al, 6; out dx, al; hlt
    .code(0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4)
    .label('program')
    // xor ax, ax; mov es, ax; mov si, ROUTINE; mov di, ROUTINE_COPY; mov cx, 64; rep movsb es:[di], cs:[si]
    .code(0x31, 0xc0, 0x8e, 0xc0, 0xbe, ...word(ROUTINE), 0xbf, ...word(ROUTINE_COPY))
    .code(0xb9, 64, 0, 0xf3, 0x2e, 0xa4)
    // lgdt cs:[GDT]; mov eax, cr0; or al, 1; mov cr0, eax; jmp 8:ROUTINE_COPY
    .code(0x2e, 0x66, 0x0f, 0x01, 0x16, ...word(GDT), 0x0f, 0x20, 0xc0, 0x0c, 0x01)
    .code(0x0f, 0x22, 0xc0, 0x66, 0xea, ...double(ROUTINE_COPY), 8, 0)
    .label('prompt')
    // mov si, the prompt; mov dx, 0x3f8
    .code(0xbe, ...word(MESSAGE + greeting.length))
    .code(0xba, 0xf8, 0x03)
    .jump(JMP, 'print')
    .finish();
  const image = new Uint8Array(SIZE);
  image.set(bytes);
  image.set(new TextEncoder().encode(`${greeting}Shell> \0`), MESSAGE);
  image.set([...word(23), ...double(BASE + GDT + 8)], GDT);
  image.set([0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0], GDT + 16);
  image.set([0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0], GDT + 24);
  image.set(routine(), ROUTINE);
  image[PROGRAMMED] = 0xff;
  // jmp 0
  image.set([0xe9, 0x0d, 0x00], RESET_VECTOR);
  return image;
};
