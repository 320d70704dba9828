// Unmodified Xen on unmodified OVMF runs alike in every engine, up to dom0's first instruction: the same trace, the same state.
import { readFileSync } from 'node:fs';
import { requireTool } from '@systab/host-tools';
import { expect, test } from 'vitest';
import { LAST_LINE, MEMORY, xenDisk } from '../../packages/platform-xen/test/oracle/xen-session.ts';
import { arraySource, createDiskImage, PcMachine } from '../../packages/x86-emu/src/index.ts';
import type { EngineChoice } from '../../packages/x86-emu/src/index.ts';
import { architecturalState } from '../../packages/x86-emu/test/agreement/architectural-state.ts';

const BUDGET = 4e9;

test('Xen boots alike in all engines', { timeout: 240_000 }, (context) => {
  requireTool(context, 'ovmf');
  const disk = xenDisk(readFileSync(requireTool(context, 'xen')));
  const [code, vars] = ['CODE', 'VARS'].map((part) =>
    readFileSync(`/usr/share/OVMF/OVMF_${part}_4M.fd`),
  );
  if (code === undefined || vars === undefined) throw new Error('OVMF has two images');
  const boot = (engine: EngineChoice): object => {
    let text = '';
    const pc: PcMachine = new PcMachine({
      memory: MEMORY,
      flash: [
        { image: code, readOnly: true },
        { image: vars, readOnly: false },
      ],
      disks: [createDiskImage(arraySource(disk))],
      engine,
      onSerial: (byte) => {
        text += String.fromCharCode(byte);
        if (text.endsWith(LAST_LINE)) pc.machine.stop({ kind: 'trap', reason: 'last line' });
      },
    });
    expect(pc.run({ budget: BUDGET }).kind).toBe('trap');
    return architecturalState(pc.machine);
  };
  const interpreted = boot('interpreter');
  for (const engine of ['translator', 'alternating'] as const)
    expect({ engine, ...boot(engine) }).toEqual({ engine, ...interpreted });
});
