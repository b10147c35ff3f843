/** Which gateway, by which key, for which tenant: flags before the environment before the configuration file. */
import * as v from 'valibot';
import { Failure } from '../shared/failure.ts';
import { parseGatewayUrl } from '../shared/gateway-url.ts';
import { SlugSchema } from '../src/contract/primitives.ts';
import type { Profile } from './profile.ts';

/** The flags that every command takes. */
export interface ConnectionFlags {
  readonly gateway?: string;
  readonly key?: string;
  readonly tenant?: string;
  readonly ca?: string;
  readonly allowPlainHttp?: boolean;
}

export interface Settings {
  readonly origin: string;
  readonly key: string;
  readonly tenant: string | null;
  /** The file of certificates to trust beside the system's, and which setting named it. */
  readonly ca: { readonly path: string; readonly setting: string } | null;
  readonly allowPlainHttp: boolean;
}

/**
 * A profile is for its own gateway: where another one is named, nothing of the profile goes there, its key least of all.
 *
 * @param where the configuration file is, for messages
 * @throws Failure that says what is missing or wrong, and where it can be set.
 */
export function chooseSettings(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
  found: Profile | null,
  where: string,
): Settings {
  const named = choose(['--gateway', flags.gateway], ['OVERLANE_GATEWAY', env.OVERLANE_GATEWAY]);
  const gateway = named ?? choose([`${where}: gateway`, found?.gateway]);
  if (gateway === null) {
    throw new Failure('configuration', `no gateway is named: give --gateway URL, OVERLANE_GATEWAY, or ${where}`);
  }
  const isProfiles = named === null || sameOrigin(named.value, found?.gateway);
  const profile = isProfiles ? found : null;

  const key = choose(['--key', flags.key], ['OVERLANE_KEY', env.OVERLANE_KEY], [`${where}: key`, profile?.key]);
  if (key === null) throw new Failure('configuration', `no key is given: set OVERLANE_KEY, or ${where}`);
  if (!/^[!-~]+$/.test(key.value)) {
    throw new Failure('configuration', `${key.setting} must be a key: printable characters, without spaces`);
  }
  const tenant = choose(
    ['--tenant', flags.tenant],
    ['OVERLANE_TENANT', env.OVERLANE_TENANT],
    [`${where}: tenant`, profile?.tenant],
  );
  const ca = choose(['--ca', flags.ca], ['OVERLANE_CA', env.OVERLANE_CA], [`${where}: ca`, profile?.ca]);
  const allowPlainHttp = flags.allowPlainHttp ?? profile?.allowPlainHttp ?? false;
  return {
    origin: parseGatewayUrl(gateway.value, allowPlainHttp, gateway.setting),
    key: key.value,
    tenant: tenant === null ? null : checkTenant(tenant),
    ca: ca === null ? null : { path: ca.value, setting: ca.setting },
    allowPlainHttp,
  };
}

interface Chosen {
  readonly setting: string;
  readonly value: string;
}

/** The first that is there; empty is as good as unset. */
function choose(...candidates: readonly (readonly [setting: string, value: string | undefined])[]): Chosen | null {
  for (const [setting, value] of candidates) if (value !== undefined && value !== '') return { setting, value };
  return null;
}

function sameOrigin(a: string, b: string | undefined): boolean {
  return b !== undefined && URL.parse(a)?.origin === URL.parse(b)?.origin;
}

function checkTenant({ setting, value }: Chosen): string {
  const parsed = v.safeParse(SlugSchema, value);
  if (parsed.success) return parsed.output;
  throw new Failure('configuration', `${setting} must be a tenant's slug: it ${parsed.issues[0].message}`);
}
