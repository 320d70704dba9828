import { defineConfig } from 'vitest/config';

// Packages export their TypeScript sources inside the workspace: no build before a test.
export default defineConfig({
  test: {
    projects: [
      'packages/*',
      'packages/x86-emu/test/browser/vitest.config.ts',
      'apps/*',
      'tools/fat-volume',
      'tools/host-tools',
      'tools/linux-oracle',
      { test: { name: 'workspace', include: ['scripts/test/**/*.test.ts'] } },
    ],
    // `.ci/run` counts from the JSON; the skip reporter says why a test did not run.
    reporters: ['default', 'json', './tools/host-tools/src/skip-reporter.ts'],
    outputFile: { json: 'node_modules/.cache/test-results.json' },
    coverage: { include: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'] },
  },
});
