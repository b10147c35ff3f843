/** The npm package, made and installed as people do it: into an empty prefix, from the tarball. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PATH } from '../../demo/lab/ip.ts';
import { run } from '../../demo/lab/program.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
/** What is not in the tarball, since it is another for each kind of machine: npm fetches it, but the lab has no network. */
const FETCHED = ['koffi', ...readdirSync(join(REPOSITORY, 'node_modules/@koromix')).map((name) => `@koromix/${name}`)];
const QUIET = ['--silent', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];

export interface Installed {
  /** What runs a command of the package. */
  argv(command: 'overlane' | 'overlane-agent' | 'overlane-gateway'): readonly string[];
  /** The package's folder. */
  readonly folder: string;
  /** What it was installed from. */
  readonly tarball: string;
}

/** @param folder an empty one. @throws Error with what npm said. */
export async function packAndInstall(folder: string): Promise<Installed> {
  const [tarballs, prefix] = [join(folder, 'tarballs'), join(folder, 'prefix')];
  mkdirSync(tarballs);
  // A cache of its own: empty it is quicker, and nothing is left in that of whoever runs the tests.
  const env = { PATH, npm_config_cache: join(folder, 'npm-cache'), npm_config_update_notifier: 'false' };
  const npm = (...argv: readonly string[]): Promise<string> =>
    run(['npm', ...argv, ...QUIET], { cwd: REPOSITORY, env });
  const packed = ['npm', 'pack', '--silent', '--pack-destination', tarballs];
  const tarball = join(tarballs, (await run(packed, { cwd: REPOSITORY, env })).split('\n').at(-1)!);
  await npm('pack', '--pack-destination', tarballs, ...FETCHED.map((name) => `./node_modules/${name}`));
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  await npm('install', '--global', '--prefix', prefix, ...files);
  return {
    argv: (command) => [join(prefix, 'bin', command)],
    folder: join(prefix, 'lib/node_modules/overlane'),
    tarball,
  };
}
