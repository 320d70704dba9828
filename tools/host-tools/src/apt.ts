import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { aptPackages, installCommand, missingTools } from './find.ts';
import type { HostToolName } from './tools.ts';

/** What `setupTools` needs to know of the host; a test passes its own. */
export interface AptHost {
  /** User id 0, Debian or Ubuntu, and not switched off with SYSTAB_APT=0. */
  readonly mayInstall: boolean;
  readonly missing: () => readonly HostToolName[];
  /** Runs `apt-get` with these arguments; true when it succeeded. */
  readonly aptGet: (args: readonly string[]) => boolean;
  readonly print: (line: string) => void;
}

const minutes = 60_000;

/** This host. */
export const realAptHost = (): AptHost => ({
  mayInstall:
    process.getuid?.() === 0 && existsSync('/etc/debian_version') && process.env.SYSTAB_APT !== '0',
  missing: () => missingTools(),
  aptGet: (args) =>
    spawnSync('apt-get', [...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 8 * minutes,
    }).status === 0,
  print: (line) => {
    console.log(line);
  },
});

/**
 * Installs the tools that tests use and this host lacks, when it may. Says in one line what it does, nothing when nothing is missing.
 * Never fails: without a tool, the tests that need it are skipped with their reason.
 */
export const setupTools = (host: AptHost): void => {
  const missing = host.missing();
  if (missing.length === 0) return;
  if (!host.mayInstall) {
    host.print(
      `setup: without ${missing.join(', ')} some tests are skipped; to run them all: ${installCommand(missing)}`,
    );
    return;
  }
  const packages = aptPackages(missing);
  host.print(`setup: installing ${packages.join(', ')} with apt-get (SYSTAB_APT=0 prevents it)`);
  const install = (names: readonly string[]): boolean =>
    host.aptGet(['install', '-y', '-qq', '--no-install-recommends', ...names]);
  // A package that this distribution does not have (Ubuntu: chromium) must not keep the others away.
  const installed =
    host.aptGet(['update', '-qq']) &&
    (install(packages) ||
      (packages.length > 1 && packages.map((name) => install([name])).every(Boolean)));
  const left = host.missing();
  if (!installed || left.length > 0) {
    host.print(
      `setup: apt-get did not bring ${left.join(', ')}; the tests that need them are skipped`,
    );
  }
};
