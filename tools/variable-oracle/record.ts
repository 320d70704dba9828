/**
 * Records what virt-fw-vars makes of a variable store: `node tools/variable-oracle/record.ts`, with virt-fw-vars 23.9 on the PATH
 * (pip install virt-firmware==23.9). `apps/cli/test/variable-oracle.test.ts` replays it against `systab vars`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const vectors = path('../../apps/cli/test/vectors');
const folder = mkdtempSync(join(tmpdir(), 'systab-oracle-'));
const run = (...args: readonly string[]): void => {
  execFileSync('virt-fw-vars', args, { stdio: 'ignore' });
};

try {
  const store = join(folder, 'vars.fd');
  const list = join(folder, 'list.json');
  writeFileSync(
    store,
    gunzipSync(readFileSync(path('../../packages/efi-core/test/vectors/ovmf-202211-vars.fd.gz'))),
  );
  run('--input', store, '--output-json', list);
  writeFileSync(join(vectors, 'virt-fw-vars-list.json.gz'), gzipSync(readFileSync(list)));

  // Two variables more, and one that is replaced: what the store holds after --set-json.
  const changed = join(folder, 'changed.fd');
  run(
    '--input',
    store,
    '--set-json',
    join(vectors, 'virt-fw-vars-set.json'),
    '--output',
    changed,
    '--output-json',
    list,
  );
  writeFileSync(join(vectors, 'virt-fw-vars-after-set.json.gz'), gzipSync(readFileSync(list)));
  writeFileSync(join(vectors, 'virt-fw-vars-after-set.fd.gz'), gzipSync(readFileSync(changed)));
} finally {
  rmSync(folder, { recursive: true });
}
