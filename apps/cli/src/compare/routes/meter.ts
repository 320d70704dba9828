/** Counts what a route costs, and keeps its events. */
import type { Machine } from '@systab/x86-emu';
import { NO_COST } from '../route.ts';
import type { Cost, RouteEvent } from '../route.ts';

export class Meter {
  readonly #machine: Machine;
  readonly #start: number;
  #counted: Omit<Cost, 'bytes'> = NO_COST;
  #events: RouteEvent[] = [];

  /** Starts at nothing. */
  constructor(machine: Machine) {
    this.#machine = machine;
    this.#start = machine.memory.transferred;
  }

  get cost(): Cost {
    return { ...this.#counted, bytes: this.#machine.memory.transferred - this.#start };
  }

  count({ hypercalls = 0, crossings = 0, instructions = 0 }: Partial<Omit<Cost, 'bytes'>>): void {
    this.#counted = {
      hypercalls: this.#counted.hypercalls + hypercalls,
      crossings: this.#counted.crossings + crossings,
      instructions: this.#counted.instructions + instructions,
    };
  }

  event(event: RouteEvent): void {
    this.#events.push(event);
  }

  takeEvents(): readonly RouteEvent[] {
    const taken = this.#events;
    this.#events = [];
    return taken;
  }
}
