/**
 * The initial domain's kernel: a PV kernel without code, for the code is TypeScript. An ELF file with the notes that Xen's domain
 * builder asks for, one segment, and an entry point at which the host takes over.
 *
 * Everything it uses lies above `DOM0_VIRT_BASE`, where no machine has memory, and below 2^52: a number is either a machine address or
 * an address of this domain, and both are a `PhysAddr`.
 */

/** Where the domain's address space begins: the VIRT_BASE of its notes. */
export const DOM0_VIRT_BASE = 0x40_0000_0000n;

const PAGE = 0x1000;
const WINDOW_PAGES = 16;
const HEAP_PAGES = 1024;

/** Where things are in the image, in bytes from its beginning. */
const OFFSET = { entry: 0, hypercallPage: PAGE, window: 2 * PAGE, heap: (2 + WINDOW_PAGES) * PAGE };

/** The parts of the domain's image, by virtual address. */
export const DOM0_LAYOUT: {
  /** First instruction; never executed. */
  readonly entry: bigint;
  /** 128 stubs of 32 bytes, written by the hypervisor. */
  readonly hypercallPage: bigint;
  /** Pages whose mappings the domain changes, to look at machine memory. */
  readonly window: bigint;
  readonly windowPages: number;
  /** Memory for arguments and tables. */
  readonly heap: bigint;
  readonly heapPages: number;
} = Object.freeze({
  entry: DOM0_VIRT_BASE + BigInt(OFFSET.entry),
  hypercallPage: DOM0_VIRT_BASE + BigInt(OFFSET.hypercallPage),
  window: DOM0_VIRT_BASE + BigInt(OFFSET.window),
  windowPages: WINDOW_PAGES,
  heap: DOM0_VIRT_BASE + BigInt(OFFSET.heap),
  heapPages: HEAP_PAGES,
});

/** Types of the notes that belong to "Xen" (xen/include/public/elfnote.h). */
const ELFNOTE = {
  ENTRY: 1,
  HYPERCALL_PAGE: 2,
  VIRT_BASE: 3,
  PADDR_OFFSET: 4,
  XEN_VERSION: 5,
  GUEST_OS: 6,
  LOADER: 8,
} as const;

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const ET_EXEC = 2;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_RWX = 7;
const PF_R = 4;
const UD2 = [0x0f, 0x0b];
const INT3 = 0xcc;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

const word64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
};

const align4 = (length: number): number => (length + 3) & ~3;

/** One note: sizes, type, owner, and the value padded to four bytes (ELF gABI, chapter 5). */
const note = (type: number, value: Uint8Array): Uint8Array => {
  const owner = ascii('Xen');
  const bytes = new Uint8Array(12 + align4(owner.length) + align4(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, owner.length, true);
  view.setUint32(4, value.length, true);
  view.setUint32(8, type, true);
  bytes.set(owner, 12);
  bytes.set(value, 12 + align4(owner.length));
  return bytes;
};

const notes = (): Uint8Array => {
  const list = [
    note(ELFNOTE.XEN_VERSION, ascii('xen-3.0')),
    note(ELFNOTE.GUEST_OS, ascii('systab')),
    note(ELFNOTE.LOADER, ascii('generic')),
    note(ELFNOTE.VIRT_BASE, word64(DOM0_VIRT_BASE)),
    note(ELFNOTE.PADDR_OFFSET, word64(0n)),
    note(ELFNOTE.ENTRY, word64(DOM0_LAYOUT.entry)),
    note(ELFNOTE.HYPERCALL_PAGE, word64(DOM0_LAYOUT.hypercallPage)),
  ];
  const bytes = new Uint8Array(list.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of list) {
    bytes.set(one, at);
    at += one.length;
  }
  return bytes;
};

interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

const writeProgramHeader = (view: DataView, at: number, header: ProgramHeader): void => {
  view.setUint32(at, header.type, true);
  view.setUint32(at + 4, header.flags, true);
  view.setBigUint64(at + 8, BigInt(header.offset), true);
  view.setBigUint64(at + 16, header.virtualAddress, true);
  view.setBigUint64(at + 24, header.physicalAddress, true);
  view.setBigUint64(at + 32, BigInt(header.fileSize), true);
  view.setBigUint64(at + 40, BigInt(header.memorySize), true);
  view.setBigUint64(at + 48, BigInt(header.align), true);
};

/** The kernel as an ELF file. */
export const dom0Kernel = (): Uint8Array => {
  const noteBytes = notes();
  const loadOffset = PAGE;
  const loadSize = OFFSET.window;
  const bytes = new Uint8Array(loadOffset + loadSize);
  const view = new DataView(bytes.buffer);
  const noteOffset = EHDR_SIZE + 2 * PHDR_SIZE;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64-bit, little endian, version 1
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, EM_X86_64, true);
  view.setUint32(20, 1, true); // e_version
  view.setBigUint64(24, DOM0_LAYOUT.entry, true);
  view.setBigUint64(32, BigInt(EHDR_SIZE), true); // e_phoff
  view.setUint16(52, EHDR_SIZE, true);
  view.setUint16(54, PHDR_SIZE, true);
  view.setUint16(56, 2, true); // e_phnum
  view.setUint16(58, 64, true); // e_shentsize
  writeProgramHeader(view, EHDR_SIZE, {
    type: PT_LOAD,
    flags: PF_RWX,
    offset: loadOffset,
    virtualAddress: DOM0_VIRT_BASE,
    physicalAddress: 0n,
    fileSize: loadSize,
    memorySize: OFFSET.heap + HEAP_PAGES * PAGE,
    align: PAGE,
  });
  writeProgramHeader(view, EHDR_SIZE + PHDR_SIZE, {
    type: PT_NOTE,
    flags: PF_R,
    offset: noteOffset,
    virtualAddress: 0n,
    physicalAddress: 0n,
    fileSize: noteBytes.length,
    memorySize: noteBytes.length,
    align: 4,
  });
  bytes.set(noteBytes, noteOffset);
  bytes.set(UD2, loadOffset + OFFSET.entry);
  bytes.fill(INT3, loadOffset + OFFSET.hypercallPage, loadOffset + OFFSET.hypercallPage + PAGE);
  return bytes;
};
