/** The gateway's settings, from the environment: a Worker's variables and secrets, or a process's. */
import type { IdentityProvider } from './domain/identity-provider.ts';
import type { Rate } from './domain/rate-limit.ts';

export const DEFAULT_VNI_HOLD_SECONDS = 24 * 3600;
export const DEFAULT_TOMBSTONE_SECONDS = 7 * 24 * 3600;
export const DEFAULT_EVENT_SECONDS = 90 * 24 * 3600;
export const DEFAULT_OFFLINE_GRACE_SECONDS = 10;
/** Requests in ten seconds, and failed authentications in a minute. On Cloudflare they stand in wrangler.toml. */
export const DEFAULT_KEY_RATE = 1000;
export const DEFAULT_SITE_RATE = 500;
export const DEFAULT_FAILURE_RATE = 120;
export const MIN_OPERATOR_KEY_CHARACTERS = 32;
/** A session ends when it was not used for so long, and so long after it began however it was used. */
export const DEFAULT_SESSION_IDLE_SECONDS = 12 * 3600;
export const DEFAULT_SESSION_SECONDS = 7 * 24 * 3600;
/** Browsers keep no cookie for longer. */
const MAX_SESSION_SECONDS = 400 * 24 * 3600;

export interface Config {
  readonly operatorKey: string;
  /** The origins that agents may know this gateway by; empty: whatever origin a request was sent to. */
  readonly origins: readonly string[];
  /** How long a released VNI rests. */
  readonly vniHoldSeconds: number;
  /** How long a tombstone is kept: an agent away for longer pulls a snapshot. */
  readonly tombstoneSeconds: number;
  /** How long an event is kept. */
  readonly eventSeconds: number;
  /** For how long a site whose socket closed still counts as online: time to connect anew. */
  readonly offlineGraceSeconds: number;
  /** How much each key and each site may ask, and how often an address may come with a wrong credential. */
  readonly rates: { readonly key: Rate; readonly site: Rate; readonly failure: Rate };
  /** True where a proxy in front sets x-forwarded-for, so that it can be believed. */
  readonly trustProxy: boolean;
  readonly sessionIdleSeconds: number;
  readonly sessionSeconds: number;
  /** Who tells the gateway which person it is that signs in; null: nobody but keys is let in. */
  readonly identity: IdentityProvider | null;
  /** The e-mail addresses (in lower case) and subjects of persons who are the operator. */
  readonly operators: readonly string[];
}

/** Settings that can't be used: one line that names the setting and what would be right. */
export class ConfigError extends Error {}

/** @throws ConfigError */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const operatorKey = textOf(env, 'OVERLANE_OPERATOR_KEY') ?? '';
  if (operatorKey.length < MIN_OPERATOR_KEY_CHARACTERS) {
    throw new ConfigError(
      `OVERLANE_OPERATOR_KEY must be text of ${MIN_OPERATOR_KEY_CHARACTERS} characters or more, such as the output of: openssl rand -hex 32`,
    );
  }
  return {
    operatorKey,
    origins: originsOf(textOf(env, 'OVERLANE_ORIGIN') ?? ''),
    vniHoldSeconds: secondsOf(env, 'OVERLANE_VNI_HOLD_SECONDS') ?? DEFAULT_VNI_HOLD_SECONDS,
    tombstoneSeconds: secondsOf(env, 'OVERLANE_TOMBSTONE_SECONDS') ?? DEFAULT_TOMBSTONE_SECONDS,
    eventSeconds: secondsOf(env, 'OVERLANE_EVENT_SECONDS') ?? DEFAULT_EVENT_SECONDS,
    offlineGraceSeconds: secondsOf(env, 'OVERLANE_OFFLINE_GRACE_SECONDS') ?? DEFAULT_OFFLINE_GRACE_SECONDS,
    rates: {
      key: { limit: countOf(env, 'OVERLANE_KEY_RATE') ?? DEFAULT_KEY_RATE, periodSeconds: 10 },
      site: { limit: countOf(env, 'OVERLANE_SITE_RATE') ?? DEFAULT_SITE_RATE, periodSeconds: 10 },
      failure: { limit: countOf(env, 'OVERLANE_FAILURE_RATE') ?? DEFAULT_FAILURE_RATE, periodSeconds: 60 },
    },
    trustProxy: textOf(env, 'OVERLANE_TRUST_PROXY') === '1',
    sessionIdleSeconds: secondsOf(env, 'OVERLANE_SESSION_IDLE_SECONDS') ?? DEFAULT_SESSION_IDLE_SECONDS,
    sessionSeconds: sessionSecondsOf(env),
    identity: identityProviderOf(env),
    operators: listOf(textOf(env, 'OVERLANE_OPERATORS') ?? '').map((who) =>
      who.includes('@') ? who.toLowerCase() : who,
    ),
  };
}

function textOf(env: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = env[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function secondsOf(env: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new ConfigError(`${name} must be a whole number of seconds`);
  return Number(text);
}

function sessionSecondsOf(env: Readonly<Record<string, unknown>>): number {
  const seconds = secondsOf(env, 'OVERLANE_SESSION_SECONDS') ?? DEFAULT_SESSION_SECONDS;
  if (seconds <= MAX_SESSION_SECONDS) return seconds;
  throw new ConfigError(`OVERLANE_SESSION_SECONDS must be ${MAX_SESSION_SECONDS} (400 days) or less`);
}

function countOf(env: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new ConfigError(`${name} must be a whole number of requests, or 0 for no limit`);
  return Number(text);
}

function identityProviderOf(env: Readonly<Record<string, unknown>>): IdentityProvider | null {
  const issuer = textOf(env, 'OVERLANE_OIDC_ISSUER');
  const team = textOf(env, 'OVERLANE_ACCESS_TEAM');
  if (issuer !== undefined && team !== undefined) {
    throw new ConfigError('OVERLANE_OIDC_ISSUER or OVERLANE_ACCESS_TEAM can be set, not both');
  }
  if (issuer !== undefined) {
    const clientId = textOf(env, 'OVERLANE_OIDC_CLIENT_ID');
    if (clientId === undefined) throw new ConfigError('OVERLANE_OIDC_ISSUER takes OVERLANE_OIDC_CLIENT_ID too');
    const name = textOf(env, 'OVERLANE_OIDC_NAME') ?? urlOf('OVERLANE_OIDC_ISSUER', issuer).hostname;
    const clientSecret = textOf(env, 'OVERLANE_OIDC_CLIENT_SECRET') ?? null;
    return { kind: 'oidc', name, issuer, clientId, clientSecret };
  }
  if (team === undefined) return null;
  const audience = textOf(env, 'OVERLANE_ACCESS_AUD');
  if (audience === undefined)
    throw new ConfigError("OVERLANE_ACCESS_TEAM takes OVERLANE_ACCESS_AUD too: the application's AUD tag");
  return { kind: 'access', name: 'Cloudflare Access', team: urlOf('OVERLANE_ACCESS_TEAM', team).origin, audience };
}

/** What is said to be one's identity must not be said by whoever is on the way: plain http is for this machine. */
function urlOf(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) {
    throw new ConfigError(`${name} must be an https address, not "${text}"`);
  }
  return url;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function originsOf(text: string): string[] {
  return listOf(text).map((origin) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin.replace(/\/$/, '')) {
      throw new ConfigError(`OVERLANE_ORIGIN must be origins such as https://overlane.example.com, not "${origin}"`);
    }
    return new URL(origin).origin;
  });
}
