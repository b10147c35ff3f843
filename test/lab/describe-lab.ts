/** Tests that need a lab: where it can't be had they are skipped by name, with what is missing. */
import { describe } from 'vitest';
import { missingForTap } from '../../demo/lab/missing.ts';
import { missingForBrowser } from '../browser/chromium.ts';

/** `test/run.ts` has tried, and says here what is missing. */
const missing =
  process.env.OVERLANE_LAB_MISSING ??
  (process.platform === 'linux' && process.getuid?.() === 0 ? null : 'root, or `npm test`, which does without');

/** Tests in network namespaces. */
export function describeLab(title: string, tests: () => void): void {
  declare(title, missing, tests);
}

/** Tests in network namespaces that also need TAP devices. */
export function describeTapLab(title: string, tests: () => void): void {
  declare(title, missing ?? missingForTap(), tests);
}

/** The same, and a browser to look at it. */
export function describeBrowserLab(title: string, tests: () => void): void {
  declare(title, missing ?? missingForTap() ?? missingForBrowser(), tests);
}

function declare(title: string, lacks: string | null, tests: () => void): void {
  if (lacks === null) describe(title, tests);
  else describe.skip(`${title} [skipped, missing: ${lacks}]`, tests);
}
