// `pnpm build:demo`: builds the demo guest and writes the image that the CLI ships.
import { writeFileSync } from 'node:fs';
import { toolStatus } from '@systab/host-tools';
import type { HostToolName } from '@systab/host-tools';
import { buildDemo, demoImagePath } from '../guest/demo/build.ts';

const pathOf = (name: HostToolName): string => {
  const status = toolStatus(name);
  if (!status.available) throw new Error(status.reason);
  return status.path;
};

writeFileSync(demoImagePath, buildDemo(pathOf('clang'), pathOf('ld.lld')));
console.log(`written: ${demoImagePath}`);
