/** What the exit code of `systab` says. */
export const exitCodes = {
  /** The command did what it says. */
  ok: 0,
  /** It ran, and found what it looks for: findings, unexplained differences. */
  findings: 1,
  /** An option, an argument or an input file is wrong. */
  usage: 2,
  /** The guest ended in a fault that it did not handle. */
  firmwareFault: 3,
  /** The flash contents no longer boot. */
  bricked: 4,
  /** The instruction budget ran out first. */
  budgetUsedUp: 5,
  /** A defect of systab itself. */
  internalError: 70,
} as const;

/** One of the exit codes above. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
