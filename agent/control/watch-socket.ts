/** The WebSocket over which the gateway tells of changes, as a few events: where the handshake fails it is closed, like any other. */
import { WebSocket } from 'ws';
import { oneLine, reasonOf } from '../../shared/failure.ts';
import { CONTRACT_HEADER, CONTRACT_VERSION } from '../../src/contract/version.ts';
import type { ClientOptions } from './client.ts';
import { signToken } from './token.ts';

const HANDSHAKE_MS = 10_000;
/** The other side's close is over after this, whether or not it also ends the connection. */
const CLOSE_MS = 250;
/** A change of tens of thousands of entries fits; more than that the gateway doesn't push. */
const MESSAGE_BYTES = 64 * 2 ** 20;

export interface WatchEvents {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Once, and nothing after it. `code` is the gateway's where it gave one; `reason` is one line. */
  readonly onClosed: (closed: WatchClosed) => void;
}

export interface WatchClosed {
  readonly code: number | null;
  readonly reason: string;
}

export interface WatchSocket {
  send(text: string): void;
  /** Ends it at once, without waiting for the other side. */
  end(): void;
}

/** @param cursor of the table that is held, or null. */
export type OpenWatch = (cursor: string | null, events: WatchEvents) => WatchSocket;

/** @param site the site's id. */
export function watchOpener(options: ClientOptions, site: string): OpenWatch {
  return (cursor, events) => {
    let socket: WebSocket | null = null;
    let over = false;
    const close = (closed: WatchClosed): void => {
      if (over) return;
      over = true;
      socket?.terminate();
      events.onClosed(closed);
    };
    connect(options, site, cursor).then(
      (made) => {
        if (over) return made.on('error', () => {}).terminate();
        socket = made;
        socket.on('open', () => events.onOpen());
        socket.on('message', (data) => {
          if (!over) events.onText(String(data));
        });
        socket.on('unexpected-response', (_, response) => {
          options.clock.observe(response.headers.date, options.machineNow());
          close({ code: null, reason: `answered ${response.statusCode} to a WebSocket` });
        });
        socket.on('error', (error) => close({ code: null, reason: reasonOf(error) }));
        socket.on('close', (code, reason) => {
          close({ code, reason: oneLine(`closed with ${code} ${String(reason)}`) });
        });
      },
      (error: unknown) => close({ code: null, reason: reasonOf(error) }),
    );
    return {
      send: (text) => socket?.send(text),
      end: () => close({ code: null, reason: 'ended here' }),
    };
  };
}

async function connect(options: ClientOptions, site: string, cursor: string | null): Promise<WebSocket> {
  const { transport, clock, origin, privateKey } = options;
  const token = await signToken(privateKey, site, origin, clock.now());
  const url = new URL('/v1/agent/watch', origin);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (cursor !== null) url.searchParams.set('cursor', cursor);
  const settings = {
    agent: transport.agent,
    headers: { authorization: `Bearer ${token}`, [CONTRACT_HEADER]: CONTRACT_VERSION },
    handshakeTimeout: HANDSHAKE_MS,
    closeTimeout: CLOSE_MS,
    maxPayload: MESSAGE_BYTES,
    perMessageDeflate: false,
  };
  return new WebSocket(url, settings);
}
