import { defineConfig } from 'vitest/config';

// Packages export their TypeScript sources inside the workspace: no build before a test.
export default defineConfig({
  test: {
    projects: ['packages/*'],
    coverage: { include: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'] },
  },
});
