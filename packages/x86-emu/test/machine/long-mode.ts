/** Puts a machine into 64-bit code with the first 16 MiB identity-mapped by 2 MiB pages that user code may use, tables at 0x10000. */
import type { Machine } from '../../src/index.ts';

export const FLAT_CODE = 8;
export const FLAT_DATA = 16;
const TABLES = 0x1_0000;

export const enterLongMode = (machine: Machine): void => {
  const tables = new DataView(new ArrayBuffer(3 * 4096));
  tables.setBigUint64(0, BigInt(TABLES + 4096) | 7n, true);
  tables.setBigUint64(4096, BigInt(TABLES + 8192) | 7n, true);
  for (let i = 0; i < 8; i++)
    tables.setBigUint64(8192 + i * 8, BigInt(i * 0x20_0000) | 0x87n, true);
  machine.memory.write(TABLES, new Uint8Array(tables.buffer));
  // Null, 64-bit code, data.
  const descriptors = new BigUint64Array([0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]);
  machine.memory.write(0x8000, new Uint8Array(descriptors.buffer));
  machine.state.setBig('gdtrBase', 0x8000n);
  machine.state.set('gdtrLimit', 23);
  machine.state.setBig('efer', 0x500n);
  machine.writeRegister('cr4', 0x620n);
  machine.writeRegister('cr3', BigInt(TABLES));
  machine.writeRegister('cr0', 0x8001_0033n);
  const limit = 0xffff_ffff;
  machine.setSegment('cs', { selector: FLAT_CODE, base: 0n, limit, attributes: 0xa09b });
  for (const name of ['ss', 'ds', 'es'] as const)
    machine.setSegment(name, { selector: FLAT_DATA, base: 0n, limit, attributes: 0xc093 });
};
