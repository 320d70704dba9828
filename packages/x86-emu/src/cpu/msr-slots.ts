/** Places of model-specific registers in the CPU state's slots (`MSR_SLOTS` of state-layout.ts). Each constant is a first slot. */
export const MSR_SLOT = {
  /** IA32_MTRR_PHYSBASE0, PHYSMASK0, PHYSBASE1, …: 16. */
  mtrrVariable: 0,
  /** The 11 fixed-range MTRRs in the order of their addresses. */
  mtrrFixed: 16,
  mtrrDefault: 27,
  miscEnable: 28,
  machineCheckStatus: 29,
  machineCheckControl: 30,
  /** CTL, STATUS, ADDR and MISC of each bank: 40. */
  machineCheckBanks: 32,
  hardwareConfiguration: 72,
  systemConfiguration: 73,
  decodeConfiguration: 74,
} as const;

export const MACHINE_CHECK_BANKS = 10;

/** CR8 is a register of the local APIC: it stands among the machine's registers under an index that RDMSR cannot name. */
export const TASK_PRIORITY: number = 2 ** 32;
