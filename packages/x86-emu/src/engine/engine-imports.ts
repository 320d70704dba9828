/** What WebAssembly imports from TypeScript (`IMPORTS` in `runtime-functions.ts`): helpers, memory-mapped I/O, checks off the fast path. */
import { Fault } from '../cpu/helper.ts';
import type { Cpu } from '../cpu/helper.ts';
import type { CpuState } from '../cpu/cpu-state.ts';
import { slowPathFunction } from '../cpu/slow-path.ts';
import type { IoSize, PhysicalMemory } from './physical-memory.ts';

export interface ImportParts {
  readonly state: CpuState;
  readonly physical: PhysicalMemory;
  readonly cpu: () => Cpu;
  readonly helper: (index: number, record: number) => number;
  readonly codeWritten: (physical: number, bytes: number) => void;
  readonly watched: (physical: number, bytes: number, write: boolean) => void;
  readonly debugAccess: (linear: bigint, bytes: number, write: boolean) => void;
  readonly ioAccess: (physical: number, bytes: number, value: number, write: boolean) => void;
  readonly unclaimed: (bytes: number) => number;
  /** Tells the machine of the exception that the state describes; true to stop. */
  readonly announce: () => boolean;
  /** Describes a fault in the state. */
  readonly raise: (vector: number, errorCode: number | undefined) => void;
}

export const createImports = (parts: ImportParts): WebAssembly.ModuleImports => {
  const { state, physical } = parts;
  const address = (): number => Number(state.big('slowAddress'));
  /** Turns a thrown fault into one that is described in the state. */
  const raiseFault = (error: unknown): void => {
    if (!(error instanceof Fault)) throw error;
    parts.raise(error.vector, error.errorCode);
  };
  const readIo = (at: number, size: IoSize): number => {
    const value = physical.readIo(at, size, parts.unclaimed(size));
    parts.ioAccess(at, size, value, false);
    return value;
  };
  const writeIo = (at: number, size: IoSize, value: number): void => {
    parts.ioAccess(at, size, value, true);
    physical.writeIo(at, size, value);
  };
  return {
    helper: parts.helper,
    readIo: (bytes: number): number => {
      const at = address();
      if (bytes !== 8) return readIo(at, bytes as IoSize);
      const low = readIo(at, 4);
      state.set('slowHigh', readIo(at + 4, 4));
      return low;
    },
    writeIo: (bytes: number): void => {
      const at = address();
      const low = state.get('slowLow');
      const high = state.get('slowHigh');
      if (bytes === 8) {
        writeIo(at, 4, low);
        writeIo(at + 4, 4, high);
      } else writeIo(at, bytes as IoSize, bytes === 4 ? low : low & (2 ** (bytes * 8) - 1));
    },
    codeWritten: (bytes: number): void => parts.codeWritten(address(), bytes),
    watchedAccess: (bytes: number, write: number): void =>
      parts.watched(address(), bytes, write !== 0),
    debugAccess: (bytes: number, write: number): void =>
      parts.debugAccess(state.big('slowAddress'), bytes, write !== 0),
    segmentCheck: (segment: number, bytes: number, write: number): void => {
      try {
        const access = write ? 'write' : 'read';
        const linear = parts.cpu().linear(segment, state.big('slowAddress'), bytes, access);
        state.setBig('slowAddress', linear);
      } catch (error) {
        raiseFault(error);
      }
    },
    slowPath: (number: number, a: number, b: number, c: number): number => {
      try {
        return slowPathFunction(number)(parts.cpu(), a, b, c);
      } catch (error) {
        raiseFault(error);
        return 0;
      }
    },
    announce: (): number => (parts.announce() ? 1 : 0),
  };
};
