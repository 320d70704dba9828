// `pnpm build:demo`: builds the demo guest and writes the image that the CLI ships.
import { writeFileSync } from 'node:fs';
import { buildDemo, demoImagePath } from '../guest/demo/build.ts';

writeFileSync(demoImagePath, buildDemo());
console.log(`written: ${demoImagePath}`);
