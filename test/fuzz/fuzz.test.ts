/** The fuzzer's properties, as many examples of each as a test run has time for; `npm run fuzz` tries more. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { PROPERTIES } from './properties.ts';

describe('whatever comes', () => {
  for (const { name, runs, property } of PROPERTIES) {
    it(name, async () => {
      await fc.assert(property(), { numRuns: runs });
    });
  }
});
