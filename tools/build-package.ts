/**
 * `npm run build:package`, which `npm pack` runs first: the programs as JavaScript, because Node strips the types of no file under
 * `node_modules`. They go to `dist/package`, which mirrors the repository: what a file finds by a path from its own is there too.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDashboard, DASHBOARD } from './build-dashboard.ts';

const REPOSITORY = join(import.meta.dirname, '..');
export const PACKAGE_FOLDER = join(REPOSITORY, 'dist/package');

interface Manifest {
  readonly version: string;
  readonly type: string;
  readonly bin: Readonly<Record<string, string>>;
}

/** Makes the folder anew. @throws Error where the types are wrong; the compiler has said so. */
export async function buildPackage(): Promise<void> {
  rmSync(PACKAGE_FOLDER, { recursive: true, force: true });
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(REPOSITORY, 'tsconfig.package.json')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('the programs could not be compiled');
  copyMigrations();
  await buildDashboard();
  cpSync(DASHBOARD, join(PACKAGE_FOLDER, 'dist/dashboard'), { recursive: true });
  const { version, type, bin } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
  writeFileSync(join(PACKAGE_FOLDER, 'package.json'), `${JSON.stringify({ version, type })}\n`);
  for (const path of Object.values(bin)) chmodSync(join(REPOSITORY, path), 0o755);
}

function copyMigrations(): void {
  const folder = join(REPOSITORY, 'migrations');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.sql'))) {
    cpSync(join(folder, name), join(PACKAGE_FOLDER, 'migrations', name));
  }
}

if (import.meta.main) await buildPackage();
