import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { purgeEvents } from '../../src/db/events.ts';
import type { Hub } from '../../src/gateway.ts';
import { keepHouse } from '../../src/housekeeping.ts';
import { memoryStore } from './memory-store.ts';
import { testSettings } from './settings.ts';

test('events before the given time are forgotten, so many at once at most, and none where the oldest may stay', async () => {
  const { db, close } = memoryStore();
  for (let at = 1; at <= 10; at++) {
    await db.run(sql`INSERT INTO events (tenant_id, at, kind, revision, actor, subject)
      VALUES ('t', ${at}, 'network_created', ${at}, '{"kind": "system"}', 's')`);
  }
  const left = async (): Promise<number[]> =>
    (await db.all<{ at: number }>(sql`SELECT at FROM events ORDER BY id`)).map(({ at }) => at);
  await purgeEvents(db, 1);
  expect(await left()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await purgeEvents(db, 9, 3);
  expect(await left()).toEqual([4, 5, 6, 7, 8, 9, 10]);
  await purgeEvents(db, 9);
  expect(await left()).toEqual([9, 10]);
  close();
});

test('what is due is forgotten as fast as callers may write it', async () => {
  const { db, close } = memoryStore();
  const many = sql`FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) SELECT i FROM n)`;
  await db.run(sql`INSERT INTO events (tenant_id, at, kind, revision, actor, subject)
    SELECT 't', 1, 'network_created', 1, '{"kind": "system"}', 's' ${many}`);
  await db.run(
    sql`INSERT INTO idempotency_keys (scope, key, fingerprint, claim, created_at) SELECT 's', i, 'f', 'c', 1 ${many}`,
  );
  await db.run(sql`INSERT INTO macs (tenant_id, network_id, mac, site_id, sticky, state, revision, added_revision, gone_at, hash)
    SELECT 't', 'n', i, 's', 0, 'gone', 1, 1, 1, 1 ${many}`);
  await db.run(
    sql`INSERT INTO sessions (id, hash, created_at, used_at, expires_at, ends_at) SELECT i, 'h', 1, 1, 1, 1 ${many}`,
  );
  await db.run(sql`INSERT INTO site_history (tenant_id, hour, site_id, samples) SELECT 't', 1, i, '[]' ${many}`);
  const hub = { tell: async () => {}, look: async () => {} } as unknown as Hub;
  const log = { error: (fields: object) => expect(fields).toBeUndefined() };
  await keepHouse({ db, now: () => 1e13, config: readConfig(testSettings), hub, log });
  for (const table of ['events', 'idempotency_keys', 'macs', 'sessions', 'site_history']) {
    expect(await db.all(sql`SELECT 1 FROM ${sql.raw(table)}`), table).toEqual([]);
  }
  close();
});
