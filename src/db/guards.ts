/**
 * Preconditions of a change, checked by SQL inside the batch that makes it.
 *
 * D1 has no interactive transactions, so what was read before a batch may no longer hold in it. A guard is an insert into a table whose
 * named CHECKs let nothing in: where the condition fails, the constraint's name says which one it was and everything rolls back.
 */
import { type SQL, sql } from 'drizzle-orm';

export const GUARDS = [
  'not_found',
  'quota_exceeded',
  'vnis_resting',
  'too_many',
  'vni_not_free',
  'pool_overlap',
  'vni_in_use',
  'tenant_not_empty',
  'join_token_invalid',
  'join_token_used_up',
  'idempotency_in_progress',
  'conflict',
  'transport_required',
  'transport_not_for_site',
  'plain_networks',
  'wireguard_key_taken',
] as const;
export type Guard = (typeof GUARDS)[number];

/** @returns a statement that fails the batch with `code` unless `condition`, an SQL expression, is true. */
export function guard(code: Guard, condition: SQL): SQL {
  return sql`INSERT INTO guards (failed) SELECT ${code} WHERE (${condition}) IS NOT TRUE`;
}
