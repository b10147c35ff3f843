import { fileURLToPath } from 'node:url';

/** What runs vitest once, on the Node that this is. */
export const VITEST_ARGV: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url)),
  'run',
];
