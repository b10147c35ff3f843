/**
 * The last good table on disk: what an agent forwards by when it starts while the gateway is away.
 *
 * It is written whole and atomically, one write at a time; changes that come meanwhile are one write together. It is read with the
 * same distrust as an answer from the network, since a disk can lie too.
 */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { errorCode, reasonOf } from '../../shared/failure.ts';
import { describeFaults } from '../../shared/faults.ts';
import { type Snapshot, SnapshotSchema } from '../../src/contract/table.ts';
import { replaceFile } from './atomic-file.ts';
import type { Log } from './log.ts';
import { type LastGood, mergeUpdate } from './merge.ts';

export const TABLE_FILE = 'table.json';

export interface TableStore {
  /** @returns the table, or null where there is none that can be trusted. */
  load(): Promise<LastGood | null>;
  /** Writes soon; `current` is asked when the write begins, so that the latest wins. Never fails: what goes wrong is logged. */
  save(current: () => Snapshot): void;
  /** Resolves when all that was saved is on disk. */
  flush(): Promise<void>;
}

/** A table belongs to a site: one of another, left by an earlier join, must not be forwarded by. */
const FileSchema = v.strictObject({ site: v.string(), table: SnapshotSchema });

export function openTableStore(folder: string, site: string, log: Log): TableStore {
  const path = join(folder, TABLE_FILE);
  let waiting: (() => Snapshot) | null = null;
  let writing: Promise<void> = Promise.resolve();
  let idle = true;
  let failing = false;

  async function writeAll(): Promise<void> {
    while (waiting !== null) {
      const current = waiting;
      waiting = null;
      try {
        await replaceFile(path, JSON.stringify({ site, table: current() }));
        if (failing) log('info', 'the last good table is written to disk again');
        failing = false;
      } catch (error) {
        if (!failing)
          log('error', `the last good table can't be written, a restart would find an older one: ${reasonOf(error)}`);
        failing = true;
      }
    }
    idle = true;
  }

  return {
    async load() {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') log('error', `the last good table can't be read: ${reasonOf(error)}`);
        return null;
      }
      const read = parseTableFile(text, site);
      if (read.kind === 'good') return read.table;
      log('warn', `the last good table is set aside as ${TABLE_FILE}.bad and not used: ${read.reason}`);
      await rename(path, `${path}.bad`).catch((error: unknown) => log('error', reasonOf(error)));
      return null;
    },
    save(current) {
      waiting = current;
      if (!idle) return;
      idle = false;
      writing = writeAll();
    },
    flush: () => writing,
  };
}

type TableFile =
  | { readonly kind: 'good'; readonly table: LastGood }
  | { readonly kind: 'bad'; readonly reason: string };

function parseTableFile(text: string, site: string): TableFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'bad', reason: 'it is not whole' };
  }
  const parsed = v.safeParse(FileSchema, json, { abortEarly: true });
  if (!parsed.success) return { kind: 'bad', reason: describeFaults(parsed.issues)[0]! };
  if (parsed.output.site !== site) return { kind: 'bad', reason: `it is of another site, ${parsed.output.site}` };
  const merged = mergeUpdate(null, parsed.output.table);
  return merged.kind === 'merged' ? { kind: 'good', table: merged.table } : { kind: 'bad', reason: merged.reason };
}
