import type { Context } from 'hono';
import type { Actor } from '../contract/events.ts';
import type { Author } from '../domain/author.ts';
import type { AppEnv, Gateway } from '../gateway.ts';

/** @returns the author of what this request changes. */
export function authorOf(gateway: Gateway, c: Context<AppEnv>, actor: Actor): Author {
  return { actor, address: gateway.clientAddress(c), requestId: c.get('requestId'), at: gateway.now() };
}
