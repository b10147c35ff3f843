import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Two at least: most of the time a test waits for what it started. */
const maxWorkers = Math.max(2, availableParallelism() - 1);
/** These count what was lost, and others' queues are short: they must not compete for the processor. */
const ALONE = ['test/system/interop.test.ts'];
/** Of tests that start whole programs. */
const slow = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/gateway/**', 'test/mesh/**', 'test/system/**', 'test/browser/**'],
          // Property tests on a machine that is busy.
          testTimeout: 30_000,
          maxWorkers,
          // A process for each file would spend half of the time on loading the same modules: no test changes one.
          isolate: false,
        },
      },
      { test: { name: 'gateway', include: ['test/gateway/**/*.test.ts'], maxWorkers, isolate: false, ...slow } },
      { test: { name: 'mesh', include: ['test/mesh/**/*.test.ts'], maxWorkers, isolate: false, ...slow } },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          exclude: ALONE,
          ...slow,
          maxWorkers,
          isolate: false,
          // After all others, which would take the processor from what these have forward frames.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          ...slow,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          ...slow,
          // Last and by itself: a page that is late must be so by its own fault.
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
