import { requireTool } from '@systab/host-tools';
import { expect, test } from 'vitest';
import { refreshPrograms } from '../../guest/stubs/images.ts';
import { REFERENCE_CLANG, clangVersion } from '../../guest/toolchain.ts';

test(
  'the programs of the platform packages are what their sources build, byte for byte',
  { timeout: 60_000 },
  (context) => {
    for (const tool of ['clang', 'ld.lld', 'llvm-objcopy'] as const) requireTool(context, tool);
    const version = clangVersion();
    context.skip(version !== REFERENCE_CLANG, `needs clang ${REFERENCE_CLANG}, found ${version}`);
    expect(refreshPrograms(true)).toBe(true);
  },
);
