/** Counts what the guest asks of devices, by the names of their ranges, from the machine's trace stream. */
import type { PcMachine, TraceEvent } from '@systab/x86-emu';

/** Accesses to one range of ports or registers. */
export interface AccessCount {
  readonly name: string;
  readonly accesses: number;
}

const PORTS = 0x1_0000;
const NOBODY = 'no device';

export class AccessCounter {
  readonly #pc: PcMachine;
  readonly #ports = new Float64Array(PORTS);
  readonly #registers = new Map<string, number>();
  /** Interrupts and exceptions delivered. */
  interrupts = 0;

  constructor(pc: PcMachine) {
    this.#pc = pc;
    pc.machine.hooks.trace = (event) => this.#take(event);
  }

  /** The busiest range first. Ports count for who owns them now: the guest moves some of them while it boots. */
  counts(): readonly AccessCount[] {
    const { ports } = this.#pc.pc;
    const totals = new Map(this.#registers);
    const add = (name: string, accesses: number): void => {
      if (accesses > 0) totals.set(name, (totals.get(name) ?? 0) + accesses);
    };
    const owned = new Uint8Array(PORTS);
    for (const { name, first, count } of ports.ranges()) {
      for (let port = first; port < first + count; port++) {
        if (owned[port] === 1) continue;
        owned[port] = 1;
        add(name, this.#ports[port] as number);
      }
    }
    this.#ports.forEach((accesses, port) => {
      if (owned[port] === 0) add(NOBODY, accesses);
    });
    return [...totals]
      .map(([name, accesses]) => ({ name, accesses }))
      .toSorted((a, b) => b.accesses - a.accesses);
  }

  #take({ kind, address }: TraceEvent): void {
    switch (kind) {
      case 'portRead':
      case 'portWrite':
        (this.#ports[address] as number)++;
        break;
      case 'ioRead':
      case 'ioWrite': {
        const name = this.#pc.pc.mmio.find(address)?.name ?? NOBODY;
        this.#registers.set(name, (this.#registers.get(name) ?? 0) + 1);
        break;
      }
      case 'interrupt':
        this.interrupts++;
        break;
    }
  }
}
