import { type Database, openDatabase } from '../../src/db/database.ts';
import { openSqliteD1 } from '../../src/hosts/node/d1-on-sqlite.ts';
import { migrate } from '../../src/hosts/node/migrate.ts';

/** A store in memory with all tables, as the Node host makes it. */
export function memoryStore(): { db: Database; close: () => void } {
  const store = openSqliteD1(':memory:');
  migrate(store);
  return { db: openDatabase(store.d1), close: store.close };
}
