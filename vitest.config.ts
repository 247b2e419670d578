import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';
import { secondTry } from './test/second-try.ts';

// Two projects: what needs no process beside it (npm test), and the launcher as a person uses it with states of several
// 100,000 rows (npm run test:e2e). Real products have vitest.peers.config.ts.
/** Outside test/e2e, but slow or with a process beside them. */
const PROCESSES = ['**/*.large.test.ts', 'test/package.test.ts', 'test/launcher.test.ts'];

export default defineConfig({
  test: {
    // A slow test is no news; a failed or a skipped one is.
    slowTestThreshold: 20_000,
    reporters: ['default', './test/run-notes.ts'],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'fast',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/peers/**', ...PROCESSES, 'node_modules/**'],
          // A process and its modules are for many files: loading them anew for each of 200 took a third of all. What a
          // file puts in the place of something (vi.spyOn, vi.useFakeTimers) it takes away itself.
          isolate: false,
          restoreMocks: true,
          // Some wait for an answer that does not come: one more than there are cores.
          maxWorkers: 3,
          // The longest takes ten seconds on a quiet machine, and half a minute on one that has much other work.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry: secondTry,
        },
      },
      {
        test: {
          name: 'e2e',
          // Not at the same time as those above.
          sequence: { groupOrder: 1 },
          include: ['test/e2e/**/*.test.ts', ...PROCESSES],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          retry: secondTry,
        },
      },
    ],
  },
});
