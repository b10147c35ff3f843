/** The store as queries see it: Drizzle over the D1 interface, whichever host gives it. */
import type { D1Database, D1PreparedStatement, D1Result } from '@cloudflare/workers-types';
import { SQL, sql } from 'drizzle-orm';
import type { BatchItem } from 'drizzle-orm/batch';
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import type { Author } from '../domain/author.ts';

/**
 * `author`: who makes the changes that are written through this handle; the gateway itself where it is missing.
 * `claim`: statements that go into each batch of changes: see idempotency.ts.
 */
export type Database = DrizzleD1Database & {
  readonly $client: D1Database;
  readonly author?: Author;
  readonly claim?: readonly SQL[];
};
export type Write = SQL | BatchItem<'sqlite'>;

const dialect = new SQLiteAsyncDialect();

export function openDatabase(d1: D1Database): Database {
  return drizzle(d1);
}

/** @returns a handle of the same store, whose changes are this author's. */
export function writtenBy(db: Database, author: Author): Database {
  return Object.assign(Object.create(db) as Database, { author });
}

/** @returns a handle of the same store and author, whose every batch of changes has these statements too. */
export function claimedBy(db: Database, claim: readonly SQL[]): Database {
  return Object.assign(Object.create(db) as Database, { claim });
}

/** Makes all of the writes, in order, or none of them. */
export async function write(db: Database, writes: readonly Write[]): Promise<void> {
  await db.batch(toBatch(db, writes));
}

/** The same, then a read in the same transaction: what is read is what was written. @returns the result of `read`. */
export async function writeAndRead<R extends BatchItem<'sqlite'>>(
  db: Database,
  writes: readonly Write[],
  read: R,
): Promise<R['_']['result']> {
  const results: unknown[] = await db.batch(toBatch(db, [...writes, read]));
  return results.at(-1) as R['_']['result'];
}

/** Runs statements as one transaction. @returns the rows of each, under the names that the SQL gives its columns. */
export async function runAll(db: Database, statements: readonly SQL[]): Promise<unknown[][]> {
  const results = await db.$client.batch(statements.map((statement) => prepare(db, statement)));
  return results.map((result) => result.results);
}

/** True where the store answers and its tables are there. */
export async function answers(db: Database): Promise<boolean> {
  return (await db.all(sql`SELECT 1 FROM vni_pools LIMIT 1`)).length === 1;
}

function prepare(db: Database, statement: SQL): D1PreparedStatement {
  const query = dialect.sqlToQuery(statement);
  return db.$client.prepare(query.sql).bind(...query.params);
}

function toBatch(db: Database, writes: readonly Write[]): [BatchItem<'sqlite'>, ...BatchItem<'sqlite'>[]] {
  const items = [...(db.claim ?? []), ...writes];
  return items.map((item) => (item instanceof SQL ? toItem(db, item) : item)) as [BatchItem<'sqlite'>];
}

/** Drizzle's own raw statements lose their parameters in a D1 batch (0.45): this is what its batch asks of an item, and no more. */
function toItem(db: Database, statement: SQL): BatchItem<'sqlite'> {
  const query = dialect.sqlToQuery(statement);
  const prepared = {
    stmt: db.$client.prepare(query.sql),
    getQuery: () => query,
    mapResult: (result: D1Result) => result.results,
  };
  return { _prepare: () => prepared } as unknown as BatchItem<'sqlite'>;
}
