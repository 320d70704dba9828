import { toolStatus } from './find.ts';
import type { HostToolName } from './tools.ts';

/** The part of a vitest test context that `requireTool` uses. */
export interface SkippableContext {
  readonly skip: (note?: string) => never;
}

/**
 * Path of a host tool, for use inside a test: `test('…', (context) => { const qemu = requireTool(context, 'qemu-system-x86_64'); … })`.
 * Without the tool the test is skipped, and its note names the tool and the command that brings it.
 */
export const requireTool = (context: SkippableContext, name: HostToolName): string => {
  const status = toolStatus(name);
  return status.available ? status.path : context.skip(status.reason);
};
