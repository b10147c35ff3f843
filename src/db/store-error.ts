/** The one place where the store's words become error codes. */
import type { ErrorCode } from '../contract/errors.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Guard } from './guards.ts';

type Reason = readonly [code: ErrorCode, detail: string];

const FAILED_UNIQUE: Record<string, Reason> = {
  'tenants.slug': ['slug_taken', 'Another tenant has this slug.'],
  'networks.tenant_id, networks.name': ['name_taken', 'Another network of this tenant has this name.'],
  'vni_pools.name': ['name_taken', 'Another pool has this name.'],
  'networks.vni': ['vni_taken', 'The VNI is in use.'],
  'sites.tenant_id, sites.name': ['name_taken', 'Another site of this tenant has this name.'],
  'sites.tenant_id, sites.vtep_address, sites.vtep_port': [
    'vtep_taken',
    'Another site of this tenant has this VTEP address and port.',
  ],
  'members.email, members.tenant_id': ['member_taken', 'A member of this tenant has this e-mail address.'],
  'members.subject, members.tenant_id': ['member_taken', 'A member of this tenant has this subject.'],
  'sites.public_key': ['key_taken', 'The public key belongs to another site.'],
};

const FAILED_GUARD: Record<Guard, Reason> = {
  not_found: ['not_found', 'It was deleted at this moment.'],
  quota_exceeded: ['quota_exceeded', "The tenant's limit is reached; an operator can raise it."],
  vnis_resting: [
    'quota_exceeded',
    "So many of the tenant's released VNIs rest that it can't have another now: with those in use they may be twice its limit of networks. Wait until a rest is over; an operator can end one, or raise the limit.",
  ],
  too_many: ['quota_exceeded', 'The tenant has as many of these as it can have: delete some first.'],
  vni_not_free: ['vni_taken', 'The VNI is not free.'],
  pool_overlap: ['pool_overlap', 'Another pool has numbers of this range.'],
  vni_in_use: ['vni_in_use', 'A network has a number of this range.'],
  tenant_not_empty: ['tenant_not_empty', "Delete the tenant's networks, sites and VNI pools first."],
  join_token_invalid: ['join_token_invalid', 'The join token is unknown or was revoked.'],
  idempotency_in_progress: [
    'idempotency_in_progress',
    'The same request is being worked on; ask again for its answer.',
  ],
  conflict: ['conflict', 'Something else changed it at this moment; look again.'],
  transport_required: [
    'transport_required',
    'All networks of this tenant must be encrypted (transport "wireguard"); an operator can change that.',
  ],
  transport_not_for_site: [
    'transport_not_for_site',
    'A static site has no agent that could do WireGuard, so it can only be in networks whose transport is "plain".',
  ],
  plain_networks: [
    'plain_networks',
    'Some of its networks are not encrypted: give each the transport "wireguard" first.',
  ],
  wireguard_key_taken: ['key_taken', 'The WireGuard key belongs to another site of this tenant.'],
  join_token_used_up: ['join_token_used_up', 'The join token has been used as often as it may; make another.'],
};

const BUSY = /SQLITE_BUSY|database is locked|overloaded|network connection lost|storage operation exceeded|is reset/i;

/** @returns the refusal that a failed query amounts to, or null where the failure is no one's but ours. */
export function refusalOf(error: unknown): Refusal | null {
  const words = wordsOf(error);
  const unique = /UNIQUE constraint failed: ([\w., ]+\w)/.exec(words)?.[1];
  const guard = /CHECK constraint failed: (\w+)/.exec(words)?.[1];
  const reason =
    FAILED_UNIQUE[unique ?? ''] ??
    FAILED_GUARD[guard as Guard] ??
    (words.includes('NOT NULL constraint failed: networks.vni') ? EXHAUSTED : undefined) ??
    (words.includes('FOREIGN KEY constraint failed') ? FAILED_GUARD.not_found : undefined) ??
    (BUSY.test(words) ? UNAVAILABLE : undefined);
  return reason === undefined ? null : new Refusal(...reason);
}

const EXHAUSTED: Reason = ['vni_exhausted', 'No VNI is free in the pools open to this tenant.'];
const UNAVAILABLE: Reason = ['unavailable', 'The store is busy or away; try again in a moment.'];

/** Drizzle and D1 wrap errors in errors: SQLite's own words are somewhere down the chain of causes. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let at: unknown = error; at instanceof Error && words.length < 8; at = at.cause) words.push(at.message);
  return words.join('\n');
}
