/** Routes: the ways a call can travel from the generic layer to the firmware. */
import type { System } from '../system.ts';

/** The designs of the review, in the order of a report; everything is compared with the first. */
export const ROUTE_NAMES = ['direct', 'ops', 'systab', 'efi-call'] as const;
export type RouteName = (typeof ROUTE_NAMES)[number];

/** Where a domain's memory map comes from: nowhere, the hypervisor's E820 map, or the firmware's own through the hypervisor. */
export const MEMORY_MAPS = ['absent', 'machine', 'firmware'] as const;
export type MemoryMapChoice = (typeof MEMORY_MAPS)[number];

/** What travelling costs. */
export interface Cost {
  readonly hypercalls: number;
  /** Times control was passed to another party by its calling convention. */
  readonly crossings: number;
  /** Instructions of the guest: firmware, hypervisor, stubs. */
  readonly instructions: number;
  /** Bytes that TypeScript wrote to the guest's memory and read from it. */
  readonly bytes: number;
}

export const NO_COST: Cost = { hypercalls: 0, crossings: 0, instructions: 0, bytes: 0 };

/** `later` less `earlier`. */
export const costBetween = (earlier: Cost, later: Cost): Cost => ({
  hypercalls: later.hypercalls - earlier.hypercalls,
  crossings: later.crossings - earlier.crossings,
  instructions: later.instructions - earlier.instructions,
  bytes: later.bytes - earlier.bytes,
});

/** One call, for a timeline. */
export interface RouteEvent {
  /** `GetVariable`, `platform_op`. */
  readonly name: string;
  /** How it went across: `ms-x64`, `hypercall`. */
  readonly through: string;
  readonly outcome: string;
  readonly instructions: number;
  /** Lines of a trace; empty where there is none. */
  readonly trace: readonly string[];
}

/** A system that was brought up on a route. */
export interface RouteSystem {
  readonly system: System;
  /** Everything so far. */
  readonly cost: () => Cost;
  /** Calls since the last time this was asked. */
  readonly takeEvents: () => readonly RouteEvent[];
}

/** One way to bring a system up. */
export interface Route {
  readonly name: RouteName;
  /** Who proposed it, and what it is. */
  readonly origin: string;
  readonly boot: () => RouteSystem;
  /** Lines of code beyond bare metal that it needs. */
  readonly platformLines: () => number;
}
