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

/** Applies what is missing, each migration whole or not at all. Two processes at once do no harm: the book's names are unique. */
export async function migrate(store: SqliteD1): Promise<void> {
  store.runScript(BOOK);
  const { results } = await store.d1.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const name of readdirSync(MIGRATIONS)
    .filter((file) => file.endsWith('.sql'))
    .sort()) {
    if (applied.has(name)) continue;
    const sql = readFileSync(`${MIGRATIONS}/${name}`, 'utf8');
    store.runScript(`INSERT INTO d1_migrations (name) VALUES ('${name}');\n${sql}`);
  }
}
