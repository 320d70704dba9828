// Puts the suite, with all it imports, into a folder as plain JavaScript: shells and pages know no types.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { selectionOf } from '../../bench/kernels.ts';
import type { WorkName } from '../../bench/kernels.ts';
import { patchedImage } from '../../bench/image.ts';
import { TEST_IMAGES } from '../../packages/x86-emu/test/system/images.ts';
import type { SuiteData } from './suite.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SUITE = 'tools/js-engines/suite.ts';
/** Where a page or a shell starts, in the staged folder. */
export const MAIN = 'main.js';
export const PAGE = 'index.html';

const KERNELS: readonly WorkName[] = ['mix', 'sha256', 'sort', 'rec', 'interp'];
const DIVISOR = 8;

/** A shell has less than a browser: its clock and its printing have other names, and text is not encoded. */
const MAIN_SOURCE = `
globalThis.performance ??= { now: () => preciseTime() * 1000 };
globalThis.TextEncoder ??= class { encode(text) { return Uint8Array.from(text, (c) => c.charCodeAt(0)); } };
const lines = [];
const inPage = typeof document !== 'undefined';
const say = (line) => (inPage ? lines.push(line) : typeof print === 'function' ? print(line) : console.log(line));
try {
  const { runSuite } = await import('./${SUITE}');
  const { data } = await import('./data.js');
  runSuite(data, say, () => performance.now());
} catch (error) {
  say('failed: ' + error + ' ' + (error?.stack ?? ''));
}
if (inPage) await fetch('/report', { method: 'POST', body: lines.join('\\n') });
`;

const PAGE_SOURCE = `<!doctype html><meta charset="utf-8"><title>suite</title><script type="module" src="${MAIN}"></script>`;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const suiteData = (): SuiteData => ({
  programs: Object.fromEntries(
    TEST_IMAGES.map(({ name }) => [
      name,
      hex(readFileSync(join(ROOT, `packages/x86-emu/test/system/images/${name}.bin`))),
    ]),
  ),
  kernels: Object.fromEntries(
    KERNELS.map((name) => [name, hex(patchedImage('bench64', DIVISOR, selectionOf([name])))]),
  ),
});

/** Relative imports of a module that is left after its types are gone. */
const importsOf = (source: string): readonly string[] =>
  [...source.matchAll(/(?:from|import)\s+'(\.[^']+)'/g)].map(([, path]) => path as string);

/** Fills `folder`. */
export const stage = (folder: string): void => {
  const done = new Set<string>();
  const add = (path: string): void => {
    if (done.has(path)) return;
    done.add(path);
    const source = stripTypeScriptTypes(readFileSync(join(ROOT, path), 'utf8'));
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, source);
    for (const relative of importsOf(source)) add(join(dirname(path), relative));
  };
  add(SUITE);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'data.js'), `export const data = ${JSON.stringify(suiteData())};`);
  writeFileSync(join(folder, MAIN), MAIN_SOURCE);
  writeFileSync(join(folder, PAGE), PAGE_SOURCE);
};
