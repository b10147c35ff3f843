import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createGatewayClock } from '../../../agent/control/clock.ts';
import { type WatchClosed, type WatchSocket, watchOpener } from '../../../agent/control/watch-socket.ts';
import { createTransport, type Transport } from '../../../shared/transport.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

let server: Server;
let sockets: WebSocketServer;
let origin: string;
let transport: Transport;

beforeEach(async () => {
  server = createServer();
  sockets = new WebSocketServer({ noServer: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  transport = createTransport({ origin });
});
afterEach(async () => {
  transport.close();
  for (const socket of sockets.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

/** Opens one, and gives what comes of it. */
function open(cursor: string | null): {
  readonly socket: WatchSocket;
  readonly opened: Promise<void>;
  readonly closed: Promise<WatchClosed>;
  readonly texts: string[];
} {
  const texts: string[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<WatchClosed>();
  const clock = createGatewayClock(Date.now);
  const options = { transport, clock, machineNow: Date.now, origin, privateKey };
  const socket = watchOpener(options, 'site-1')(cursor, {
    onOpen: opened.resolve,
    onText: (text) => void texts.push(text),
    onClosed: closed.resolve,
  });
  return { socket, opened: opened.promise, closed: closed.promise, texts };
}

/** Takes the next upgrade. */
async function taken(): Promise<{ url: string; authorization: string; theirs: WebSocket }> {
  const [request, socket, head] = await once(server, 'upgrade');
  const theirs = await new Promise<WebSocket>((resolve) => sockets.handleUpgrade(request, socket, head, resolve));
  return { url: request.url, authorization: request.headers.authorization, theirs };
}

test('it asks with the site’s token and its cursor, and text goes both ways', async () => {
  const watch = open('a b/c');
  const { url, authorization, theirs } = await taken();
  await watch.opened;
  expect(new URL(url, origin).searchParams.get('cursor')).toBe('a b/c');
  const { payload } = await jwtVerify(authorization.replace('Bearer ', ''), publicKey, { audience: origin });
  expect(payload.iss).toBe('site-1');
  watch.socket.send('hello');
  expect(String((await once(theirs, 'message'))[0])).toBe('hello');
  theirs.send('news');
  theirs.close(4403, 'site_disabled');
  expect(await watch.closed).toEqual({ code: 4403, reason: 'closed with 4403 site_disabled' });
  expect(watch.texts).toEqual(['news']);
});

test('a handshake that is refused, or that nobody answers, is a close with its reason', async () => {
  server.once('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'));
  expect(await open(null).closed).toEqual({ code: null, reason: 'answered 403 to a WebSocket' });
  server.once('upgrade', (_, socket) => socket.destroy());
  expect(await open(null).closed).toMatchObject({ code: null, reason: expect.stringMatching(/hang up|reset/i) });
});

test('one that is ended here is over at once, whether it was open or not', async () => {
  const early = open(null);
  early.socket.end();
  expect(await early.closed).toEqual({ code: null, reason: 'ended here' });
  const late = open(null);
  const { theirs } = await taken();
  await late.opened;
  const gone = once(theirs, 'close');
  late.socket.end();
  expect(await late.closed).toEqual({ code: null, reason: 'ended here' });
  await gone;
});

test('over TLS it trusts what the transport trusts, and nothing else', async () => {
  const pem = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8');
  const secure = createTlsServer({ key: pem('server.key'), cert: pem('server.pem') });
  secure.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}));
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  origin = `https://localhost:${(secure.address() as AddressInfo).port}`;
  transport = createTransport({ origin });
  expect(await open(null).closed).toMatchObject({ code: null, reason: expect.stringMatching(/certificate/i) });
  transport = createTransport({ origin, ca: pem('ca.pem') });
  const watch = open(null);
  await watch.opened;
  watch.socket.end();
  await new Promise((resolve) => secure.close(resolve));
});
