/**
 * Builds the dashboard where it is missing or older than what it is made of: `npm start`, `npm run dev`, `npm run demo` and
 * `npm run deploy` come by here first, so a fresh clone serves it.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const REPOSITORY = join(import.meta.dirname, '..');
/** What hosts serve. */
export const DASHBOARD = join(REPOSITORY, 'dist/dashboard');
/** The lockfile stands for the libraries. */
const SOURCES = ['src/dashboard', 'src/contract', 'vite.config.ts', 'package-lock.json'];

/** @returns true where there was something to do. */
export async function buildDashboard(): Promise<boolean> {
  if (isCurrent()) return false;
  await build({ configFile: join(REPOSITORY, 'vite.config.ts') });
  return true;
}

function isCurrent(): boolean {
  const built = newest(join(DASHBOARD, 'index.html'));
  return built > 0 && SOURCES.every((source) => newest(join(REPOSITORY, source)) <= built);
}

/** @returns when the newest file at or below a path was changed, in milliseconds since 1970; 0 where nothing is there. */
function newest(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}

if (import.meta.main) await buildDashboard();
