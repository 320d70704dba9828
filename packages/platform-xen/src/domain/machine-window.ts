/** Machine memory as the domain may see it: frames mapped into a few pages of its own, through update_va_mapping. */
import type { XenResult } from './hypercall.ts';
import { xenDone, xenOk } from './hypercall.ts';
import { PTE, UVMF_INVLPG } from '../abi/memory-op.ts';
import { DOM0_LAYOUT } from '../boot/dom0-kernel.ts';
import type { Dom0 } from './dom0.ts';

const PAGE = 4096;
const READABLE = PTE.PRESENT | PTE.USER | PTE.ACCESSED;
const WRITABLE = READABLE | PTE.WRITABLE | PTE.DIRTY;

/** What a page of the window shows. */
interface Slot {
  readonly frame: number;
  readonly writable: boolean;
}

/** The window of a domain; pages are taken in turn. */
export class MachineWindow {
  readonly #dom0: Dom0;
  readonly #slots: (Slot | undefined)[] = Array.from({ length: DOM0_LAYOUT.windowPages });
  #next = 0;

  constructor(dom0: Dom0) {
    this.#dom0 = dom0;
  }

  /** Bytes of machine memory. A failure is the hypervisor's: the frame is not the domain's to see. */
  read(at: number, length: number): XenResult<Uint8Array> {
    const bytes = new Uint8Array(length);
    return (
      this.#walk(at, length, false, (virtual, offset, count) =>
        bytes.set(this.#dom0.load(virtual, count), offset),
      ) ?? xenOk(bytes)
    );
  }

  /** Stores bytes in machine memory. */
  write(at: number, bytes: Uint8Array): XenResult<void> {
    return (
      this.#walk(at, bytes.length, true, (virtual, offset, count) =>
        this.#dom0.store(virtual, bytes.subarray(offset, offset + count)),
      ) ?? xenOk(undefined)
    );
  }

  #walk(
    at: number,
    length: number,
    writable: boolean,
    visit: (virtual: bigint, offset: number, count: number) => void,
  ): Extract<XenResult<never>, { readonly ok: false }> | undefined {
    for (let offset = 0; offset < length;) {
      const address = at + offset;
      const inside = address % PAGE;
      const count = Math.min(length - offset, PAGE - inside);
      const page = this.#map(Math.floor(address / PAGE), writable);
      if (!page.ok) return page;
      visit(page.value + BigInt(inside), offset, count);
      offset += count;
    }
    return undefined;
  }

  /** Address of the page that shows a frame. */
  #map(frame: number, writable: boolean): XenResult<bigint> {
    const known = this.#slots.findIndex(
      (slot) => slot?.frame === frame && (slot.writable || !writable),
    );
    const index = known >= 0 ? known : this.#next;
    const virtual = DOM0_LAYOUT.window + BigInt(index * PAGE);
    if (known >= 0) return xenOk(virtual);
    const entry = BigInt(frame * PAGE) | (writable ? WRITABLE : READABLE);
    const done = xenDone(this.#dom0.hypercall('update_va_mapping', [virtual, entry, UVMF_INVLPG]));
    if (!done.ok) return done;
    this.#slots[index] = { frame, writable };
    this.#next = (index + 1) % this.#slots.length;
    return xenOk(virtual);
  }
}
