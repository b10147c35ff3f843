import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Two at least: with one, vitest would run these after the system tests, one by one. */
const maxWorkers = Math.max(2, availableParallelism() - 1);
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
        },
      },
      { test: { name: 'gateway', include: ['test/gateway/**/*.test.ts'], maxWorkers, ...slow } },
      { test: { name: 'mesh', include: ['test/mesh/**/*.test.ts'], maxWorkers, ...slow } },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          ...slow,
          testTimeout: 60_000,
          // After all others and one by one: what these time and count must not compete for the processor.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          ...slow,
          // Last and by itself, for the same reason.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
