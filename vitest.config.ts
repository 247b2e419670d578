import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/peers/**', 'node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A slow test is no news; a failed or a skipped one is.
    slowTestThreshold: 20_000,
    reporters: ['default', './test/skip-reasons.ts'],
    maxWorkers: 2,
  },
});
