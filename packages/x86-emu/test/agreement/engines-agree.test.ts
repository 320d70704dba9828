// Whole systems in every engine: the same trace, the same instruction count, the same memory and registers in the end.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PcMachine } from '../../src/index.ts';
import type { EngineChoice, Machine } from '../../src/index.ts';
import { firmware, oracleOptions } from '../pc/booted-ovmf.ts';
import { createMachineDriver } from '../silicon/machine-driver.ts';
import { describeResults, readFamily, replay, totals, vectorFamilies } from '../silicon/replay.ts';
import { TEST_IMAGES } from '../system/images.ts';
import { runRom } from '../system/rom-machine.ts';
import { architecturalState } from './architectural-state.ts';

const OTHERS: readonly EngineChoice[] = ['translator', 'alternating'];
const MILLION = 1e6;

/** Regions translated by the system programs. */
const regions: Record<EngineChoice, number> = { interpreter: 0, translator: 0, alternating: 0 };

describe.each(TEST_IMAGES)('system program $name', (image) => {
  const rom = new Uint8Array(
    readFileSync(new URL(`../system/images/${image.name}.bin`, import.meta.url)),
  );
  const run = (engine: EngineChoice): object => {
    const { text, exit, machine } = runRom(rom, image, 50 * MILLION, engine);
    regions[engine] += machine.statistics.translated.regions;
    return { text, exit, state: architecturalState(machine) };
  };
  it('runs alike in all engines', { timeout: 60_000 }, () => {
    const interpreted = run('interpreter');
    for (const engine of OTHERS)
      expect({ engine, ...run(engine) }).toEqual({ engine, ...interpreted });
  });
});

it('had translated code to compare', () => {
  expect(regions.interpreter).toBe(0);
  expect(regions.alternating).toBeGreaterThan(1000);
});

/** Every so many of the recorded cases: each becomes a module of its own where it is translated. */
const STRIDE = 23;

describe('recorded instructions, translated one by one', () => {
  it.each(vectorFamilies())('%s', { timeout: 60_000 }, (family) => {
    let at = 0;
    const filter = (): boolean => at++ % STRIDE === 0;
    const results = replay(readFamily(family), createMachineDriver('alternating'), { filter });
    expect(describeResults(results, false)).toBe('');
    expect(totals(results).passed).toBeGreaterThan(50);
  });
});

describe('OVMF', () => {
  // The prompt of the shell comes some millions later.
  const END = 770 * MILLION;
  it('boots alike in all engines, up to its shell', { timeout: 240_000 }, (context) => {
    const options = oracleOptions(firmware(context));
    const boot = (engine: EngineChoice): object => {
      const pc = new PcMachine({ ...options, engine });
      const machine: Machine = pc.machine;
      while (machine.retired < END) pc.run({ budget: END - machine.retired });
      expect(machine.statistics.translated.regions > 0).toBe(engine !== 'interpreter');
      return architecturalState(machine);
    };
    const interpreted = boot('interpreter');
    for (const engine of OTHERS)
      expect({ engine, ...boot(engine) }).toEqual({ engine, ...interpreted });
  });
});
