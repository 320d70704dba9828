// Debian's other builds of OVMF, as far as they go.
import { describe, expect, test } from 'vitest';
import { exitCodes, runCli } from '@systab/cli';
import { requireTool } from '@systab/host-tools';

const FOLDER = '/usr/share/OVMF';

const boot = async (code: string, vars: string) => {
  let out = '';
  const exitCode = await runCli(
    [
      ...['--json', 'boot', '--no-cache'],
      ...['--code', `${FOLDER}/${code}`, '--vars', `${FOLDER}/${vars}`],
    ],
    { out: (text) => (out += text), err: () => undefined, colour: false },
  );
  const report = JSON.parse(out) as {
    readonly verdict: string;
    readonly phases: readonly { readonly phase: string }[];
  };
  return { exitCode, verdict: report.verdict, phases: report.phases.map(({ phase }) => phase) };
};

describe('OVMF', { timeout: 240_000 }, () => {
  test('of 2 MiB boots to its shell', async (context) => {
    requireTool(context, 'ovmf');
    expect(await boot('OVMF_CODE.fd', 'OVMF_VARS.fd')).toEqual({
      exitCode: exitCodes.ok,
      verdict: 'the shell waits for a command',
      phases: ['SEC', 'PEI', 'DXE', 'BDS', 'shell'],
    });
  });

  // PlatformPei asserts that there is SMM, which this machine does not have, and gives up.
  test.for([
    ['OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.ms.fd'],
    ['OVMF_CODE.secboot.fd', 'OVMF_VARS.ms.fd'],
  ] as const)(
    'with Secure Boot, %s, says where it gives up for want of SMM',
    async ([code, vars], context) => {
      requireTool(context, 'ovmf');
      const { exitCode, verdict, phases } = await boot(code, vars);
      expect({ exitCode, phases }).toEqual({
        exitCode: exitCodes.firmwareFault,
        phases: ['SEC', 'PEI'],
      });
      expect(verdict).toMatch(
        /^the guest gave up: a loop without effect, interrupts off, at 0x\w+ \(PlatformPei\+0x\w+\)/,
      );
    },
  );
});
