/** Brings the database up to the migrations in the repository, keeping wrangler's own book of them: both hosts agree on what was done. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SqliteD1 } from './d1-on-sqlite.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

const BOOK = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);`;

/** Applies what is missing, each migration whole or not at all. Of two processes at once, each finds what the other has done. */
export function migrate(store: SqliteD1): void {
  store.transact((sqlite) => sqlite.exec(BOOK));
  for (const name of readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .sort()) {
    store.transact((sqlite) => {
      if (sqlite.prepare('SELECT 1 FROM d1_migrations WHERE name = ?').get(name) !== undefined) return;
      sqlite.prepare('INSERT INTO d1_migrations (name) VALUES (?)').run(name);
      sqlite.exec(readFileSync(`${MIGRATIONS}/${name}`, 'utf8'));
    });
  }
}
