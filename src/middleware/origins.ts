import type { Context } from 'hono';
import type { AppEnv, Gateway } from '../gateway.ts';

/** The origins that this gateway is known by: those configured, else the one this request was sent to. */
export function originsFor(gateway: Gateway, c: Context<AppEnv>): readonly string[] {
  const { origins } = gateway.config;
  return origins.length > 0 ? origins : [new URL(c.req.url).origin];
}
