import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { layerTable, withLayerTable } from '../layers/architecture.ts';
import { checkLayers } from '../layers/check.ts';
import { referencesIn } from '../layers/references.ts';
import { layers } from '../layers/table.ts';

// A copy of the house with one clean file per package, in which each test plants its breaches.
const root = mkdtempSync(join(tmpdir(), 'layers-'));
const undo: (() => void)[] = [];

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

/** Writes a file until the end of the test. */
const put = (path: string, text: string): void => {
  const file = join(root, path);
  if (existsSync(file)) {
    const before = readFileSync(file);
    undo.push(() => {
      writeFileSync(file, before);
    });
  } else {
    const firstNew = path.split('/').findIndex((_, depth, parts) => {
      return !existsSync(join(root, ...parts.slice(0, depth + 1)));
    });
    const created = join(root, ...path.split('/').slice(0, firstNew + 1));
    undo.push(() => {
      rmSync(created, { recursive: true });
    });
  }
  write(path, text);
};

beforeAll(() => {
  for (const [name, { folder, imports }] of Object.entries(layers)) {
    const dependencies = Object.fromEntries(imports.map((target) => [target, 'workspace:^']));
    write(`${folder}/package.json`, JSON.stringify({ name, dependencies }));
    write(`${folder}/src/part.ts`, 'export const part = 1;\n');
    const lines = imports.map((target) => `import '${target}';`);
    write(`${folder}/src/index.ts`, [`export { part } from './part.ts';`, ...lines].join('\n'));
    write(`${folder}/test/part.test.ts`, `import { part } from '${name}';\nvoid part;\n`);
  }
});
afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

const messages = (): string[] =>
  checkLayers(root).map(({ place, message }) => `${place}: ${message}`);

const names = Object.keys(layers);

describe('edges', () => {
  test('the clean copy has no finding', () => {
    expect(messages()).toEqual([]);
  });

  const edges = names.flatMap((from) =>
    names.filter((to) => to !== from).map((to) => ({ from, to })),
  );
  const forbidden = edges.filter(({ from, to }) => !layers[from]?.imports.includes(to));

  test.each(forbidden)('$from may not import $to', ({ from, to }) => {
    put(`${layers[from]?.folder}/src/planted.ts`, `import { part } from '${to}';\nvoid part;\n`);
    expect(messages()).toContainEqual(
      expect.stringContaining(
        `${layers[from]?.folder}/src/planted.ts:1: ${from} may not use ${to}`,
      ),
    );
  });

  test.each(forbidden)('$from may not depend on $to', ({ from, to }) => {
    const folder = layers[from]?.folder;
    put(`${folder}/package.json`, JSON.stringify({ name: from, peerDependencies: { [to]: '*' } }));
    expect(messages()).toEqual([
      expect.stringContaining(`${folder}/package.json: ${from} may not use ${to}`),
    ]);
  });

  // The sentences of the design, so that a slip in the table does not pass with the table as its own judge.
  test.each([
    ['efi-core', 'x86-emu'],
    ['efi-core', 'efi-init'],
    ['efi-init', 'x86-emu'],
    ['efi-init', 'platform-xen'],
    ['efi-runtime', 'x86-emu'],
    ['efi-runtime', 'platform-baremetal'],
    ['efi-conformance', 'x86-emu'],
    ['platform-xen', 'platform-baremetal'],
    ['platform-baremetal', 'platform-xen'],
    ['platform-xen', 'cli'],
    ['x86-emu', 'efi-core'],
    ['x86-emu', 'platform-xen'],
  ])('%s never imports %s', (from, to) => {
    expect(layers[`@systab/${from}`]?.imports).not.toContain(`@systab/${to}`);
    expect(layers[`@systab/${from}`]?.testImports).not.toContain(`@systab/${to}`);
  });

  test('only the composition root sees both a platform and the generic layer above it', () => {
    const both = names.filter((name) => {
      const imports = layers[name]?.imports ?? [];
      return imports.includes('@systab/efi-runtime') && imports.includes('@systab/platform-xen');
    });
    expect(both).toEqual(['@systab/cli']);
  });
});

const core = 'packages/efi-core/src/planted.ts';
const engine = '@systab/x86-emu';

describe('every form of a forbidden import is seen', () => {
  test.each([
    ['value import', `import { part } from '${engine}';`],
    ['bare import', `import '${engine}';`],
    ['type import', `import type { part } from '${engine}';`],
    ['inline type import', `import { type part } from '${engine}';`],
    ['namespace import', `import * as all from '${engine}';`],
    ['deep import', `import { part } from '${engine}/src/part.ts';`],
    ['re-export', `export { part } from '${engine}';`],
    ['re-export of all', `export * from '${engine}';`],
    ['dynamic import', `export const load = () => import('${engine}');`],
    ['dynamic import of a template', `export const load = () => import(\`${engine}\`);`],
    ['type query', `export type All = typeof import('${engine}');`],
    ['import type expression', `export type Part = import('${engine}').part;`],
    ['import equals', `import all = require('${engine}');`],
    ['require', `const all = require('${engine}');`],
    ['resolve', `export const where = import.meta.resolve('${engine}');`],
    ['augmentation', `declare module '${engine}' {}\nexport {};`],
    ['reference', `/// <reference types="${engine}" />\nexport {};`],
  ])('%s', (_form, source) => {
    put(core, source);
    expect(messages()).toEqual([
      expect.stringContaining(`${core}:1: @systab/efi-core may not use ${engine}`),
    ]);
  });

  test.each([
    ['relative import', `import { part } from '../../x86-emu/src/part.ts';`],
    ['relative type import', `import type { part } from '../../x86-emu/src/part.ts';`],
    ['relative dynamic import', `export const load = () => import('../../x86-emu/src/part.ts');`],
    ['detour through its own folder', `export * from './../../efi-core/../x86-emu/src/part.ts';`],
    ['folder with the same beginning', `export * from '../../efi-core-more/part.ts';`],
    ['file URL', `export const image = new URL('../../../guest/firmware.bin', import.meta.url);`],
    ['path reference', `/// <reference path="../../x86-emu/src/part.ts" />\nexport {};`],
  ])('%s leaves the package', (_form, source) => {
    put(core, source);
    expect(messages()).toEqual([expect.stringMatching(/planted\.ts:1: ".*" leaves the package/)]);
  });

  test.each([
    ['absolute path', `import '/etc/part.ts';`, 'absolute path'],
    ['file scheme', `import 'file:///etc/part.ts';`, 'absolute path'],
    ['computed', `export const load = (name: string) => import(name);`, 'computed specifier'],
    ['image', `import image from './firmware.bin';`, 'enter as bytes'],
    ['Node.js module', `import { readFileSync } from 'node:fs';`, 'needs Node.js'],
    ['Node.js module without prefix', `import type { Stats } from 'fs';`, 'needs Node.js'],
  ])('%s', (_form, source, message) => {
    put(core, source);
    expect(messages()).toEqual([expect.stringContaining(message)]);
  });

  test('a comment or a string that looks like an import is none', () => {
    put(core, `// import '${engine}';\nexport const text = "import '${engine}'";\n`);
    expect(messages()).toEqual([]);
  });

  test('a file that does not parse is an error, not a clean file', () => {
    put(core, `import {`);
    expect(() => checkLayers(root)).toThrow('planted.ts');
  });

  test('the line is that of the import', () => {
    expect(referencesIn('a.ts', `\n\nimport 'x';\n`)).toEqual([
      { kind: 'import', specifier: 'x', line: 3 },
    ]);
  });
});

const manifest = (fields: object): void => {
  put('packages/efi-core/package.json', JSON.stringify({ name: '@systab/efi-core', ...fields }));
};

describe('manifests', () => {
  test.each([
    ['an alias', { dependencies: { machine: `npm:${engine}@1` } }, `may not use ${engine}`],
    ['a workspace alias', { dependencies: { m: `workspace:${engine}@*` } }, `may not use`],
    ['a link', { dependencies: { machine: 'link:../x86-emu' } }, 'leaves the package'],
    ['an optional one', { optionalDependencies: { [engine]: '*' } }, `may not use ${engine}`],
    ['a development one', { devDependencies: { [engine]: '*' } }, `its tests may use`],
    ['a subpath import', { imports: { '#m': { default: engine } } }, `may not use ${engine}`],
    ['a subpath path', { imports: { '#m': '../x86-emu/src/part.ts' } }, 'leaves the package'],
  ])('%s is seen', (_form, fields, message) => {
    manifest(fields);
    expect(messages()).toEqual([expect.stringContaining(message)]);
  });

  test('the conformance suite is for tests only', () => {
    const platform = 'packages/platform-xen';
    const dependency = { '@systab/efi-conformance': 'workspace:^' };
    const name = '@systab/platform-xen';
    put(`${platform}/package.json`, JSON.stringify({ name, devDependencies: dependency }));
    put(`${platform}/test/planted.test.ts`, `import '@systab/efi-conformance';\n`);
    expect(messages()).toEqual([]);
    put(`${platform}/package.json`, JSON.stringify({ name, dependencies: dependency }));
    expect(messages()).toHaveLength(1);
  });

  test('a package that the table does not know is a finding', () => {
    put('packages/stranger/package.json', '{"name":"@systab/stranger"}');
    expect(messages()).toEqual([expect.stringContaining('has no row')]);
  });

  test('a folder without a manifest is a finding, except among the tools', () => {
    put('packages/stranger/src/a.ts', '');
    put('tools/recorder/record.ts', '');
    expect(messages()).toEqual([
      expect.stringContaining('packages/stranger/package.json: missing'),
    ]);
  });
});

describe('generic packages do not name a platform', () => {
  const generic = names.filter((name) => layers[name]?.generic);

  test('they are the efi packages', () => {
    expect(generic.toSorted()).toEqual(
      names.filter((name) => name.startsWith('@systab/efi-')).toSorted(),
    );
  });

  test.each(
    generic.flatMap((name) =>
      ['xen', 'XENPF_x', 'isXen', 'baremetal', 'bare-metal', 'Bare Metal', 'hyperCall'].map(
        (word) => ({ name, word }),
      ),
    ),
  )('$name: $word', ({ name, word }) => {
    const file = `${layers[name]?.folder}/src/planted.ts`;
    put(file, `// first line\n// for ${word} only\n`);
    expect(messages()).toEqual([expect.stringContaining(`${file}:2: a generic package names`)]);
  });

  test('nor in a file name or a data file', () => {
    put('packages/efi-core/src/xen-notes.json', '{}');
    put('packages/efi-core/src/notes.json', '{"route":"hypercall"}');
    expect(messages()).toHaveLength(2);
  });

  test('their tests and the platforms may', () => {
    put('packages/efi-core/test/words.test.ts', '// xen\n');
    put('packages/platform-xen/src/hypercall.ts', '// xen hypercall\n');
    expect(messages()).toEqual([]);
  });
});

test('a symbolic link cannot bring a file in', () => {
  symlinkSync(join(root, 'packages/x86-emu/src/part.ts'), join(root, core));
  undo.push(() => {
    rmSync(join(root, core));
  });
  expect(messages()).toEqual([expect.stringContaining('symbolic link')]);
});

describe('the table in ARCHITECTURE.md', () => {
  test('has one row per package', () => {
    expect(layerTable().split('\n')).toHaveLength(names.length + 2);
  });

  test('is replaced between its marks and nowhere else', () => {
    const marks = '<!-- layers: written by `pnpm layers --write` -->\nold\n<!-- /layers -->';
    const text = withLayerTable(`before\n${marks}\nafter\n`);
    expect(text).toContain(layerTable());
    expect(text).not.toContain('old');
    expect(text.startsWith('before\n') && text.endsWith('\nafter\n')).toBe(true);
    expect(withLayerTable(text)).toBe(text);
  });

  test('a document without the marks is an error', () => {
    expect(() => withLayerTable('no marks')).toThrow('expected <!-- layers');
  });
});
