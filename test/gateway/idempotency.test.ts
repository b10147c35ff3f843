import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { claimedBy } from '../../src/db/database.ts';
import { claimKey, forgetClaim, held, keepAnswer, purgeIdempotencyKeys } from '../../src/db/idempotency.ts';
import { createNetwork, listNetworks } from '../../src/db/networks.ts';
import { refusalOf } from '../../src/db/store-error.ts';
import { createTenant } from '../../src/db/tenants.ts';
import { startGateway } from '../../src/hosts/node/start-gateway.ts';
import { memoryStore } from './memory-store.ts';
import { testSettings } from './settings.ts';

const DAY = 24 * 3600_000;
const of = { scope: 'operator', key: 'k' };

async function store() {
  const { db, close } = memoryStore();
  await createTenant(db, { id: 't', epoch: 'e', now: 0 }, { slug: 't', name: 't' });
  const claim = (name: string, now: number) => claimKey(db, of, { fingerprint: 'f', claim: name, now });
  const networks = async () => (await listNetworks(db, 't', { limit: 100, after: '' })).items.length;
  const createAs = (name: string) =>
    createNetwork(claimedBy(db, held(of, name)), 't', { id: name, now: 1 }, { name }).then(
      () => 'made',
      (error: unknown) => refusalOf(error)?.code,
    );
  return { db, close, claim, networks, createAs };
}

test('a claim that came to nothing for a minute is taken over, and whoever held it before changes nothing more', async () => {
  const { close, claim, networks, createAs } = await store();
  expect((await claim('first', 0)).claim).toBe('first');
  expect((await claim('second', 59_999)).claim).toBe('first');
  expect((await claim('second', 60_000)).claim).toBe('second');
  expect(await createAs('first')).toBe('idempotency_in_progress');
  expect(await createAs('second')).toBe('made');
  expect(await networks()).toBe(1);
  close();
});

test('what was done is never done again, though its answer was lost, for a day', async () => {
  const { db, close, claim, createAs } = await store();
  await claim('first', 0);
  await createAs('first');
  await forgetClaim(db, of, 'first');
  expect(await claim('second', DAY - 1)).toMatchObject({ claim: 'first', done: 1, status: null });
  expect((await claim('second', DAY)).claim).toBe('second');
  close();
});

test('answers are forgotten after a day, by a claim or by housekeeping', async () => {
  const { db, close, claim } = await store();
  await claim('first', 0);
  await keepAnswer(db, of, 'first', { status: 201, answer: 'sealed' });
  const count = async () => (await db.all(sql`SELECT 1 FROM idempotency_keys`)).length;
  await purgeIdempotencyKeys(db, DAY - 1);
  expect(await count()).toBe(1);
  expect(await claim('second', DAY - 1)).toMatchObject({ claim: 'first', status: 201 });
  await purgeIdempotencyKeys(db, DAY);
  expect(await count()).toBe(0);
  close();
});

test('a key that is used again after a day keeps no other from being forgotten', async () => {
  const { db, close, claim } = await store();
  await claim('first', 0);
  await claimKey(db, { scope: 'operator', key: 'other' }, { fingerprint: 'f', claim: 'c', now: 1 });
  expect((await claim('again', DAY)).claim).toBe('again');
  expect(await purgeIdempotencyKeys(db, DAY + 1)).toBe(1);
  expect(await db.all(sql`SELECT key FROM idempotency_keys`)).toEqual([{ key: 'k' }]);
  close();
});

test('the store holds no secret of an answer in clear, and a caller whose answer can’t be opened is told that it was done', async () => {
  const config = readConfig(testSettings);
  const { gateway, url, close } = await startGateway({
    config,
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  const { db } = gateway;
  const post = async (path: string, body: object) => {
    const headers = {
      authorization: `Bearer ${config.operatorKey}`,
      'content-type': 'application/json',
      'idempotency-key': path,
    };
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as { key: string; token: string; code: string };
  };
  await post('/v1/tenants', { slug: 't', name: 't' });
  const { key } = await post('/v1/tenants/t/api-keys', { name: 'k', role: 'admin' });
  const { token } = await post('/v1/tenants/t/join-tokens', {});
  const kept = JSON.stringify(await db.all(sql`SELECT * FROM idempotency_keys`));
  for (const secret of [key, token]) {
    expect(secret.length).toBeGreaterThan(60);
    expect(kept).not.toContain(secret.slice(31));
  }
  await db.run(
    sql`UPDATE idempotency_keys SET answer = (SELECT answer FROM idempotency_keys WHERE key LIKE '%join-tokens')`,
  );
  expect(await post('/v1/tenants/t/api-keys', { name: 'k', role: 'admin' })).toMatchObject({
    code: 'idempotency_answer_lost',
  });
  await close();
});
