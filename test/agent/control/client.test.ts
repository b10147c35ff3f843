import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClientOptions, createGatewayClient, enrollSite } from '../../../agent/control/client.ts';
import { createGatewayClock } from '../../../agent/control/clock.ts';
import { createTransport, type Transport } from '../../../shared/transport.ts';
import { ERRORS, type ErrorCode } from '../../../src/contract/errors.ts';
import { network, snapshot, vtep } from './tables.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const SITE = 'site-1';

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let origin: string;
let transport: Transport;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  transport = createTransport({ origin, silenceMs: 300, bodyBytes: 10_000 });
});
afterEach(async () => {
  transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function options(machineNow: () => number = Date.now): ClientOptions {
  return { transport, clock: createGatewayClock(machineNow), machineNow, origin, privateKey };
}

function client(machineNow?: () => number): ReturnType<typeof createGatewayClient> {
  return createGatewayClient(options(machineNow), SITE);
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, code: ErrorCode, headers: Record<string, string> = {}): void {
  const { status, title } = ERRORS[code];
  json(
    response,
    status,
    { type: 'about:blank', title, status, detail: `because ${code}`, code, requestId: 'r1' },
    headers,
  );
}

const TABLE = snapshot('c1', [network(9, { vteps: [vtep(2)] })]);

test('a request is signed by the site’s key for this gateway, for at most a minute', async () => {
  let authorization = '';
  answer = (request, response) => {
    authorization = request.headers.authorization ?? '';
    json(response, 200, TABLE);
  };
  await client().pull(null);
  const { payload, protectedHeader } = await jwtVerify(authorization.replace('Bearer ', ''), publicKey, {
    issuer: SITE,
    audience: origin,
    algorithms: ['EdDSA'],
  });
  expect(protectedHeader.kid).toBe(SITE);
  expect(payload.exp! - payload.iat!).toBe(60);
});

test('a table is taken, with the cursor asked for, gzip or not', async () => {
  const urls: (string | undefined)[] = [];
  answer = (request, response) => {
    urls.push(request.url);
    if (urls.length === 1) return json(response, 200, TABLE);
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(gzipSync(JSON.stringify(TABLE)));
  };
  expect(await client().pull(null)).toEqual({ kind: 'updated', update: TABLE });
  expect(await client().pull('a b&c')).toEqual({ kind: 'updated', update: TABLE });
  expect(urls).toEqual(['/v1/agent/tables', '/v1/agent/tables?cursor=a%20b%26c']);
});

test('304 means nothing new where a cursor was sent, and nothing at all where none was', async () => {
  answer = (_request, response) => void response.writeHead(304).end();
  expect(await client().pull('c1')).toEqual({ kind: 'not-modified' });
  expect((await client().pull(null)).kind).toBe('unavailable');
});

test('what is not wholly a table is no table', async () => {
  const whole = JSON.stringify(TABLE);
  const bodies = ['', '{}', '[]', 'null', '<html>Please log in</html>', whole.slice(0, -1), `${whole}x`];
  bodies.push(whole.replace('"vni":9', '"vni":"9"'), whole.replace('10.0.0.2', '10.0.0.256'));
  for (const body of bodies) {
    answer = (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(body);
    expect(await client().pull('c1'), body).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(/^answered 200/),
    });
  }
});

test('the field that makes a table malformed is named', async () => {
  answer = (_request, response) =>
    void response.writeHead(200).end(JSON.stringify(TABLE).replace('10.0.0.2', '10.0.0.256'));
  const pulled = await client().pull(null);
  expect(pulled).toMatchObject({ reason: expect.stringContaining('networks.0.vteps.0.address: must be an IPv4') });
});

test('a gateway that fails is unavailable, for as long as it asks', async () => {
  answer = (_request, response) => problem(response, 'unavailable', { 'retry-after': '7' });
  expect(await client().pull('c1')).toEqual({
    kind: 'unavailable',
    reason: 'answered 503: because unavailable',
    retryAfterSeconds: 7,
  });
  answer = (_request, response) => void response.writeHead(429, { 'retry-after': 'Wed, 21 Oct' }).end('slow down');
  expect(await client().pull('c1')).toEqual({ kind: 'unavailable', reason: expect.stringContaining('answered 429') });
});

test('a refusal is one only in the gateway’s own words: a proxy’s 403 is not', async () => {
  answer = (_request, response) => problem(response, 'site_disabled');
  expect(await client().pull('c1')).toEqual({
    kind: 'refused',
    code: 'site_disabled',
    detail: 'because site_disabled',
  });
  answer = (_request, response) =>
    void response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Forbidden</h1>');
  expect(await client().pull('c1')).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringContaining('text/html'),
  });
  answer = (_request, response) => json(response, 403, { code: 'site_disabled' });
  expect((await client().pull('c1')).kind).toBe('unavailable');
});

test('a redirect is not followed: the token is for this gateway alone', async () => {
  let requests = 0;
  answer = (_request, response) => {
    requests++;
    response.writeHead(302, { location: 'http://portal.example/' }).end();
  };
  expect(await client().pull('c1')).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringContaining('portal.example'),
  });
  expect(requests).toBe(1);
});

test('a gateway that says nothing, or stops in the middle, is unavailable after the time for silence', async () => {
  answer = () => {};
  expect(await client().pull('c1')).toEqual({ kind: 'unavailable', reason: 'no answer within 0.3 s' });
  answer = (_request, response) => void response.writeHead(200, { 'content-length': '100' }).write('{"kind"');
  expect(await client().pull('c1')).toEqual({ kind: 'unavailable', reason: 'no answer within 0.3 s' });
  answer = (request) => void request.socket.destroy();
  expect((await client().pull('c1')).kind).toBe('unavailable');
});

test('an answer beyond all bounds is cut off, also one that unpacks to it', async () => {
  const huge = `"${'x'.repeat(20_000)}"`;
  answer = (_request, response) => void response.writeHead(200).end(huge);
  expect(await client().pull('c1')).toMatchObject({ reason: 'an answer of more than 10000 bytes' });
  answer = (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(huge));
  expect((await client().pull('c1')).kind).toBe('unavailable');
});

test('nobody at the address is unavailable, with the system’s word for it', async () => {
  answer = () => {};
  const nobody = createTransport({ origin: 'http://127.0.0.1:1' });
  const pulled = await createGatewayClient(
    { ...options(), transport: nobody, origin: 'http://127.0.0.1:1' },
    SITE,
  ).pull(null);
  expect(pulled).toEqual({ kind: 'unavailable', reason: expect.stringContaining('ECONNREFUSED') });
});

test('a kept connection that the gateway closed meanwhile costs a second try, not a failure', async () => {
  let requests = 0;
  answer = (request, response) => {
    requests++;
    if (requests === 2) request.socket.resetAndDestroy();
    else json(response, 200, TABLE);
  };
  expect((await client().pull(null)).kind).toBe('updated');
  expect((await client().pull(null)).kind).toBe('updated');
  expect(requests).toBe(3);
});

test.each([-600_000, 600_000])(
  'a clock %i ms off is corrected by the gateway’s Date after one refusal',
  async (off) => {
    let refusals = 0;
    answer = async (request, response) => {
      try {
        await jwtVerify(request.headers.authorization!.replace('Bearer ', ''), publicKey, {
          clockTolerance: 60,
          maxTokenAge: 120,
        });
        json(response, 200, TABLE);
      } catch {
        refusals++;
        problem(response, 'token_expired');
      }
    };
    const site = client(() => Date.now() + off);
    expect((await site.pull(null)).kind).toBe('updated');
    expect((await site.pull(null)).kind).toBe('updated');
    expect(refusals).toBe(1);
  },
);

test('a gateway that calls every token expired is asked twice, not for ever', async () => {
  let requests = 0;
  answer = (_request, response) => {
    requests++;
    problem(response, 'token_expired');
  };
  expect(await client().pull(null)).toMatchObject({ kind: 'refused', code: 'token_expired' });
  expect(requests).toBe(2);
});

test('an enrolment proves the possession of the key, and names the faults it is answered with', async () => {
  const { x } = publicKey.export({ format: 'jwk' });
  const enroll = { token: 'olj_a_b', name: 'berlin', publicKey: x!, vtep: { port: 4789 }, version: '1.0.0' };
  const enrolled = { site: SITE, tenant: 'acme', name: 'berlin', vtep: { address: '10.0.0.1', port: 4789 } };
  let kid: string | undefined;
  answer = async (request, response) => {
    const { protectedHeader } = await jwtVerify(request.headers.authorization!.replace('Bearer ', ''), publicKey, {
      issuer: x!,
    });
    kid = protectedHeader.kid;
    json(response, 201, enrolled);
  };
  expect(await enrollSite(options(), enroll)).toEqual({ kind: 'enrolled', enrolled });
  expect(kid).toBe(x);
  // What is printed, stored, and written to devices.
  for (const odd of [
    { site: 'a vni 9' },
    { tenant: '\u001b[2J' },
    { name: '../x' },
    { vtep: { address: 'x', port: 0 } },
  ]) {
    answer = (_request, response) => json(response, 201, { ...enrolled, ...odd });
    expect(await enrollSite(options(), enroll)).toMatchObject({ kind: 'unavailable' });
  }
  answer = (_request, response) => problem(response, 'join_token_expired');
  expect(await enrollSite(options(), enroll)).toMatchObject({ kind: 'refused', code: 'join_token_expired' });
});

test('a heartbeat is accepted by 204 and nothing else', async () => {
  answer = (_request, response) => void response.writeHead(204).end();
  expect(await client().heartbeat({ cursor: 'c1', networks: [], version: '1.0.0' })).toEqual({ kind: 'accepted' });
  answer = (_request, response) => void response.writeHead(200).end('OK');
  expect((await client().heartbeat({ cursor: 'c1', networks: [], version: '1.0.0' })).kind).toBe('unavailable');
});

test('what a gateway says comes to the log as one bounded line, without what moves a terminal', async () => {
  answer = (_request, response) => {
    const { status, title } = ERRORS.forbidden;
    const detail = `no\u001b[2J \u0007${'x'.repeat(5000)}\nlevel=info all is well`;
    json(response, status, { type: 'about:blank', title, status, detail, code: 'forbidden', requestId: 'r1' });
  };
  const pulled = await client().pull('c1');
  expect(pulled).toMatchObject({ kind: 'refused', detail: expect.stringMatching(/^no \[2J +x+$/) });
  expect(JSON.stringify(pulled).length).toBeLessThan(1100);
});

test('nothing that a failed request leaves to be logged holds the token', async () => {
  const answers: (typeof answer)[] = [
    (request, response) => void response.writeHead(500).end(request.headers.authorization),
    (request, response) => void response.writeHead(200).end(request.headers.authorization),
    (_request, response) => problem(response, 'unauthenticated'),
    (request) => void request.socket.destroy(),
  ];
  for (const next of answers) {
    answer = next;
    expect(JSON.stringify(await client().pull('c1'))).not.toContain('eyJ');
  }
});
