// Everything about Xen: boots, hypercalls, and calls through the routes.
import { existsSync } from 'node:fs';

import { hostTools } from '../../tools/host-tools/src/tools.ts';
import { measureXenBoots } from './boots.ts';
import type { XenBootResults } from './boots.ts';
import { measureCalls } from './calls.ts';
import type { CallResult } from './calls.ts';

export interface XenResults {
  readonly boots: XenBootResults;
  readonly calls: readonly CallResult[];
}

/** All of it; a reason instead where that is not possible. */
export const measureXen = async (
  rounds: number,
  quick: boolean,
  progress: (text: string) => void,
): Promise<XenResults | string> => {
  if (process.platform !== 'linux') return 'its CPU time is read from /proc';
  const { file = '', apt } = hostTools.xen;
  if (!existsSync(file)) return `no ${file}: apt install ${apt}`;
  try {
    return {
      boots: await measureXenBoots(rounds, quick, progress),
      calls: await measureCalls(rounds, quick, progress),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    progress('');
  }
};
