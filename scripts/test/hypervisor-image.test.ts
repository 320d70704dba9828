// The committed image of the hypervisor is what its sources build.
import { requireTool } from '@systab/host-tools';
import { expect, test } from 'vitest';
import { refreshHypervisorImage } from '../../guest/hypervisor/images.ts';
import { REFERENCE_CLANG, clangVersion } from '../../guest/toolchain.ts';

test('the hypervisor is what its sources build, byte for byte', { timeout: 60_000 }, (context) => {
  for (const tool of ['clang', 'ld.lld'] as const) requireTool(context, tool);
  const version = clangVersion();
  context.skip(version !== REFERENCE_CLANG, `needs clang ${REFERENCE_CLANG}, found ${version}`);
  expect(refreshHypervisorImage(true)).toBe(true);
});
