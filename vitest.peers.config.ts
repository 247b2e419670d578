import { defineConfig } from 'vitest/config';
import { secondTry } from './test/second-try.ts';

// Real products: one file after the other, each server once for the run where its settings allow.
export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    globalSetup: ['test/peers/global-setup.ts'],
    testTimeout: 120_000,
    // Includes fetching a product for the first time.
    hookTimeout: 600_000,
    retry: secondTry,
    slowTestThreshold: 60_000,
    reporters: ['default', './test/run-notes.ts'],
    fileParallelism: false,
  },
});
