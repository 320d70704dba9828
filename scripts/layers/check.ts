import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { referencesIn } from './references.ts';
import type { Reference } from './references.ts';
import { layers, platformWords } from './table.ts';
import type { Layer } from './table.ts';

/** One breach of the layer rules. */
export interface Finding {
  /** Path below the repository root, with `:line` where there is one. */
  readonly place: string;
  readonly message: string;
}

interface Manifest {
  readonly name?: string;
  readonly imports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface PackageUnderCheck {
  readonly root: string;
  readonly name: string;
  readonly layer: Layer;
  readonly report: (place: string, message: string) => void;
}

/** Folders of packages. Below `tools` a folder without a manifest is a set of scripts, which no package can import. */
const workspaceFolders = ['packages', 'apps', 'tools'];
const generatedFolders = new Set(['node_modules', 'dist', 'coverage', '.turbo']);
const sourceFile = /\.[cm]?[jt]sx?$/;

/** `@systab/x86-emu/deep/path` → `@systab/x86-emu`; undefined for what is not ours. */
const ownPackage = (specifier: string): string | undefined =>
  /^@systab\/[^/@]+/.exec(specifier)?.[0];

/** The package behind a manifest entry, seen through `npm:` and `workspace:` aliases. */
const dependencyTarget = (key: string, range: string): string | undefined =>
  ownPackage(range.replace(/^(?:npm|workspace):/, '')) ?? ownPackage(key);

/** Strings of a manifest's `imports` map, whatever its conditions. */
const stringsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null
    ? Object.values(value).flatMap((item) => stringsIn(item))
    : [];
};

const filesBelow = (folder: string, report: PackageUnderCheck['report']): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (generatedFolders.has(entry.name)) return [];
    if (entry.isSymbolicLink()) {
      report(path, 'symbolic link: a package holds its own files');
      return [];
    }
    return entry.isDirectory() ? filesBelow(path, report) : [path];
  });

const allowed = (layer: Layer, inSource: boolean): readonly string[] =>
  inSource ? layer.imports : [...layer.imports, ...layer.testImports];

const checkEdge = (
  { name, layer, report }: PackageUnderCheck,
  target: string,
  inSource: boolean,
  place: string,
): void => {
  if (target === name || allowed(layer, inSource).includes(target)) return;
  const may = allowed(layer, inSource).join(', ') || 'nothing of ours';
  report(place, `${name} may not use ${target}; ${inSource ? 'it' : 'its tests'} may use: ${may}`);
};

const leaves = (folder: string, file: string, specifier: string): boolean => {
  const target = resolve(file, '..', specifier);
  return target !== folder && !target.startsWith(folder + sep);
};

const checkReference = (
  checked: PackageUnderCheck,
  file: string,
  inSource: boolean,
  { kind, specifier, line }: Reference,
): void => {
  const { root, layer } = checked;
  const folder = join(root, layer.folder);
  const place = `${file}:${line}`;
  const { report } = checked;
  if (specifier === undefined) {
    if (inSource)
      report(place, 'a computed specifier cannot be checked: name the module literally');
    return;
  }
  if (kind === 'file') {
    const isPath = !/^[a-z][a-z0-9+.-]*:/i.test(specifier);
    if (inSource && isPath && leaves(folder, file, specifier)) {
      report(place, `"${specifier}" leaves the package: guest images and data enter as bytes`);
    }
    return;
  }
  if (/^(?:file:|\/)/.test(specifier)) {
    report(place, `"${specifier}" is an absolute path: import by package name`);
  } else if (specifier.startsWith('.')) {
    if (leaves(folder, file, specifier)) {
      report(place, `"${specifier}" leaves the package: import by package name`);
    } else if (inSource && !specifier.endsWith('.ts')) {
      report(place, `"${specifier}" is not a .ts file: guest images and data enter as bytes`);
    }
  } else if (isBuiltin(specifier)) {
    if (inSource && layer.runsIn === 'browser') {
      report(place, `"${specifier}" needs Node.js: this package also runs in a browser`);
    }
  } else {
    const target = ownPackage(specifier);
    if (target !== undefined) checkEdge(checked, target, inSource, place);
  }
};

const checkManifest = (checked: PackageUnderCheck, path: string, manifest: Manifest): void => {
  const folder = join(checked.root, checked.layer.folder);
  const runtime = [
    manifest.dependencies,
    manifest.peerDependencies,
    manifest.optionalDependencies,
  ].flatMap((group) => Object.entries(group ?? {}));
  const development = Object.entries(manifest.devDependencies ?? {});
  for (const [inSource, entries] of [
    [true, runtime],
    [false, development],
  ] as const) {
    for (const [key, range] of entries) {
      const local = /^(?:file|link|portal):(.*)/.exec(range)?.[1];
      if (local !== undefined && leaves(folder, path, local)) {
        checked.report(path, `"${key}": "${range}" leaves the package: depend by package name`);
      }
      const target = dependencyTarget(key, range);
      if (target !== undefined) checkEdge(checked, target, inSource, path);
    }
  }
  for (const specifier of stringsIn(manifest.imports)) {
    checkReference(checked, path, true, { kind: 'import', specifier, line: 1 });
  }
};

const checkWords = (checked: PackageUnderCheck, file: string, text: string): void => {
  const shown = relative(join(checked.root, checked.layer.folder), file);
  const inPath = platformWords.exec(shown)?.[0];
  if (inPath !== undefined)
    checked.report(file, `a generic package names a platform: "${inPath}" in the file name`);
  text.split('\n').forEach((line, index) => {
    const word = platformWords.exec(line)?.[0];
    if (word !== undefined)
      checked.report(`${file}:${index + 1}`, `a generic package names a platform: "${word}"`);
  });
};

const checkPackage = (root: string, folder: string, findings: Finding[]): void => {
  const report = (place: string, message: string): void => {
    findings.push({ place: relative(root, place), message });
  };
  const manifestPath = join(root, folder, 'package.json');
  if (!existsSync(manifestPath)) {
    if (!folder.startsWith('tools/'))
      report(manifestPath, 'missing: every folder here is a package');
    return;
  }
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest;
  const name = manifest.name ?? '';
  const layer = layers[name];
  if (layer === undefined || layer.folder !== folder) {
    report(manifestPath, `"${name}" in ${folder} has no row in scripts/layers/table.ts`);
    return;
  }
  const checked: PackageUnderCheck = { root, name, layer, report };
  checkManifest(checked, manifestPath, manifest);
  const source = join(root, folder, 'src') + sep;
  for (const file of filesBelow(join(root, folder), report)) {
    const inSource = file.startsWith(source);
    const isCode = sourceFile.test(file);
    if (!isCode && !(inSource && layer.generic)) continue;
    const text = readFileSync(file, 'utf8');
    if (inSource && layer.generic) checkWords(checked, file, text);
    if (!isCode) continue;
    for (const reference of referencesIn(file, text)) {
      checkReference(checked, file, inSource, reference);
    }
  }
};

/** Checks every package below `root` against the layer table. An empty answer means that all rules hold. */
export const checkLayers = (root: string): readonly Finding[] => {
  const findings: Finding[] = [];
  for (const group of workspaceFolders) {
    const path = join(root, group);
    if (!existsSync(path)) continue;
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) checkPackage(root, `${group}/${entry.name}`, findings);
    }
  }
  return findings;
};
