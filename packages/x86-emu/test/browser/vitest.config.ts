// Tests in a page of Chromium: those of this folder, and the machine's own that need no Node.js. Without Chromium this folder's are skipped.
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { toolStatus } from '@systab/host-tools';
import { playwright } from '@vitest/browser-playwright';
import { defineProject } from 'vitest/config';
import type { BootOutcome } from './boot-to-bds.ts';
import { OVMF_FILES } from './ovmf-files.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const chromium = toolStatus('chromium');

/** The same boot in Node.js, in a process of its own: the server of the tests goes on. */
const bootInNode = async (): Promise<BootOutcome> => {
  const { stdout } = await promisify(execFile)(process.execPath, [path('node-boot.ts')]);
  return JSON.parse(stdout) as BootOutcome;
};

declare module 'vitest/browser' {
  interface BrowserCommands {
    bootInNode: () => Promise<BootOutcome>;
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Why a program or file that the tests need is not there; nothing if it is. */
    missing: Readonly<Record<'chromium' | 'ovmf', string | undefined>>;
  }
}

const reason = (status: ReturnType<typeof toolStatus>): string | undefined =>
  status.available ? undefined : status.reason;

export default defineProject({
  root: path('../..'),
  // The firmware's bytes, for pages.
  server: { fs: { allow: [path('../../../..'), dirname(OVMF_FILES.code)] } },
  test: {
    name: 'browser',
    provide: { missing: { chromium: reason(chromium), ovmf: reason(toolStatus('ovmf')) } },
    include: [
      'test/browser/*.browser.ts',
      ...(chromium.available ? ['test/{engine,machine}/**/*.test.ts'] : []),
    ],
    ...(chromium.available
      ? {
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            commands: { bootInNode },
            instances: [{ browser: 'chromium' as const }],
            provider: playwright({
              launchOptions: {
                executablePath: chromium.path,
                // Root has no sandbox of Chromium's; nothing but our own pages is opened.
                args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'],
              },
            }),
          },
        }
      : {}),
  },
});
