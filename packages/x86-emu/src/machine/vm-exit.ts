/** Why `Machine.run` came back. Values, never exceptions: a guest can cause every one of them. */
export type VmExit =
  /** The budget is used up. */
  | { readonly kind: 'budget' }
  /** RIP is the `until` address, which has not been executed. */
  | { readonly kind: 'until' }
  /** RIP is at a breakpoint, which has not been executed. */
  | { readonly kind: 'breakpoint'; readonly rip: bigint }
  /** HLT, and nothing is left that could wake the processor. */
  | { readonly kind: 'halt' }
  /** A third fault during delivery of a double fault; RIP is where the first fault was. */
  | { readonly kind: 'tripleFault'; readonly rip: bigint; readonly vector: number }
  /** An exception that an interrupt hook kept from being delivered. */
  | {
      readonly kind: 'exception';
      readonly vector: number;
      readonly errorCode: number | undefined;
      readonly rip: bigint;
    }
  /** An access that nothing claims, on a machine whose `unclaimed` option is `exit`. */
  | {
      readonly kind: 'unclaimed';
      readonly space: 'port' | 'memory';
      readonly address: number;
      readonly bytes: number;
      readonly write: boolean;
      readonly rip: bigint;
    }
  /** A handler or hook called `Machine.stop` with this reason. */
  | { readonly kind: 'trap'; readonly reason: string }
  /** A device switched the machine off, or asked for a reset (of everything, or INIT of the processor alone) that its owner is to carry out. */
  | {
      readonly kind: 'shutdown';
      readonly event: 'off' | 'reset' | 'init';
      readonly source: string;
    };
