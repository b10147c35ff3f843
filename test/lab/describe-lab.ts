/** Tests that need a lab: where it can't be had they are skipped by name, with what is missing. */
import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';
import { missingForTap } from '../../demo/lab/missing.ts';
import { AGENT_ARGV } from '../../demo/lab/site.ts';
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

/** Tests in network namespaces that also need TAP devices, and a second user. */
export function describeUserLab(title: string, tests: () => void): void {
  declare(title, missing ?? missingForTap() ?? missingForUser(), tests);
}

/** @returns what is missing to run the repository's programs as another user, or null. */
export function missingForUser(): string | null {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];
  const { error, status } = spawnSync('setpriv', [...nobody, ...AGENT_ARGV, '--version']);
  if (error !== undefined) return '`setpriv`: install the package util-linux';
  return status === 0 ? null : 'root, and a clone that other users can read';
}

function declare(title: string, lacks: string | null, tests: () => void): void {
  if (lacks === null) describe(title, tests);
  else describe.skip(`${title} [skipped, missing: ${lacks}]`, tests);
}
