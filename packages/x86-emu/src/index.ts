export { callGuest } from './call/call-guest.ts';
export type { Breach, CallOptions, CallResult } from './call/call-guest.ts';
export { CALLING_CONVENTIONS } from './call/convention.ts';
export type { CallingConvention, CallingConventionName } from './call/convention.ts';
export { ATTRIBUTE } from './cpu/cpu-state.ts';
export type { CpuState, Segment } from './cpu/cpu-state.ts';
export { DEFAULT_PROFILE, QEMU64_PROFILE } from './cpu/cpuid-profile.ts';
export type { CpuProfile } from './cpu/cpuid-profile.ts';
export type { InterruptEvent } from './cpu/interrupts.ts';
export type { Msr } from './cpu/msr.ts';
export type { SegmentName } from './cpu/state-layout.ts';
export { arraySource, createDiskImage, SECTOR_SIZE } from './device/disk-image.ts';
export type { DiskImage, SectorSource } from './device/disk-image.ts';
export { createDisassembler } from './disassembler.ts';
export type { DisassembledInstruction, Disassembler } from './disassembler.ts';
export { MapError } from './engine/physical-memory.ts';
export type {
  IoHandler,
  IoSize,
  PhysicalMemory,
  Region,
  RegionKind,
} from './engine/physical-memory.ts';
export { createMachine } from './machine.ts';
export type { TranslatorStatistics } from './engine/hot-spots.ts';
export type { Attachment, EngineStatistics, Machine, RunOptions } from './machine.ts';
export type { Breakpoints } from './machine/breakpoints.ts';
export type { Hooks, MemoryAccess, Watch } from './machine/hooks.ts';
export { MAX_RAM } from './machine/options.ts';
export type { EngineChoice, MachineOptions } from './machine/options.ts';
export type { PortSpace } from './machine/port-space.ts';
export type { RegisterName } from './machine/registers.ts';
export { SnapshotError, snapshotFromBytes, snapshotToBytes } from './machine/snapshot.ts';
export type { Crc32, SnapshotContents, StateObject, StateValue } from './machine/snapshot.ts';
export type { TraceEvent } from './machine/trace-hash.ts';
export type { Timer, VirtualClock } from './machine/virtual-clock.ts';
export type { VmExit } from './machine/vm-exit.ts';
export type { KernelOptions } from './pc/kernel-items.ts';
export { PcMachine } from './pc/pc-machine.ts';
export type { PcMachineOptions } from './pc/pc-machine.ts';
