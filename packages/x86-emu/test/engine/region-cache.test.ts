// The translated regions of a machine are bounded: the oldest make room, and their code runs on as before.
import { expect, it } from 'vitest';
import { CODE, createBareEngine } from './bare-engine.ts';

const PAGE = 4096;
/** Each is the head of a loop, and so an entry. */
const LOOPS = 80;
const PAGES = 100;
const MOST_ENTRIES = 4096;

/** mov ecx, 3; l: inc eax; dec ecx; jnz l, many times; hlt */
const code = Uint8Array.from([
  ...Array.from({ length: LOOPS }, () => [
    ...[0xb9, 3, 0, 0, 0, 0xff, 0xc0],
    ...[0xff, 0xc9, 0x75, 0xfa],
  ]).flat(),
  0xf4,
]);
const INSTRUCTIONS = LOOPS * (1 + 3 * 3);

it('drops the oldest regions when there are too many', { timeout: 60_000 }, () => {
  const engine = createBareEngine();
  const runPage = (page: number): void => {
    engine.state.setBig('rip', BigInt(CODE + page * PAGE));
    engine.state.setGpr(0, 0n);
    engine.translateHere();
    engine.execute(INSTRUCTIONS);
    expect(engine.state.gpr(0)).toBe(BigInt(LOOPS * 3));
    expect(engine.state.big('rip')).toBe(BigInt(CODE + page * PAGE + code.length - 1));
  };
  for (let page = 0; page < PAGES; page++) {
    engine.physical.write(CODE + page * PAGE, code);
    runPage(page);
    const { entries, dropped } = engine.hotSpots.statistics;
    expect(entries - dropped).toBeLessThanOrEqual(MOST_ENTRIES);
  }
  const { entries, evicted } = engine.hotSpots.statistics;
  expect(entries).toBeGreaterThan(MOST_ENTRIES);
  expect(evicted).toBeGreaterThan(10);
  runPage(0);
});
