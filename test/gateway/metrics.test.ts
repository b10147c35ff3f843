import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { Caller, type Host, newAgent, newTenant } from './host.ts';
import { testSettings } from './settings.ts';

let running: RunningGateway;
let host: Host;
beforeAll(async () => {
  running = await startGateway({
    config: readConfig(testSettings),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  host = {
    url: running.url,
    operatorKey: testSettings.OVERLANE_OPERATOR_KEY,
    holdSeconds: 3,
    keepHouse: async () => {},
    write: async () => {},
    forget: async () => {},
    close: running.close,
  };
});
afterAll(() => running.close());

/** The text format's grammar, as far as this gateway writes it. */
const LINE = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+)$/;

test('the operator’s Prometheus gets requests, their times, sites and VNIs; nobody else gets anything', async () => {
  const tenant = await newTenant(host);
  const { admin, operator, at } = tenant;
  for (const name of ['a', 'b']) await admin.made('POST', `${at}/networks`, { name });
  await admin.refused('POST', `${at}/networks`, { name: 'a' });
  await admin.call('DELETE', `${at}/networks/b`);
  await newAgent(host, tenant);
  await admin.made('POST', `${at}/sites`, { name: 's', kind: 'static', vtep: { address: '192.0.2.1' } });
  await admin.call('GET', '/v1/nowhere/at/all');

  const answer = await operator.get<string>('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = answer.body.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(LINE);
  const route = 'method="POST",route="/v1/tenants/:tenant/networks"';
  for (const line of [
    `overlane_http_requests_total{${route},status="201"} 2`,
    `overlane_http_requests_total{${route},status="409"} 1`,
    'overlane_http_requests_total{method="none",route="none",status="404"} 1',
    `overlane_http_request_duration_seconds_bucket{${route},le="+Inf"} 3`,
    `overlane_http_request_duration_seconds_count{${route}} 3`,
    'overlane_tenants 1',
    'overlane_networks 1',
    'overlane_sites{status="online"} 1',
    'overlane_sites{status="static"} 1',
    'overlane_sockets 0',
    'overlane_vnis{pool="shared",state="used"} 1',
    'overlane_vnis{pool="shared",state="quarantined"} 1',
    `overlane_vnis{pool="shared",state="free"} ${16_777_215 - 4096 + 1 - 2}`,
  ]) {
    expect(lines).toContain(line);
  }
  const buckets = lines.filter((line) => line.startsWith(`overlane_http_request_duration_seconds_bucket{${route}`));
  const counts = buckets.map((line) => Number(line.split(' ').at(-1)));
  expect(counts).toEqual([...counts].sort((a, b) => a - b));

  expect(await admin.refused('GET', '/metrics')).toMatchObject({ status: 403 });
  expect(await new Caller(host.url, null).refused('GET', '/metrics')).toMatchObject({ status: 401 });
});
