/** The gateway's settings, from the environment: a Worker's variables and secrets, or a process's. */

export const DEFAULT_VNI_HOLD_SECONDS = 24 * 3600;
export const DEFAULT_TOMBSTONE_SECONDS = 7 * 24 * 3600;
export const DEFAULT_EVENT_SECONDS = 90 * 24 * 3600;
export const DEFAULT_OFFLINE_GRACE_SECONDS = 10;
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
