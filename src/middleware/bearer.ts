import type { Context } from 'hono';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../gateway.ts';

/** @returns the bearer credential. @throws Refusal `unauthenticated` where there is none. */
export function bearerOf(c: Context<AppEnv>): string {
  const credential = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (credential === undefined) {
    throw new Refusal('unauthenticated', 'Send a credential: Authorization: Bearer <key>.');
  }
  return credential;
}
