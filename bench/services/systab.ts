// Our layer on a firmware in our machine: the same calls through variables and guarded services.
import { fileURLToPath } from 'node:url';

import type { ConfigurationName } from '../../tools/linux-oracle/src/index.ts';
import { runProgram } from '../peers/child.ts';
import type { ServiceRun, Timed } from './run.ts';
import type { CallKind } from './work.ts';

const CHILD = fileURLToPath(new URL('systab-child.ts', import.meta.url));

/** Boots and makes every kind of call, in a fresh process. */
export const runOurServices = async (
  firmware: ConfigurationName,
  quick: boolean,
): Promise<ServiceRun> => {
  const started = performance.now();
  let facts = 0;
  const output = await runProgram(
    process.execPath,
    [CHILD, firmware, quick ? 'quick' : 'full'],
    (text) => {
      if (text.includes('FACTS')) facts = (performance.now() - started) / 1e3;
    },
  );
  const calls: Partial<Record<CallKind, Timed>> = {};
  for (const line of output.split('\n').filter((text) => text.startsWith('{'))) {
    const { kind, timed } = JSON.parse(line) as { readonly kind: CallKind; readonly timed: Timed };
    calls[kind] = timed;
  }
  return { facts, calls };
};
