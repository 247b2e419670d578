import { defineConfig } from 'vitest/config';

// Real products, started by the tests themselves: slower, one file at a time.
export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
