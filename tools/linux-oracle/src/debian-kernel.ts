// Debian's kernel and what a module is built with, unpacked from their packages into a folder of the cache; nothing is installed.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A kernel that stands in the cache. */
export interface DebianKernel {
  /** As in `uname -r`. */
  readonly release: string;
  readonly packageName: string;
  readonly packageVersion: string;
  /** Path of the kernel image, a PE file. */
  readonly image: string;
  /** Paths of the modules of efivarfs and of the loader of capsules. */
  readonly efivarfs: string;
  readonly capsuleLoader: string;
  /** Where modules are built. */
  readonly headers: string;
}

const META_PACKAGE = 'linux-image-amd64';
const ARCHITECTURE = 'amd64';

const run = (program: string, args: readonly string[], folder?: string): string => {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  if (status === 0) return stdout;
  const what = error?.message ?? stderr.trim();
  throw new Error(
    `${program} ${args.join(' ')}: ${what}; Debian 12 is needed, after apt-get update`,
  );
};

const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'systab', 'linux-oracle');

/** The newest version apt offers of a package, as its description says. */
const describePackage = (name: string): string => {
  const text = run('apt-cache', ['show', '--no-all-versions', name]);
  if (text === '') throw new Error(`apt knows no package ${name}; run apt-get update`);
  return text;
};

const field = (description: string, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(description)?.[1] ?? '';

const unpack = (packages: readonly string[], folder: string): void => {
  mkdirSync(join(folder, '..'), { recursive: true });
  const fresh = mkdtempSync(`${folder}.`);
  try {
    run('apt-get', ['download', ...packages], fresh);
    for (const name of readdirSync(fresh)) {
      run('dpkg-deb', ['--extract', name, '.'], fresh);
      rmSync(join(fresh, name));
    }
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
};

/**
 * The kernel that Debian's `linux-image-amd64` stands for here; downloads it when the cache does not have it. Needs apt-get and
 * dpkg-deb, no rights.
 */
export const provideDebianKernel = (): DebianKernel => {
  const packageName = new RegExp(`linux-image-[0-9][^ ,]*`).exec(
    field(describePackage(META_PACKAGE), 'Depends'),
  )?.[0];
  if (packageName === undefined) throw new Error(`${META_PACKAGE} depends on no kernel`);
  const packageVersion = field(describePackage(packageName), 'Version');
  const release = packageName.slice('linux-image-'.length);
  const abi = release.slice(0, -`-${ARCHITECTURE}`.length);
  const series = abi.split('.').slice(0, 2).join('.');
  const folder = join(cacheFolder(), `${release}_${packageVersion}`);
  if (!existsSync(folder))
    unpack(
      [
        packageName,
        `linux-headers-${release}`,
        `linux-headers-${abi}-common`,
        `linux-kbuild-${series}`,
      ],
      folder,
    );
  const sources = join(folder, 'usr/src');
  const headers = join(sources, `linux-headers-${release}`);
  // The package's Makefile names where it would be installed.
  writeFileSync(
    join(headers, 'Makefile'),
    `include ${join(sources, `linux-headers-${abi}-common`, 'Makefile')}\n`,
  );
  const modules = join(folder, 'lib/modules', release, 'kernel');
  return {
    release,
    packageName,
    packageVersion,
    image: join(folder, 'boot', `vmlinuz-${release}`),
    efivarfs: join(modules, 'fs/efivarfs/efivarfs.ko'),
    capsuleLoader: join(modules, 'drivers/firmware/efi/capsule-loader.ko'),
    headers,
  };
};
