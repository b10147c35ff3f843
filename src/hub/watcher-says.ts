/** What an agent says over its socket, read where the host hears it. */
import * as v from 'valibot';
import { WatcherSaysSchema } from '../contract/watch.ts';
import type { AgentSession } from '../db/agent-sessions.ts';
import { positionAt, type WatcherState } from '../domain/fan-out.ts';

/** @returns what the hub must know of a site that begins to watch. */
export function stateOf({ site, tenant }: AgentSession, cursor: string): WatcherState {
  const owner = { epoch: tenant.epoch, siteId: site.id };
  return { ...owner, publicKey: site.publicKey, position: positionAt(owner, cursor) };
}

/** @returns the state after the agent said `text`, or null where that is none of what an agent may say. */
export function stateAfter(state: WatcherState, text: string): WatcherState | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const said = v.safeParse(WatcherSaysSchema, json);
  return said.success ? { ...state, position: positionAt(state, said.output.cursor) } : null;
}
