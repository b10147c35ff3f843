import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types';

export interface Said {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** A store that notes every statement it is given, with its values. */
export function spiedStore(d1: D1Database): { d1: D1Database; said: Said[] } {
  const said: Said[] = [];
  const spied = {
    batch: (statements: D1PreparedStatement[]) => d1.batch(statements),
    prepare(sql: string) {
      const statement = d1.prepare(sql);
      return {
        bind(...values: unknown[]) {
          said.push({ sql, values });
          return statement.bind(...values);
        },
      };
    },
  };
  return { d1: spied as unknown as D1Database, said };
}
