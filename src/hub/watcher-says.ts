/** What an agent says over its socket, read where the host hears it. */
import * as v from 'valibot';
import { isOfUnknownType, type WatcherSays, WatcherSaysSchema } from '../contract/watch.ts';
import type { AgentSession } from '../db/agent-sessions.ts';
import { positionAt, type WatcherState } from '../domain/fan-out.ts';

/** @returns what the hub must know of a site that begins to watch. */
export function stateOf({ site, tenant }: AgentSession, cursor: string): WatcherState {
  const owner = { epoch: tenant.epoch, siteId: site.id };
  return { ...owner, publicKey: site.publicKey, position: positionAt(owner, cursor) };
}

/** What was heard of an agent: `unknown` is of a newer one's, and passed over; `malformed` is nothing that any agent says. */
export type Heard = WatcherSays | { readonly type: 'unknown' } | { readonly type: 'malformed' };

export function readWatcher(text: string): Heard {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { type: 'malformed' };
  }
  const said = v.safeParse(WatcherSaysSchema, json, { abortEarly: true });
  if (said.success) return said.output;
  return isOfUnknownType(json) ? { type: 'unknown' } : { type: 'malformed' };
}

/** @returns the state of a watcher that said that it holds the table of `cursor`. */
export function stateAt(state: WatcherState, cursor: string): WatcherState {
  return { ...state, position: positionAt(state, cursor) };
}
