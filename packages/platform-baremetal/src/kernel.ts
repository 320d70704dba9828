import {
  EFI_PAGE_SIZE,
  efiFail,
  EFI_DONE,
  EfiStatus,
  MemoryType,
  memoryDescriptorEnd,
  pagesFor,
  physAddr,
  virtAddr,
} from '@systab/efi-core';
import type {
  EfiResult,
  MemoryMap,
  MemoryMapLocation,
  PageMapping,
  PhysAddr,
  Width,
} from '@systab/efi-core';
import { callGuest } from '@systab/x86-emu';
import type { Machine, VmExit } from '@systab/x86-emu';
import type { KernelEnvironment } from './environment.ts';
import { MIXED_MODE_THUNK } from './image/programs.ts';
import { bytesOfBase64 } from './image/trap-stub.ts';
import { PageAllocator } from './page-allocator.ts';
import { PageTable } from './page-table.ts';
import { containExceptions, descriptorTable, enterKernel } from './processor.ts';
import type { MixedModeLayout } from './transfer.ts';

/** Pages the kernel takes from the firmware for itself: its tables and stack, and what calls need before it knows the memory map. */
export const KERNEL_PAGES = 256;
/** Whether a kernel could have its pages at an address. */
export const hasKernelPages = (machine: Machine, base: PhysAddr): boolean =>
  base % EFI_PAGE_SIZE === 0 &&
  machine.memory.regions.some(
    ({ kind, base: from, length }) =>
      kind === 'ram' && from <= base && base + KERNEL_PAGES * EFI_PAGE_SIZE <= from + length,
  );

/** UEFI 2.10, section 2.3.4: 128 KiB, or more, of available stack space. */
const STACK_PAGES = 33;
const GIB = 2 ** 30;
const ONE_MIB = 0x10_0000n;
const FOUR_GIB = 2n ** 32n;

/** Addresses from `from` on, below `to`. */
interface Span {
  readonly from: bigint;
  readonly to: bigint;
}

/** What two spans have in common; nothing when that is empty. */
const common = (left: Span, right: Span): readonly Span[] => {
  const from = left.from > right.from ? left.from : right.from;
  const to = left.to < right.to ? left.to : right.to;
  return from < to ? [{ from, to }] : [];
};

/** What the kernel starts from once the firmware has let go. */
export interface KernelStart {
  readonly machine: Machine;
  /** Width of the firmware; 64 where there is none. */
  readonly width: Width;
  /** Where `KERNEL_PAGES` pages below 4 GiB are the kernel's. */
  readonly base: PhysAddr;
  /** Undefined on a machine that EFI firmware did not boot. */
  readonly systemTable: PhysAddr | undefined;
  /** The map as the firmware left it. */
  readonly memoryMap: (MemoryMap & { readonly bytes: Uint8Array }) | undefined;
}

/**
 * The operating system's side of the machine after ExitBootServices: its memory, the processor's state while it runs, and
 * the page table that firmware is called with.
 */
export class Kernel implements KernelEnvironment {
  readonly machine: Machine;
  readonly width: Width;
  readonly systemTable: PhysAddr | undefined;
  readonly memoryMap: MemoryMapLocation | undefined;
  readonly mixedMode: MixedModeLayout;
  readonly stackTop: PhysAddr;
  readonly #allocator: PageAllocator = new PageAllocator();
  readonly #gdt: PhysAddr;
  readonly #identity: PageTable;
  readonly #own: { readonly start: PhysAddr; readonly pages: number }[] = [];
  #firmware: PageTable | undefined;

  /** Takes the processor over. Throws `RangeError` when the start has no room for what the kernel needs. */
  constructor(start: KernelStart) {
    const { machine, base, memoryMap } = start;
    this.machine = machine;
    this.width = start.width;
    this.systemTable = start.systemTable;
    this.#own.push({ start: base, pages: KERNEL_PAGES });
    this.#allocator.add(BigInt(base), BigInt(base) + BigInt(KERNEL_PAGES * EFI_PAGE_SIZE));
    this.#gdt = this.#take(1);
    this.write(this.#gdt, descriptorTable());
    this.stackTop = this.#above(this.#take(STACK_PAGES), STACK_PAGES);
    const thunk = this.#take(2);
    this.write(thunk, bytesOfBase64(MIXED_MODE_THUNK));
    this.mixedMode = { thunk, frame: this.#above(thunk, 1) };
    this.#identity = this.#identityMap();
    if (memoryMap !== undefined) {
      const { bytes, descriptorSize, descriptorVersion } = memoryMap;
      const address = this.#take(pagesFor(bytes.length));
      this.write(address, bytes);
      this.memoryMap = { address, size: bytes.length, descriptorSize, descriptorVersion };
      for (const descriptor of memoryMap.descriptors)
        if (descriptor.type === MemoryType.EfiConventionalMemory)
          this.addMemory(descriptor.physicalStart, memoryDescriptorEnd(descriptor));
    }
    this.enter();
  }

  /** Puts the processor back into the kernel's state, wherever a call left it. */
  enter(): void {
    const { machine, stackTop } = this;
    enterKernel(machine, { gdt: this.#gdt, pageTable: this.#identity.root, stackTop });
  }

  /** Runs `work` with the page table that firmware is called with; before one is installed, on the kernel's own: all memory 1:1. */
  inFirmwareSpace<T>(work: () => T): T {
    const table = this.#firmware;
    if (table === undefined) return work();
    this.machine.writeRegister('cr3', BigInt(table.root));
    const result = work();
    this.machine.writeRegister('cr3', BigInt(this.#identity.root));
    return result;
  }

  /** Runs `work` with exceptions ending the run: the kernel has no interrupt table. */
  contain<T>(work: () => T): T {
    return containExceptions(this.machine, work);
  }

  /**
   * Makes memory available, as far as it is RAM the kernel can reach, from 1 MiB to 4 GiB, and not its own: a map that calls that free
   * is wrong.
   */
  addMemory(from: bigint, to: bigint): void {
    let free = common({ from: ONE_MIB, to: FOUR_GIB }, { from, to });
    for (const { start, pages } of this.#own) {
      const taken = BigInt(start);
      const above = taken + BigInt(pages * EFI_PAGE_SIZE);
      free = free.flatMap((span) => [
        ...common(span, { from: 0n, to: taken }),
        ...common(span, { from: above, to: FOUR_GIB }),
      ]);
    }
    for (const { kind, base, length } of this.machine.memory.regions) {
      if (kind !== 'ram') continue;
      const ram = { from: BigInt(base), to: BigInt(base + length) };
      for (const span of free.flatMap((one) => common(one, ram)))
        this.#allocator.add(span.from, span.to);
    }
  }

  /** Pages, zeroed, and mapped 1:1 for the firmware too. */
  allocate(pages: number, below?: bigint): EfiResult<PhysAddr> {
    const got = this.#allocator.allocate({ pages, ...(below === undefined ? {} : { below }) });
    if (!got.ok) return got;
    this.write(got.value, new Uint8Array(pages * EFI_PAGE_SIZE));
    this.#own.push({ start: got.value, pages });
    if (this.#firmware !== undefined) {
      try {
        this.#firmware.map(this.#ownMapping(got.value, pages));
      } catch (error) {
        if (error instanceof RangeError) return this.#noPages(error);
        throw error;
      }
      this.#firmware.store();
    }
    return got;
  }

  /** Gives pages of `allocate` back. */
  free(at: PhysAddr, pages: number): EfiResult<void> {
    const known = this.#own.findIndex((own) => own.start === at && own.pages === pages);
    if (known <= 0) {
      return efiFail(EfiStatus.INVALID_PARAMETER, { why: 'these pages were not allocated' });
    }
    this.#own.splice(known, 1);
    this.#allocator.add(BigInt(at), BigInt(at) + BigInt(pages * EFI_PAGE_SIZE));
    return EFI_DONE;
  }

  /** Replaces the page table for firmware calls: these mappings, and the kernel's own pages 1:1 for arguments and the stack. */
  installFirmwareTable(mappings: readonly PageMapping[]): EfiResult<void> {
    const previous = this.#firmware;
    let table: PageTable | undefined;
    try {
      table = this.#table();
      for (const mapping of mappings) table.map(mapping);
      // Last: 32-bit firmware is given all low memory besides, as data.
      for (const { start, pages } of this.#own) table.map(this.#ownMapping(start, pages));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#release(table);
      return this.#noPages(error);
    }
    table.store();
    this.#firmware = table;
    this.#release(previous);
    return EFI_DONE;
  }

  /** Bytes of physical memory; undefined where there is none. */
  read(at: PhysAddr, length: number): Uint8Array | undefined {
    return this.#isMemory(at, length) ? this.machine.memory.read(at, length) : undefined;
  }

  /** Stores bytes; false where there is no memory to write. */
  write(at: PhysAddr, bytes: Uint8Array): boolean {
    if (!this.#isMemory(at, bytes.length, true)) return false;
    this.machine.memory.write(at, bytes);
    return true;
  }

  /** Takes every page that touches a range out of what may be handed out. */
  reserve(from: bigint, to: bigint): void {
    this.#allocator.reserve(from, to);
  }

  /** Writes a byte to a port, as code of the kernel: what it sets off is in the exit. */
  writePort(port: number, value: number): VmExit {
    // mov dx, port; mov al, value; out dx, al; ret
    const code = Uint8Array.of(0x66, 0xba, port & 0xff, port >>> 8, 0xb0, value, 0xee, 0xc3);
    this.write(this.mixedMode.frame, code);
    return callGuest(this.machine, 'sysv-x64', BigInt(this.mixedMode.frame)).exit;
  }

  /** Whether all of a range is memory. */
  #isMemory(at: number, length: number, writable = false): boolean {
    let from = at;
    for (const { kind, base, length: size } of this.machine.memory.regions) {
      if (from >= at + length) break;
      if (base > from || base + size <= from || kind === 'mmio' || (writable && kind === 'rom'))
        continue;
      from = base + size;
    }
    return from >= at + length;
  }

  #identityMap(): PageTable {
    const table = this.#table();
    for (let gib = 0; gib < 4; gib += 1) {
      const phys = physAddr(gib * GIB);
      const virt = virtAddr(BigInt(gib * GIB));
      if (phys === undefined || virt === undefined) throw new Error('4 GiB are addressable');
      const pages = GIB / EFI_PAGE_SIZE;
      table.map({ virt, phys, pages, writable: true, executable: true, cached: true });
    }
    table.store();
    return table;
  }

  #ownMapping(phys: PhysAddr, pages: number): PageMapping {
    const virt = virtAddr(BigInt(phys));
    if (virt === undefined) throw new Error('a physical address is a virtual one');
    // The thunk for 32-bit firmware is code among these pages.
    return { virt, phys, pages, writable: true, executable: this.width === 32, cached: true };
  }

  #table(): PageTable {
    return new PageTable({
      allocate: () => {
        const page = this.#allocator.allocate({ pages: 1, below: FOUR_GIB });
        return page.ok ? page.value : undefined;
      },
      write: (at, bytes) => this.write(at, bytes),
    });
  }

  #release(table: PageTable | undefined): void {
    for (const page of table?.pages ?? [])
      this.#allocator.add(BigInt(page), BigInt(page) + BigInt(EFI_PAGE_SIZE));
  }

  #noPages(error: RangeError): EfiResult<never> {
    return efiFail(EfiStatus.OUT_OF_RESOURCES, { why: error.message });
  }

  #take(pages: number): PhysAddr {
    const got = this.#allocator.allocate({ pages, below: FOUR_GIB });
    if (!got.ok) throw new RangeError(`the kernel's ${String(KERNEL_PAGES)} pages do not do`);
    return got.value;
  }

  #above(at: PhysAddr, pages: number): PhysAddr {
    const end = physAddr(at + pages * EFI_PAGE_SIZE);
    if (end === undefined) throw new Error('these pages end beyond physical memory');
    return end;
  }
}
