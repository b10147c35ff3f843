import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { purgeEvents } from '../../src/db/events.ts';
import { memoryStore } from './memory-store.ts';

test('events before the given time are forgotten, so many at once at most, and none where the oldest may stay', async () => {
  const { db, close } = await memoryStore();
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
