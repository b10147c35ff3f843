/**
 * A POST with an `Idempotency-Key` is done once: sent again within a day, it gets the answer of the first time. Refusals are not kept:
 * they did nothing, so the same key may try again.
 *
 * Stands after the access check and the body's, and before the handler, which must write through `c.get('db')`.
 */
import type { Context, MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import type { ErrorCode } from '../contract/errors.ts';
import { claimedBy } from '../db/database.ts';
import { CLAIM_SECONDS, claimKey, forgetClaim, held, type IdempotencyKey, keepAnswer } from '../db/idempotency.ts';
import { newId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import { seal, unseal } from '../domain/sealed.ts';
import { hashSecret } from '../domain/secrets.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { documented } from './body.ts';

/** Who sends the key: whose it is, and a secret of theirs that is the same whenever they send it. */
export interface Sender {
  readonly scope: string;
  readonly secret: string;
}

const HeaderSchema = v.object({ 'idempotency-key': v.optional(v.pipe(v.string(), v.maxLength(255))) });

/** How a request with a key may be refused, beside how one without may. */
export const ONCE_ERRORS = [
  'invalid_idempotency_key',
  'idempotency_in_progress',
  'idempotency_answer_lost',
  'idempotency_mismatch',
] as const satisfies readonly ErrorCode[];

export function once(gateway: Gateway, senderOf: (c: Context<AppEnv>) => Sender = byCredential) {
  const { db, now, log } = gateway;

  const middleware: MiddlewareHandler<AppEnv> = async function once(c, next) {
    const key = c.req.header('idempotency-key');
    if (key === undefined) return next();
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new Refusal('invalid_idempotency_key', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
    }
    const { scope, secret } = senderOf(c);
    const of: IdempotencyKey = { scope, key };
    const claim = newId(now());
    const fingerprint = await fingerprintOf(c);
    const context = `${scope}\n${key}\n${fingerprint}`;
    const row = await claimKey(db, of, { fingerprint, claim, now: now() });
    if (row.claim !== claim) {
      if (row.fingerprint !== fingerprint) {
        throw new Refusal(
          'idempotency_mismatch',
          'This Idempotency-Key came with another request before: take a new one.',
        );
      }
      if (row.status === null || row.answer === null) {
        // Done, and not answered for so long: nobody is going to any more.
        throw unanswered(row.done === 1 && row.createdAt <= now() - CLAIM_SECONDS * 1000);
      }
      const answer = await unseal(row.answer, secret, context);
      if (answer === null) throw unanswered(true);
      c.header('idempotency-replayed', 'true');
      return c.body(answer, row.status as 200, { 'content-type': 'application/json' });
    }

    c.set('db', claimedBy(c.get('db'), held(of, claim)));
    await next();
    try {
      if (c.res.ok) {
        const answer = await seal(await c.res.clone().text(), secret, context);
        await keepAnswer(db, of, claim, { status: c.res.status, answer });
      } else {
        await forgetClaim(db, of, claim);
      }
    } catch (error) {
      // What was asked is done or refused, and the caller must hear so; a retry will be told that it was done.
      log.error({ requestId: c.get('requestId'), error }, 'the answer to an idempotent request was not kept');
    }
  };
  return documented(middleware, 'header', HeaderSchema);
}

/** @param isDone whether it is done, and nobody is about to answer. */
function unanswered(isDone: boolean): Refusal {
  if (isDone) {
    return new Refusal('idempotency_answer_lost', 'It was done, but its answer is gone: look at what is there.');
  }
  return new Refusal('idempotency_in_progress', 'The same request is being worked on; ask again for its answer.', {
    retryAfter: 1,
  });
}

/** The body as it was understood, so that spaces and the order of fields make no difference. */
function fingerprintOf(c: Context<AppEnv>): Promise<string> {
  const body: unknown = c.req.valid('json' as never);
  return hashSecret(`${c.req.method} ${c.req.path}\n${JSON.stringify(body ?? null)}`);
}

function byCredential(c: Context<AppEnv>): Sender {
  const { actor } = c.get('db').author!;
  return { scope: actor.id ?? actor.kind, secret: c.get('credential') };
}
