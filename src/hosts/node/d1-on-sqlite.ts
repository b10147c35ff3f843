/**
 * The D1 interface over node:sqlite, as much of it as queries use: the same SQL, the same shapes and the same words in errors as on
 * Cloudflare, so that everything above it is one program.
 *
 * A batch runs in one go, between BEGIN IMMEDIATE and COMMIT, with no other statement of this process in between. `meta` says what
 * SQLite can say: rows read are the rows returned, not the rows looked at.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { D1Database, D1PreparedStatement, D1Response, D1Result } from '@cloudflare/workers-types';

const BUSY_TIMEOUT_MS = 5000;
const MAX_CACHED_STATEMENTS = 500;

export interface SqliteD1 {
  readonly d1: D1Database;
  /** Has `work` read and write in one transaction, with no other process in between. @returns what it does. */
  readonly transact: <T>(work: (sqlite: DatabaseSync) => T) => T;
  readonly close: () => void;
}

/** @param path a file, or `:memory:`. @throws where the file can't be opened or is no database. */
export function openSqliteD1(path: string): SqliteD1 {
  const sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  // What was acknowledged is on the disk: WAL with FULL syncs at every commit.
  sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const host = new Connection(sqlite);
  return {
    d1: new SqliteDatabase(host) as unknown as D1Database,
    transact: (work) => host.transact(() => work(sqlite)),
    close: () => sqlite.close(),
  };
}

/** The connection, with the statements it has prepared. */
class Connection {
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
  }

  /** Preparing costs more than running: a statement is kept by its text, the longest unused one going first. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    const statement = known ?? this.#sqlite.prepare(sql);
    if (known !== undefined) this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > MAX_CACHED_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    return statement;
  }

  transact<T>(work: () => T): T {
    this.#sqlite.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#sqlite.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  exec(sql: string): void {
    this.#sqlite.exec(sql);
  }
}

class SqliteDatabase {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  prepare(sql: string): SqliteStatement {
    return new SqliteStatement(this.#connection, sql, []);
  }

  /** All or nothing, in order. */
  async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
    const own = statements as unknown as SqliteStatement[];
    return inD1Words(() => this.#connection.transact(() => own.map((statement) => statement.runNow() as D1Result<T>)));
  }

  async exec(sql: string): Promise<{ count: number; duration: number }> {
    const start = performance.now();
    inD1Words(() => this.#connection.exec(sql));
    return { count: sql.split('\n').filter((line) => line.trim() !== '').length, duration: performance.now() - start };
  }
}

class SqliteStatement {
  readonly #connection: Connection;
  readonly #sql: string;
  readonly #values: readonly SQLInputValue[];

  constructor(connection: Connection, sql: string, values: readonly SQLInputValue[]) {
    this.#connection = connection;
    this.#sql = sql;
    this.#values = values;
  }

  bind(...values: unknown[]): SqliteStatement {
    return new SqliteStatement(this.#connection, this.#sql, values.map(toSqlite));
  }

  async all<T>(): Promise<D1Result<T>> {
    return inD1Words(() => this.runNow() as D1Result<T>);
  }

  async run<T>(): Promise<D1Result<T>> {
    return this.all<T>();
  }

  async first<T>(column?: string): Promise<T | null> {
    const [row] = (await this.all<Record<string, unknown>>()).results;
    if (row === undefined) return null;
    if (column === undefined) return row as T;
    if (!(column in row)) throw new Error(`D1_COLUMN_NOTFOUND: ${column}`);
    return row[column] as T;
  }

  /** Rows as arrays, so that two columns of one name stay two. */
  async raw<T>(options?: { columnNames?: boolean }): Promise<T[]> {
    return inD1Words(() => {
      const statement = this.#connection.statement(this.#sql);
      statement.setReturnArrays(true);
      const rows = statement.all(...this.#values) as unknown as T[];
      return options?.columnNames === true ? [statement.columns().map(({ name }) => name) as T, ...rows] : rows;
    });
  }

  runNow(): D1Response & { results: unknown[] } {
    const start = performance.now();
    const statement = this.#connection.statement(this.#sql);
    statement.setReturnArrays(false);
    const gives = statement.columns().length > 0;
    const results = gives ? statement.all(...this.#values) : [];
    const { changes, lastInsertRowid } = gives ? NOTHING_CHANGED : statement.run(...this.#values);
    const duration = performance.now() - start;
    return {
      success: true,
      results,
      meta: {
        duration,
        changes: Number(changes),
        last_row_id: Number(lastInsertRowid),
        changed_db: Number(changes) > 0,
        size_after: 0,
        rows_read: results.length,
        rows_written: Number(changes),
      },
    };
  }
}

const NOTHING_CHANGED = { changes: 0, lastInsertRowid: 0 } as const;

function toSqlite(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null || typeof value === 'number' || typeof value === 'string') return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return value;
  throw new Error(`D1_TYPE_ERROR: Type '${typeof value}' not supported for value '${String(value)}'`);
}

/** SQLite's words, after D1's prefix and before its code. */
function inD1Words<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error) || cause.message.startsWith('D1_')) throw cause;
    const { errcode } = cause as Error & { errcode?: number };
    const code = SQLITE_CODES[(errcode ?? 1) & 0xff] ?? 'SQLITE_ERROR';
    throw new Error(`D1_ERROR: ${cause.message}: ${code}`, { cause });
  }
}

/** Primary result codes (sqlite.org/rescode.html) that a caller can do something about. */
const SQLITE_CODES: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  19: 'SQLITE_CONSTRAINT',
};
