/** The gateway's settings, from the environment: a Worker's variables and secrets, or a process's. */
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

function countOf(env: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = textOf(env, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new ConfigError(`${name} must be a whole number of requests, or 0 for no limit`);
  return Number(text);
}

function originsOf(text: string): string[] {
  return text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
    .map((origin) => {
      if (!URL.canParse(origin) || new URL(origin).origin !== origin.replace(/\/$/, '')) {
        throw new ConfigError(`OVERLANE_ORIGIN must be origins such as https://overlane.example.com, not "${origin}"`);
      }
      return new URL(origin).origin;
    });
}
