// Prints the outcome of a boot in this process as JSON.
import { readFileSync } from 'node:fs';
import { bootToBds } from './boot-to-bds.ts';
import { OVMF_FILES } from './ovmf-files.ts';

const outcome = await bootToBds(readFileSync(OVMF_FILES.code), readFileSync(OVMF_FILES.vars));
process.stdout.write(JSON.stringify(outcome));
