/** The live socket of the tenant that is shown: told of changes it has the page ask anew; lost it comes back, and catches up. */
import type { Live as LiveMessage } from '../../contract/live.ts';
import { signedOut } from './call.ts';
import { changedSoon } from './changes.ts';
import { forgetRates, noteTraffic } from './rates.ts';
import { createStore } from './store.ts';

export type Live =
  | { readonly phase: 'off' }
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live' }
  /** `since`: from when on what is shown may be old. */
  | { readonly phase: 'lost'; readonly since: number };

export const live = createStore<Live>({ phase: 'off' });

/** As the contract has it. */
const CLOSE_UNAUTHENTICATED = 4401;
const PING_MS = 25_000;
/** Without a word for so long, the socket is dead. */
const SILENT_MS = 60_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
/** For so long the gateway may repeat an answer that cost it much. */
const REPEATED_MS = 1000;

/** Follows a tenant until the returned function is called. */
export function follow(tenant: string): () => void {
  let socket: WebSocket | undefined;
  let retry: number | undefined;
  let pings: number | undefined;
  let heardAt = 0;
  let failures = 0;
  let isOver = false;
  live.set({ phase: 'connecting' });

  function connect(): void {
    clearTimeout(retry);
    socket = new WebSocket(`/v1/tenants/${encodeURIComponent(tenant)}/live`);
    socket.onopen = () => {
      failures = 0;
      heardAt = Date.now();
      // Whatever happened before the socket was there is asked for.
      changedSoon();
      live.set({ phase: 'live' });
      pings = setInterval(keepAlive, PING_MS) as unknown as number;
    };
    socket.onmessage = ({ data }) => {
      heardAt = Date.now();
      if (data !== 'pong') take(JSON.parse(String(data)) as LiveMessage);
    };
    socket.onclose = lost;
  }

  function keepAlive(): void {
    if (Date.now() - heardAt > SILENT_MS) socket?.close();
    else socket?.send('ping');
  }

  function lost({ code }: CloseEvent): void {
    clearInterval(pings);
    if (isOver) return;
    if (code === CLOSE_UNAUTHENTICATED) signedOut();
    const state = live.get();
    live.set({ phase: 'lost', since: state.phase === 'lost' ? state.since : Date.now() });
    const wait = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++);
    retry = setTimeout(connect, wait * (0.5 + Math.random())) as unknown as number;
  }

  const wake = (): void => {
    if (live.get().phase === 'lost') connect();
  };
  addEventListener('online', wake);
  connect();
  return () => {
    isOver = true;
    removeEventListener('online', wake);
    clearTimeout(retry);
    clearInterval(pings);
    socket?.close();
    forgetRates();
    live.set({ phase: 'off' });
  };
}

function take(message: LiveMessage): void {
  switch (message.type) {
    case 'traffic':
      return noteTraffic(message);
    case 'site':
      // No change of the registry: of a large tenant the gateway may say for a moment what it said before.
      setTimeout(changedSoon, REPEATED_MS);
      return changedSoon();
    case 'changed':
    case 'event':
      return changedSoon();
    default:
      return undefined;
  }
}
