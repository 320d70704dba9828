/** An engine with nothing around it, in 64-bit code with identity-mapped pages: RAM 0-4 MiB, page tables at 1 MiB, code at 2 MiB. */
import { DEFAULT_PROFILE } from '../../src/cpu/cpuid-profile.ts';
import { createMsrs } from '../../src/cpu/msr.ts';
import { resetCpuState } from '../../src/cpu/reset.ts';
import { Engine } from '../../src/engine/engine.ts';

const MIB = 1 << 20;
const TABLES = MIB;
export const CODE = 2 * MIB;
/** A page of data, followed by one that is not present. */
export const DATA = 3 * MIB;

const PRESENT_WRITABLE = 3n;

export const createBareEngine = (): Engine => {
  const engine = new Engine(
    { memory: 8 * MIB, profile: DEFAULT_PROFILE },
    {
      ports: { read: () => 0, write: () => {} },
      msrs: createMsrs(DEFAULT_PROFILE),
      timeStamp: () => 0n,
      entropy: () => 0n,
      watched: () => {},
      unclaimed: (bytes) => 2 ** (bytes * 8) - 1,
      // Faults are what a test looks at, not what it handles.
      interrupting: () => true,
      ioAccess: () => {},
    },
  );
  engine.physical.mapMemory('ram', 0, 4 * MIB, 'ram');
  const tables = new DataView(new ArrayBuffer(4 * 4096));
  const entry = (table: number, index: number, value: bigint): void =>
    tables.setBigUint64(table * 4096 + index * 8, value, true);
  entry(0, 0, BigInt(TABLES + 4096) | PRESENT_WRITABLE);
  entry(1, 0, BigInt(TABLES + 8192) | PRESENT_WRITABLE);
  entry(2, 0, BigInt(0x80) | PRESENT_WRITABLE);
  entry(2, 1, BigInt(TABLES + 12288) | PRESENT_WRITABLE);
  for (let i = 0; i < 512; i++)
    if (CODE + i * 4096 !== DATA + 4096) entry(3, i, BigInt(CODE + i * 4096) | PRESENT_WRITABLE);
  engine.physical.write(TABLES, new Uint8Array(tables.buffer));

  const { state } = engine;
  resetCpuState(state, DEFAULT_PROFILE);
  state.setBig('cr0', 0x8001_0033n);
  state.setBig('cr3', BigInt(TABLES));
  state.setBig('cr4', 0x620n);
  state.setBig('efer', 0xd01n);
  state.setSegment('cs', { selector: 8, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b });
  for (const name of ['ss', 'ds', 'es'] as const)
    state.setSegment(name, { selector: 16, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
  engine.resetTranslations();
  return engine;
};

/** Translates the region at RIP and executes `count` instructions; gives how many instructions were translated. */
export const executeTranslated = (engine: Engine, count: number): number => {
  const { instructions } = engine.hotSpots.statistics;
  engine.translateHere();
  engine.execute(count);
  return engine.hotSpots.statistics.instructions - instructions;
};
