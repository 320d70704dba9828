/** Data and I/O breakpoints of the debug registers, which trap after the access (SDM Vol. 3B, section 17.2.4). */
import type { CpuState } from '../cpu/cpu-state.ts';
import { armedBreakpoints } from '../cpu/debug-registers.ts';
import type { Ports } from '../cpu/helper.ts';

export class DebugHits {
  /** Bits of DR6 for the breakpoints hit since the instruction began. */
  bits = 0;
  readonly #state: CpuState;

  constructor(state: CpuState) {
    this.#state = state;
  }

  /** Any breakpoint is armed. */
  get armed(): boolean {
    return armedBreakpoints(this.#state).length > 0;
  }

  /** A data access at a linear address: it hits if it overlaps an armed range (section 17.2.5). */
  memoryAccess(linear: bigint, bytes: number, write: boolean): void {
    for (const b of armedBreakpoints(this.#state)) {
      if (b.kind !== 'access' && !(b.kind === 'write' && write)) continue;
      if (linear < b.linear + BigInt(b.length) && b.linear < linear + BigInt(bytes))
        this.bits |= 1 << b.index;
    }
  }

  /** The same ports, watched. */
  watchPorts(ports: Ports): Ports {
    const access = (bytes: number, port: number): void => {
      if ((this.#state.low('dr7') & 0xff) === 0) return;
      for (const b of armedBreakpoints(this.#state)) {
        const first = Number(b.linear & 0xffffn);
        if (b.kind === 'io' && port < first + b.length && first < port + bytes)
          this.bits |= 1 << b.index;
      }
    };
    return {
      read: (bytes, port) => {
        access(bytes, port);
        return ports.read(bytes, port);
      },
      write: (bytes, port, value) => {
        access(bytes, port);
        ports.write(bytes, port, value);
      },
    };
  }
}
