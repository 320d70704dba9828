/** Whether a program may use a port: CPL against IOPL, then the I/O permission bitmap of the TSS (SDM Vol. 1, section 19.5). */
import { SYSTEM_TYPE, wrapLinear } from './descriptor.ts';
import { ioPrivilege } from './flags.ts';
import { VECTOR } from './helper.ts';
import type { Cpu } from './helper.ts';
import { isProtected, isVirtual8086 } from './mode.ts';

/** Offset of the bitmap's offset in a 32- or 64-bit TSS. */
const MAP_BASE = 0x66;

/** Raises #GP(0) unless the ports `port` to `port + bytes - 1` are allowed. */
export const checkPort = (cpu: Cpu, port: number, bytes: 1 | 2 | 4): void => {
  const { state } = cpu;
  if (!isProtected(state)) return;
  if (state.get('cpl') <= ioPrivilege(state) && !isVirtual8086(state)) return;
  const tr = state.segment('tr');
  const type = tr.attributes & 0x1f;
  const suitable = type === SYSTEM_TYPE.tss || type === SYSTEM_TYPE.tssBusy;
  if (!suitable || tr.limit < MAP_BASE + 1) cpu.fault(VECTOR.GP, 0);
  const field = (offset: number): number =>
    Number(cpu.memory.read(2, wrapLinear(state, tr.base + BigInt(offset)), 'system'));
  // Two bytes are read, for a port's bits may lie in both: the map ends with a byte of ones.
  const at = field(MAP_BASE) + (port >> 3);
  if (at + 1 > tr.limit) cpu.fault(VECTOR.GP, 0);
  if (field(at) & (((1 << bytes) - 1) << (port & 7))) cpu.fault(VECTOR.GP, 0);
};
