import type { D1Database } from '@cloudflare/workers-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteD1 } from '../../src/hosts/node/d1-on-sqlite.ts';
import { testSettings } from './settings.ts';
import { workerHarness } from './worker-harness.ts';

/** The D1 interface as the gateway uses it: what is true of Cloudflare's is true of ours. */
function d1Suite(name: string, open: () => Promise<{ d1: D1Database; close: () => unknown }>): void {
  describe(name, () => {
    let d1: D1Database;
    let close: () => unknown = () => {};
    beforeAll(async () => {
      ({ d1, close } = await open());
      await d1
        .prepare("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, CONSTRAINT no_x CHECK (name <> 'x'))")
        .run();
    });
    afterAll(() => close());

    test('rows come as objects, the first one alone, and as arrays that keep two columns of one name', async () => {
      await d1.prepare('INSERT INTO t VALUES (?, ?), (?, ?)').bind(1, 'a', 2, null).run();
      const all = await d1.prepare('SELECT * FROM t ORDER BY id').all();
      expect(all).toMatchObject({
        success: true,
        results: [
          { id: 1, name: 'a' },
          { id: 2, name: null },
        ],
      });
      expect(await d1.prepare('SELECT * FROM t WHERE id = ?').bind(1).first()).toEqual({ id: 1, name: 'a' });
      expect(await d1.prepare('SELECT name FROM t WHERE id = ?').bind(1).first('name')).toBe('a');
      expect(await d1.prepare('SELECT * FROM t WHERE id = 9').first()).toBeNull();
      expect(await d1.prepare('SELECT id, name, id FROM t WHERE id = 1').raw()).toEqual([[1, 'a', 1]]);
      expect(await d1.prepare('SELECT id FROM t WHERE id = 1').raw({ columnNames: true })).toEqual([['id'], [1]]);
    });

    test('a write says how many rows it changed and the last id, and RETURNING gives rows', async () => {
      const { meta } = await d1.prepare('INSERT INTO t VALUES (?, ?)').bind(10, 'ten').run();
      expect(meta).toMatchObject({ changes: 1, last_row_id: 10 });
      expect((await d1.prepare('UPDATE t SET name = ? WHERE id = 99').bind('q').run()).meta.changes).toBe(0);
      const { results } = await d1.prepare('INSERT INTO t VALUES (11, ?) RETURNING id').bind('eleven').run();
      expect(results).toEqual([{ id: 11 }]);
    });

    test('a batch is all or nothing, and a later statement sees what an earlier one did', async () => {
      const insert = d1.prepare('INSERT INTO t VALUES (?, ?)');
      const [, seen] = await d1.batch<{ n: number }>([
        insert.bind(20, 'b20'),
        d1.prepare('SELECT count(*) AS n FROM t WHERE id = 20'),
      ]);
      expect(seen!.results).toEqual([{ n: 1 }]);
      await expect(d1.batch([insert.bind(21, 'b21'), insert.bind(22, 'b20')])).rejects.toThrow();
      expect(await d1.prepare('SELECT id FROM t WHERE id = 21').first()).toBeNull();
    });

    test('an error carries SQLite’s words: the constraint that failed, by its columns or its name', async () => {
      const insert = d1.prepare('INSERT INTO t (name) VALUES (?)');
      await expect(insert.bind('x').run()).rejects.toThrow(
        /D1_ERROR.*CHECK constraint failed: no_x.*SQLITE_CONSTRAINT/,
      );
      await insert.bind('twice').run();
      await expect(insert.bind('twice').run()).rejects.toThrow(
        /D1_ERROR.*UNIQUE constraint failed: t\.name.*SQLITE_CONSTRAINT/,
      );
      await expect(d1.prepare('SELECT absent').all()).rejects.toThrow(/D1_ERROR.*no such column: absent/);
    });

    test('true and false are stored as 1 and 0, 48-bit numbers exactly, and undefined is refused', async () => {
      const select = d1.prepare('SELECT ? AS a, ? AS b, (? & 0xffffffffffff) AS c');
      expect(await select.bind(true, false, 2 ** 48 - 1).first()).toEqual({ a: 1, b: 0, c: 2 ** 48 - 1 });
      expect(await d1.prepare('SELECT (3 - ?) & 0xffffffffffff AS wrapped').bind(5).first()).toEqual({
        wrapped: 2 ** 48 - 2,
      });
      expect(() => d1.prepare('SELECT ?').bind(undefined).first()).toThrow('D1_TYPE_ERROR');
    });

    test('exec runs several statements', async () => {
      await d1.exec("INSERT INTO t VALUES (30, 'e30');\nINSERT INTO t VALUES (31, 'e31');");
      expect(await d1.prepare('SELECT count(*) AS n FROM t WHERE id IN (30, 31)').first('n')).toBe(2);
    });
  });
}

d1Suite('our own, over node:sqlite', async () => {
  const { d1, close } = openSqliteD1(':memory:');
  return { d1, close };
});

d1Suite('the simulator of Cloudflare’s', async () => {
  const harness = workerHarness(testSettings);
  await harness.listen();
  const { DB } = (await harness.getWorker().getEnv()) as { DB: D1Database };
  return { d1: DB, close: () => harness.close() };
});
