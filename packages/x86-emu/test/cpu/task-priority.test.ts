import { expect, test } from 'vitest';
import { CR0, CR4, EFER } from '../../src/cpu/control-bits.ts';
import { flatSegment } from '../../src/cpu/segments.ts';
import { PcMachine } from '../../src/pc/pc-machine.ts';

const CODE = 0x10000;
const PML4 = 0x20000;
const PDPT = 0x21000;
const TPR = 0xfee0_0080;
const MIB = 1 << 20;

test('CR8 of a PC is the local APIC’s task priority, both ways (SDM 11.8.6)', () => {
  const image = new Uint8Array(64 * 1024);
  const { machine } = new PcMachine({ memory: 16 * MIB, flash: [{ image, readOnly: true }] });
  const quad = (value: number): Uint8Array => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes;
  };
  machine.memory.write(PML4, quad(PDPT | 3));
  for (let i = 0; i < 4; i++) machine.memory.write(PDPT + i * 8, quad(i * 2 ** 30 + 0x83));
  // mov cr8, rax; mov ebx, [rsi]; mov dword [rsi], 0x50; mov rcx, cr8
  const code = Buffer.from('440F22C08B1EC70650000000440F20C1', 'hex');
  machine.memory.write(CODE, code);
  const { state } = machine;
  state.setBig('cr0', BigInt(CR0.PE) | BigInt(CR0.PG));
  state.setBig('cr3', BigInt(PML4));
  state.setBig('cr4', BigInt(CR4.PAE));
  state.setBig('efer', BigInt(EFER.LME | EFER.LMA));
  state.setSegment('cs', flatSegment(8, 'code64', 0));
  state.setGpr(0, 0xan);
  state.setGpr(6, BigInt(TPR));
  state.setBig('rip', BigInt(CODE));
  machine.stateChanged();
  expect(machine.run({ budget: 100, until: BigInt(CODE + code.length) })).toEqual({
    kind: 'until',
  });
  expect(machine.readRegister('rbx')).toBe(0xa0n);
  expect(machine.readRegister('rcx')).toBe(5n);
});
