/** What a command works with: the gateway, the tenant, and the terminal. */
import { setTimeout } from 'node:timers/promises';
import { readCertificates } from '../shared/certificates.ts';
import { Failure } from '../shared/failure.ts';
import { createTransport } from '../shared/transport.ts';
import { type Api, createApi, path } from './api.ts';
import { type Columns, formatTable } from './format/table.ts';
import { configPath, readProfile } from './profile.ts';
import { type ConnectionFlags, chooseSettings, type Settings } from './settings.ts';
import type { Terminal } from './terminal.ts';

export interface GlobalFlags extends ConnectionFlags {
  readonly profile?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly debug?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Session {
  readonly api: Api;
  readonly settings: Settings;
  /** Where the tenant's resources are: `/v1/tenants/acme`. @throws Failure where no tenant is named. */
  readonly at: () => string;
  /** Prints one thing: as the API gave it with `--json`, else as `format` says. */
  readonly show: <T>(thing: T, format: (thing: T) => string) => void;
  readonly list: <T>(items: readonly T[], columns: Columns<T>) => void;
  /** Says what was done, to people. */
  readonly say: (line: string) => void;
  /** Asks before what can't be taken back, where someone is there to ask. @throws Failure where the answer isn't yes. */
  readonly confirm: (question: string) => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  readonly close: () => void;
}

/** Opened by each command when its own arguments are known to be right. */
export type Open = () => Promise<Session>;

/** @throws Failure where the configuration is not right. */
export async function openSession(flags: GlobalFlags, env: Environment, terminal: Terminal): Promise<Session> {
  const file = configPath(env);
  const profile = await readProfile(file, flags.profile || env.OVERLANE_PROFILE || null);
  const settings = chooseSettings(flags, env, profile, file);
  const ca = settings.ca === null ? undefined : await readCertificates(settings.ca.path, settings.ca.setting);
  const transport = createTransport({ origin: settings.origin, ca });
  const print = (text: string): void => terminal.out(`${text}\n`);
  return {
    api: createApi(transport, settings.origin, settings.key),
    settings,
    at: () => {
      if (settings.tenant !== null) return path`/v1/tenants/${settings.tenant}`;
      throw new Failure('configuration', 'no tenant is named: give --tenant SLUG, or set OVERLANE_TENANT');
    },
    show: (thing, format) => print(flags.json ? JSON.stringify(thing, null, 2) : format(thing)),
    list: (items, columns) => print(flags.json ? JSON.stringify(items, null, 2) : formatTable(items, columns)),
    say: (line) => {
      if (!flags.json) print(line);
    },
    confirm: async (question) => {
      if (flags.yes || terminal.ask === undefined) return;
      const answer = await terminal.ask(`${question} [y/N] `);
      if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('failed', 'not done');
    },
    pause: (ms) => setTimeout(ms),
    close: () => transport.close(),
  };
}
