import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTransport, type TransportResponse } from '../../shared/transport.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');

const servers: Server[] = [];

/** @returns the origin of a server with the certificate for localhost, 127.0.0.1 and ::1. */
async function listen(host: string): Promise<string> {
  const server = createServer({ cert: fixture('server.pem'), key: fixture('server.key') }, (_request, response) => {
    response.end('hello');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return `https://${host}:${(server.address() as AddressInfo).port}`;
}

let origin: string;
beforeAll(async () => {
  origin = await listen('127.0.0.1');
});
afterAll(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
});

async function get(url: string, ca?: string): Promise<TransportResponse> {
  const transport = createTransport({ origin: url, ca });
  try {
    return await transport.request({ method: 'GET', path: '/', headers: {} });
  } finally {
    transport.close();
  }
}

test('a gateway whose CA is given is trusted', async () => {
  expect((await get(origin, fixture('ca.pem'))).body.toString()).toBe('hello');
});

test('a gateway whose CA is unknown is not, and the way out is named', async () => {
  await expect(get(origin)).rejects.toThrow('give its CA with --ca FILE');
});

test('a certificate for another name is not trusted, whoever signed it', async () => {
  await expect(get(await listen('127.0.0.2'), fixture('ca.pem'))).rejects.toThrow(/127\.0\.0\.2/);
});

test('plain http to a gateway that speaks TLS is an error in one line', async () => {
  await expect(get(origin.replace('https', 'http'))).rejects.toThrow(/^[^\n]+$/);
});
