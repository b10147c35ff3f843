/**
 * Idempotency keys: a POST that says one is done once, however often it is sent.
 *
 * A key is claimed before anything is done; `held` then stands in the batch of the change itself, so that whoever lost the claim (a
 * process that hung, and another took over) changes nothing, and whatever happens after the commit, it is known that it was done.
 */
import { type SQL, sql } from 'drizzle-orm';
import { type Database, runAll } from './database.ts';
import { guard } from './guards.ts';
import { PURGE_LIMIT } from './tombstones.ts';

/** How long a key is remembered. */
export const IDEMPOTENCY_SECONDS = 24 * 3600;
/** A claim that came to nothing for this long is anyone's: no request lives longer. */
export const CLAIM_SECONDS = 60;

export interface IdempotencyKey {
  /** Whose key it is: callers' keys never meet. */
  readonly scope: string;
  readonly key: string;
}

export interface IdempotencyRow {
  readonly fingerprint: string;
  readonly claim: string;
  /** When it was claimed, in milliseconds since 1970. */
  readonly createdAt: number;
  /** 1 where the change is made. */
  readonly done: number;
  /** Null until the answer is kept. */
  readonly status: number | null;
  /** Encrypted. */
  readonly answer: string | null;
}

/**
 * Claims the key under the random text `claim`, where it is new, forgotten, or was claimed long ago by one who did nothing.
 *
 * @returns the key's row as it now is: whether its `claim` is this one tells whether the claim succeeded.
 */
export async function claimKey(
  db: Database,
  { scope, key }: IdempotencyKey,
  asked: { readonly fingerprint: string; readonly claim: string; readonly now: number },
): Promise<IdempotencyRow> {
  const { fingerprint, claim, now } = asked;
  const results = await runAll(db, [
    // Goes and is made anew, rather than changed: rows are forgotten in the order of their making, and a young one among the oldest
    // would keep all others.
    sql`DELETE FROM idempotency_keys WHERE scope = ${scope} AND key = ${key}
      AND (created_at <= ${now - IDEMPOTENCY_SECONDS * 1000}
        OR (NOT done AND fingerprint = ${fingerprint} AND created_at <= ${now - CLAIM_SECONDS * 1000}))`,
    sql`INSERT INTO idempotency_keys (scope, key, fingerprint, claim, created_at)
      VALUES (${scope}, ${key}, ${fingerprint}, ${claim}, ${now}) ON CONFLICT (scope, key) DO NOTHING`,
    sql`SELECT fingerprint, claim, created_at AS createdAt, done, status, answer FROM idempotency_keys WHERE scope = ${scope} AND key = ${key}`,
  ]);
  return (results[2] as IdempotencyRow[])[0]!;
}

/** For the batch of the change: fails it where the claim is lost, and notes that the change is made. */
export function held(of: IdempotencyKey, claim: string): SQL[] {
  return [
    guard('idempotency_in_progress', sql`EXISTS (SELECT 1 FROM idempotency_keys WHERE ${mine(of, claim)})`),
    sql`UPDATE idempotency_keys SET done = 1 WHERE ${mine(of, claim)}`,
  ];
}

export async function keepAnswer(
  db: Database,
  of: IdempotencyKey,
  claim: string,
  said: { readonly status: number; readonly answer: string },
): Promise<void> {
  await db.run(sql`UPDATE idempotency_keys SET done = 1, status = ${said.status}, answer = ${said.answer}
    WHERE ${mine(of, claim)}`);
}

/** Gives the key back where nothing was done under it. */
export async function forgetClaim(db: Database, of: IdempotencyKey, claim: string): Promise<void> {
  await db.run(sql`DELETE FROM idempotency_keys WHERE ${mine(of, claim)} AND NOT done`);
}

/**
 * Forgets keys older than a day, the oldest first, so that none of them is looked for.
 *
 * @returns how many; `limit` means there may be more.
 */
export async function purgeIdempotencyKeys(db: Database, now: number, limit: number = PURGE_LIMIT): Promise<number> {
  const before = now - IDEMPOTENCY_SECONDS * 1000;
  // Where the oldest may stay none is due, and that one row is all that is read.
  const gone = await db.all(sql`DELETE FROM idempotency_keys WHERE created_at <= ${before}
    AND rowid IN (SELECT rowid FROM idempotency_keys ORDER BY rowid
      LIMIT (CASE WHEN (SELECT created_at FROM idempotency_keys ORDER BY rowid LIMIT 1) <= ${before} THEN ${limit} ELSE 0 END)) RETURNING 1`);
  return gone.length;
}

function mine({ scope, key }: IdempotencyKey, claim: string): SQL {
  return sql`scope = ${scope} AND key = ${key} AND claim = ${claim}`;
}
