/** A store that adds up what its own `meta` says of every call: what D1 bills. */
import type { D1Database, D1Meta, D1PreparedStatement, D1Response } from '@cloudflare/workers-types';

export interface Rows {
  readonly read: number;
  readonly written: number;
}

export interface CountedStore {
  readonly d1: D1Database;
  /** @returns what was counted since the last call. */
  readonly take: () => Rows;
}

export function countedStore(d1: D1Database): CountedStore {
  let read = 0;
  let written = 0;
  const inners = new WeakMap<object, D1PreparedStatement>();

  function count(meta: D1Meta & Record<string, unknown>): void {
    read += meta.rows_read;
    written += meta.rows_written;
  }

  function counted<R extends D1Response>(result: R): R {
    count(result.meta);
    return result;
  }

  function wrap(inner: D1PreparedStatement, sql: string): D1PreparedStatement {
    const statement = {
      bind: (...values: unknown[]) => wrap(inner.bind(...values), sql),
      all: async () => counted(await inner.all()),
      run: async () => counted(await inner.run()),
      first: async () => counted(await inner.all()).results[0] ?? null,
      // Arrays come without `meta`. A query is asked twice, once for that; what writes is asked once, and has no two columns of one name.
      raw: async () => {
        const { results } = counted(await inner.all<Record<string, unknown>>());
        return /^\s*(select|with)\b/i.test(sql) ? inner.raw() : results.map(Object.values);
      },
    };
    inners.set(statement, inner);
    return statement as unknown as D1PreparedStatement;
  }

  const store = {
    prepare: (sql: string) => wrap(d1.prepare(sql), sql),
    batch: async (statements: D1PreparedStatement[]) =>
      (await d1.batch(statements.map((statement) => inners.get(statement)!))).map(counted),
  };
  return {
    d1: store as unknown as D1Database,
    take: () => {
      const taken = { read, written };
      read = 0;
      written = 0;
      return taken;
    },
  };
}
