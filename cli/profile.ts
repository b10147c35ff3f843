/**
 * The configuration file: gateways by name, each with the key to it.
 *
 * `{"current": "home", "profiles": {"home": {"gateway": "https://…", "key": "olk_…", "tenant": "acme"}}}`
 */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { errorCode, Failure } from '../shared/failure.ts';
import { describeFaults } from '../shared/faults.ts';
import { NameSchema, SlugSchema } from '../src/contract/primitives.ts';

const text = v.pipe(v.string('must be text'), v.minLength(1, 'must not be empty'));
const ProfileSchema = v.strictObject({
  gateway: text,
  key: v.optional(text),
  tenant: v.optional(SlugSchema),
  /** A file of certificates; from the configuration file's folder, where it is relative. */
  ca: v.optional(text),
  allowPlainHttp: v.optional(v.boolean('must be true or false')),
});
export type Profile = v.InferOutput<typeof ProfileSchema>;

const FileSchema = v.strictObject({
  /** The profile that is meant where none is named. */
  current: v.optional(NameSchema),
  profiles: v.record(NameSchema, ProfileSchema, 'must be an object of profiles by name'),
});

/** @returns where the file is: `OVERLANE_CONFIG`, or in the folder for such things. */
export function configPath(env: Readonly<Record<string, string | undefined>>): string {
  return env.OVERLANE_CONFIG || join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'overlane', 'config.json');
}

/**
 * @param name of the profile; null: the current one, or the only one
 * @returns null where there is no file and none was asked for.
 * @throws Failure where it can't be used: others may read it, it is malformed, or the profile is not in it.
 */
export async function readProfile(path: string, name: string | null): Promise<Profile | null> {
  const content = await readPrivately(path);
  if (content === null) {
    if (name === null) return null;
    throw new Failure('configuration', `there is no profile "${name}": ${path} does not exist`);
  }
  const file = parseFile(path, content);
  const names = Object.keys(file.profiles);
  const chosen = name ?? file.current ?? (names.length === 1 ? names[0]! : null);
  if (chosen === null) return null;
  const profile = Object.hasOwn(file.profiles, chosen) ? file.profiles[chosen] : undefined;
  if (profile === undefined) {
    throw new Failure('configuration', `there is no profile "${chosen}" in ${path}, only: ${names.join(', ')}`);
  }
  return profile.ca === undefined ? profile : { ...profile, ca: resolve(dirname(path), profile.ca) };
}

async function readPrivately(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw new Failure('configuration', `${path} holds keys, and others than you may read or change it: chmod 600`);
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (errorCode(error) === 'ENOENT') return null;
    throw new Failure('configuration', `${path} can't be read (${errorCode(error)})`, error);
  }
}

function parseFile(path: string, content: string): v.InferOutput<typeof FileSchema> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    // The parser's own words would quote the file, keys and all.
    throw new Failure('configuration', `${path} is not JSON`);
  }
  const parsed = v.safeParse(FileSchema, json);
  if (parsed.success) return parsed.output;
  throw new Failure('configuration', `${path}: ${describeFaults(parsed.issues).join('; ')}`);
}
