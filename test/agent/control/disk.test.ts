import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFile, replaceFile } from '../../../agent/control/atomic-file.ts';
import { KEY_FILE, readIdentity, readOrCreateIdentity } from '../../../agent/control/identity.ts';
import { openTableStore, TABLE_FILE } from '../../../agent/control/last-good.ts';
import { toSnapshot } from '../../../agent/control/merge.ts';
import {
  configStateFolder,
  openStateFolder,
  readMembership,
  writeMembership,
} from '../../../agent/control/state-folder.ts';
import type { Snapshot } from '../../../src/contract/table.ts';
import { network, snapshot, vtep } from './tables.ts';

const UID = process.geteuid!();
let folder: string;
let lines: string[];
const log = (level: string, message: string): void => void lines.push(`${level} ${message}`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'overlane-test-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TABLE = snapshot('c1', [network(9, { vteps: [vtep(2), vtep(3)] })]);

async function saved(table: Snapshot): Promise<void> {
  const store = openTableStore(folder, 'site-1', log);
  store.save(() => table);
  await store.flush();
}

test('a table that was saved is loaded again, readable by its owner alone', async () => {
  await saved(TABLE);
  expect(statSync(join(folder, TABLE_FILE)).mode & 0o777).toBe(0o600);
  const loaded = await openTableStore(folder, 'site-1', log).load();
  expect(toSnapshot(loaded!)).toEqual(TABLE);
  expect(lines).toEqual([]);
});

test('where nothing was saved there is no table, and nothing to complain of', async () => {
  expect(await openTableStore(folder, 'site-1', log).load()).toBeNull();
  expect(lines).toEqual([]);
});

test('a table cut off at any byte is set aside and not used', async () => {
  await saved(TABLE);
  const whole = readFileSync(join(folder, TABLE_FILE), 'utf8');
  for (const length of [0, 1, whole.length >> 1, whole.length - 1]) {
    writeFileSync(join(folder, TABLE_FILE), whole.slice(0, length));
    expect(await openTableStore(folder, 'site-1', log).load()).toBeNull();
    expect(existsSync(join(folder, TABLE_FILE))).toBe(false);
    expect(readFileSync(join(folder, `${TABLE_FILE}.bad`), 'utf8')).toBe(whole.slice(0, length));
  }
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain('set aside as table.json.bad');
});

test('a table with one digit changed on disk is set aside: its digest does not fit', async () => {
  await saved(TABLE);
  const path = join(folder, TABLE_FILE);
  writeFileSync(path, readFileSync(path, 'utf8').replace('10.0.0.2', '10.0.0.7'));
  expect(await openTableStore(folder, 'site-1', log).load()).toBeNull();
  expect(lines[0]).toContain('has digest');
});

test('a table of another site is not forwarded by', async () => {
  await saved(TABLE);
  expect(await openTableStore(folder, 'site-2', log).load()).toBeNull();
  expect(lines[0]).toContain('of another site');
});

test('what is saved while a write is under way is one write, of the latest', async () => {
  const store = openTableStore(folder, 'site-1', log);
  let asked = 0;
  for (let i = 0; i < 100; i++) {
    store.save(() => {
      asked++;
      return snapshot(`c${i}`, []);
    });
  }
  await store.flush();
  expect(asked).toBe(2);
  expect((await openTableStore(folder, 'site-1', log).load())!.cursor).toBe('c99');
});

test('a table that can’t be written is said once, and said again when it can', async () => {
  const gone = join(folder, 'gone');
  const store = openTableStore(gone, 'site-1', log);
  for (const cursor of ['c1', 'c2']) {
    store.save(() => snapshot(cursor, []));
    await store.flush();
  }
  mkdirSync(gone);
  store.save(() => snapshot('c3', []));
  await store.flush();
  expect(lines).toEqual([expect.stringMatching(/^error .*can't be written/), expect.stringMatching(/^info .*again/)]);
});

test('a file is replaced whole, and nothing is left beside it', async () => {
  const path = join(folder, 'file');
  await replaceFile(path, 'old');
  await replaceFile(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a file that is there is never made anew', async () => {
  const path = join(folder, 'file');
  await createFile(path, 'first');
  await expect(createFile(path, 'second')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(path, 'utf8')).toBe('first');
  expect(readdirSync(folder)).toEqual(['file']);
});

test('the key is made once, for its owner alone, and stays', async () => {
  const first = await readOrCreateIdentity(folder);
  expect(first.publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(statSync(join(folder, KEY_FILE)).mode & 0o777).toBe(0o600);
  expect((await readOrCreateIdentity(folder)).publicKey).toBe(first.publicKey);
  expect((await readIdentity(folder)).publicKey).toBe(first.publicKey);
});

test('a key that others can read is refused with what to do, and not replaced', async () => {
  await readOrCreateIdentity(folder);
  const path = join(folder, KEY_FILE);
  const key = readFileSync(path, 'utf8');
  chmodSync(path, 0o640);
  await expect(readOrCreateIdentity(folder)).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('chmod 600'),
  });
  expect(readFileSync(path, 'utf8')).toBe(key);
});

test('a damaged key is refused without a word of what is in it', async () => {
  const path = join(folder, KEY_FILE);
  writeFileSync(path, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n', { mode: 0o600 });
  const error = await readIdentity(folder).then(
    () => null,
    (reason: Error) => reason,
  );
  expect(error?.message).toContain('is not an Ed25519 key');
  expect(`${error?.stack}${String(error?.cause)}`).not.toContain('c2VjcmV0');
});

test('a missing key is told from a damaged one', async () => {
  await expect(readIdentity(folder)).rejects.toThrow('is missing: join again');
});

test('the state folder is made for its owner alone, with the folders above it', async () => {
  const path = await openStateFolder(join(folder, 'a/b'), UID);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('a state folder that is open to others, a link, a file or someone else’s is refused', async () => {
  mkdirSync(join(folder, 'open'), { mode: 0o755 });
  await expect(openStateFolder(join(folder, 'open'), UID)).rejects.toThrow('chmod 700');
  symlinkSync(folder, join(folder, 'link'));
  await expect(openStateFolder(join(folder, 'link'), UID)).rejects.toThrow('not a folder of its own');
  writeFileSync(join(folder, 'file'), '');
  await expect(openStateFolder(join(folder, 'file'), UID)).rejects.toThrow("can't be used");
  await expect(openStateFolder(folder, UID + 1)).rejects.toThrow(`belongs to user ${UID}`);
  await expect(openStateFolder(join(folder, 'x'.repeat(100)), UID)).rejects.toThrow('too long for a socket');
});

test('what was joined is read again; a folder nobody joined with says so, and so does a damaged file', async () => {
  const membership = {
    gateway: 'https://gateway.example.net',
    site: 'site-1',
    tenant: 'acme',
    name: 'berlin',
    vtep: { address: '10.0.0.1', port: 4789 },
    caPath: null,
    allowPlainHttp: false,
  };
  await expect(readMembership(folder)).rejects.toThrow('run overlane-agent join first');
  await writeMembership(folder, membership);
  expect(await readMembership(folder)).toEqual(membership);
  writeFileSync(join(folder, 'agent.json'), '{"gateway": "https://g", "si');
  await expect(readMembership(folder)).rejects.toThrow('is damaged');
});

test('an agent by a file has one folder per file, whatever path leads there', async () => {
  writeFileSync(join(folder, 'a.json'), '{}');
  writeFileSync(join(folder, 'b.json'), '{}');
  symlinkSync(join(folder, 'a.json'), join(folder, 'link.json'));
  const first = await configStateFolder(join(folder, 'a.json'), UID);
  expect(await configStateFolder(join(folder, 'link.json'), UID)).toBe(first);
  expect(await configStateFolder(join(folder, 'b.json'), UID)).not.toBe(first);
  expect(await configStateFolder(join(folder, 'a.json'), UID + 1)).not.toBe(first);
});
