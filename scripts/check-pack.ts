// `pnpm pack:check`: packs every public package as it would be published, lints the tarballs and uses them from an empty project:
// each export as ESM JavaScript and as TypeScript with `nodenext` and with `bundler`, then each program.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
}

const out = resolve('.pack');
const bin = (name: string): string => resolve('node_modules/.bin', name);

const fail = (message: string): never => {
  console.error(`pack:check: ${message}`);
  process.exit(1);
};

const run = (command: string, args: readonly string[], cwd = '.'): void => {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd });
  if (status !== 0) fail(`${basename(command)} ${args.join(' ')}: exit code ${status}`);
};

const pack = (): readonly string[] => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const publicPackages = ['packages', 'apps']
    .flatMap((group) => readdirSync(group).map((name) => join(group, name)))
    .filter(
      (folder) => !/"private": true/.test(readFileSync(join(folder, 'package.json'), 'utf8')),
    );
  for (const folder of publicPackages) {
    rmSync(join(folder, 'dist'), { recursive: true, force: true });
  }
  run('pnpm', ['run', 'build', '--force']);
  for (const folder of publicPackages) {
    run('pnpm', ['pack', '--silent', '--pack-destination', out], folder);
  }
  return readdirSync(out).map((file) => join(out, file));
};

const checkContents = (tarball: string): void => {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
  for (const expected of ['README.md', 'LICENSE', 'package.json']) {
    if (!files.includes(`package/${expected}`)) fail(`${tarball}: no ${expected}`);
  }
  const stray = files.find((file) => /^package\/(?:src|test)\/|\.tsbuildinfo$/.test(file));
  if (stray) fail(`${tarball}: ${stray} must not be published`);
};

const useFrom = (folder: string): void => {
  const scope = join(folder, 'node_modules/@systab');
  const manifests = readdirSync(scope).map(
    (name) => JSON.parse(readFileSync(join(scope, name, 'package.json'), 'utf8')) as Manifest,
  );
  // A target with conditions is a module; a plain one is data, or a folder of it.
  const modules = manifests.flatMap(({ name, exports = {} }) =>
    Object.entries(exports)
      .filter(([, target]) => typeof target === 'object')
      .map(([path]) => name + path.slice(1)),
  );
  for (const { name, exports = {} } of manifests)
    for (const target of Object.values(exports)) {
      if (typeof target !== 'string') continue;
      const at = join(folder, 'node_modules', name, target.replace(/\*$/, ''));
      if (!existsSync(at)) fail(`${name}: ${target} is exported, but not in the tarball`);
    }
  const source = modules.map(
    (name, index) =>
      `import * as m${index} from '${name}';\nif (Object.keys(m${index}).length === 0) throw new Error('${name} exports nothing');\n`,
  );
  // With types lost every import would be `any`, and this line no error.
  const typed = modules.map(
    (_, index) =>
      `// @ts-expect-error types must resolve\nexport const bad${index}: typeof m${index} = 0;\n`,
  );
  writeFileSync(join(folder, 'use.js'), source.join(''));
  writeFileSync(join(folder, 'use.ts'), [...source, ...typed].join(''));
  run('node', ['use.js'], folder);
  const flags = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2024,dom', 'use.ts'];
  run(bin('tsc'), ['--module', 'nodenext', ...flags], folder);
  run(bin('tsc'), ['--module', 'esnext', '--moduleResolution', 'bundler', ...flags], folder);
  for (const program of manifests.flatMap((manifest) => Object.keys(manifest.bin ?? {}))) {
    run(join(folder, 'node_modules/.bin', program), ['--version'], folder);
  }
};

const tarballs = pack();
for (const tarball of tarballs) {
  checkContents(tarball);
  run(bin('publint'), ['run', '--strict', tarball]);
  run(bin('attw'), ['--profile', 'esm-only', '--quiet', tarball]);
}
const consumer = mkdtempSync(join(tmpdir(), 'systab-consumer-'));
writeFileSync(join(consumer, 'package.json'), '{"private":true,"type":"module"}');
run('npm', ['install', '--no-audit', '--no-fund', '--silent', ...tarballs], consumer);
useFrom(consumer);
rmSync(consumer, { recursive: true });
console.log(`${tarballs.length} tarballs packed, linted and used`);
