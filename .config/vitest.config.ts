import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  // Apollo asks for "graphql" as CommonJS does and vitest as a module: one copy for both.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['reflect-metadata'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/main.ts', '**/__generated__/**'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: {
        'src/domain/**/*.ts': { lines: 90 },
        'src/providers/**/*.ts': { lines: 90 },
      },
    },
  },
});
