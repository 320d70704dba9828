import { describe, expect, test } from 'vitest';
import { exitCodes } from '@systab/cli';
import { systab } from './run-systab.ts';

interface Result {
  readonly output: string;
  readonly instructions: number;
  readonly traceHash: string;
}

// What QEMU prints for the same image: scripts/test/demo-guest.test.ts.
const output = [
  'hello from long mode, page tables at 0x1000',
  'primes below 4000000: 283146',
  'pages mapped on demand: 977',
  '',
].join('\n');

describe('systab demo', () => {
  test('two runs give the same bytes, the same count and the same trace hash', async () => {
    const runs = [await systab('demo', '--json'), await systab('--json', 'demo')];
    const [first, second] = runs.map(({ exitCode, out, err }) => {
      expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok, err: '' });
      const { output: text, instructions, traceHash } = JSON.parse(out) as Result;
      return { output: text, instructions, traceHash };
    });
    expect(first?.output).toBe(output);
    expect(first?.traceHash).toMatch(/^[0-9a-f]{16}$/);
    expect(second).toEqual(first);
  });

  test('people read the guest, its speed and its trace hash', async () => {
    const { exitCode, out } = await systab('demo');
    expect(exitCode).toBe(exitCodes.ok);
    expect(out).toContain(output);
    expect(out).toMatch(/^executed +\d+ instructions in \d+\.\d\d s$/m);
    expect(out).toMatch(/^trace hash +[0-9a-f]{16}$/m);
  });

  test('a budget that is too small is a verdict of its own', async () => {
    const { exitCode, err } = await systab('demo', '--budget', '1000');
    expect(exitCode).toBe(exitCodes.budgetUsedUp);
    expect(err).toBe('systab: --budget: 1000 instructions were not enough for the guest to end\n');
  });

  test.each(['0', '-1', '1.5', '1e9', 'many', '', '9007199254740992'])(
    'a budget of "%s" is refused',
    async (budget) => {
      const { exitCode, out, err } = await systab('demo', `--budget=${budget}`);
      expect({ exitCode, out }).toEqual({ exitCode: exitCodes.usage, out: '' });
      expect(err).toContain(`expected a whole number of instructions`);
      expect(err).toContain(`'${budget}'`);
    },
  );
});
