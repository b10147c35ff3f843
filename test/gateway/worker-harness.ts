import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestHarness, type TestHarness } from 'wrangler';
import { DASHBOARD } from './settings.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The Worker by its own configuration, with a page in the dashboard's place.
 *
 * @param change what a test needs to be otherwise in `wrangler.toml`.
 */
export function workerHarness(
  vars: Readonly<Record<string, string>>,
  change = (toml: string): string => toml,
): Pick<TestHarness, 'listen' | 'getWorker' | 'close'> {
  const folder = temporaryFolder();
  const toml = change(readFileSync(join(ROOT, 'wrangler.toml'), 'utf8'))
    .replace('"dist/dashboard"', JSON.stringify(DASHBOARD))
    .replaceAll(/"(?:\.\/)?(src\/|migrations)/g, `"${ROOT}$1`);
  const configPath = join(folder.path, 'wrangler.toml');
  writeFileSync(configPath, toml);
  const harness = createTestHarness({ workers: [{ configPath, vars: { ...vars } }] });
  return {
    listen: () => harness.listen(),
    getWorker: harness.getWorker.bind(harness),
    close: async () => {
      await harness.close();
      folder.remove();
    },
  };
}
