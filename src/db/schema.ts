/**
 * The store's tables. SQL is made from this by `npm run db:generate`; the same migrations run on D1 and on node:sqlite.
 *
 * Times are milliseconds since 1970. `revision` columns hold the tenant's revision at which a row last changed *as agents see it*.
 * Indexes are few on purpose: each indexed column is one more billed row write.
 */
import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { NetworkReport } from '../contract/agent.ts';
import type { Actor, EventKind } from '../contract/events.ts';
import type { PathReport } from '../contract/path-report.ts';
import type { PortSpec } from '../contract/port.ts';
import type { SiteKind } from '../contract/sites.ts';
import type { AntiSpoofMode, FloodMode } from '../contract/table.ts';
import type { Role } from '../contract/tenants.ts';
import type { Transport } from '../contract/wireguard.ts';
import type { Sample } from '../domain/samples.ts';
import type { SiteWireguard } from '../domain/site-wireguard.ts';
import type { KeptStanding } from '../domain/standing.ts';
import { GUARDS } from './guards.ts';

export const tenants = sqliteTable(
  'tenants',
  {
    id: text('id').primaryKey(),
    slug: text('slug').notNull(),
    name: text('name').notNull(),
    limitNetworks: integer('limit_networks').notNull(),
    limitSites: integer('limit_sites').notNull(),
    limitMacsPerNetwork: integer('limit_macs_per_network').notNull(),
    /** What its networks are made with unless said; where it is `wireguard`, none may be plain. */
    transport: text('transport').$type<Transport>().notNull().default('plain'),
    /** Counted here, so that a quota costs one row however many there are. */
    networkCount: integer('network_count').notNull().default(0),
    siteCount: integer('site_count').notNull().default(0),
    restingVnis: integer('resting_vnis').notNull().default(0),
    /** Random, made with the tenant: a cursor of a tenant that was deleted and made anew means nothing. */
    epoch: text('epoch').notNull(),
    revision: integer('revision').notNull().default(0),
    /** The highest revision of a tombstone that was purged: a cursor before it gets a snapshot. */
    purgedRevision: integer('purged_revision').notNull().default(0),
    /** Up to which revision those who watch were told for certain: see outbox.ts. */
    toldRevision: integer('told_revision').notNull().default(0),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [uniqueIndex('tenants_slug').on(t.slug)],
);

export const apiKeys = sqliteTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    role: text('role').$type<Role>().notNull(),
    hash: text('hash').notNull(),
    expiresAt: integer('expires_at'),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [index('api_keys_tenant').on(t.tenantId, t.id)],
);

export const networks = sqliteTable(
  'networks',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    vni: integer('vni').notNull(),
    mtu: integer('mtu').notNull(),
    subnet: text('subnet'),
    description: text('description'),
    antiSpoof: text('anti_spoof').$type<AntiSpoofMode>().notNull(),
    arpSuppression: integer('arp_suppression', { mode: 'boolean' }).notNull(),
    flood: text('flood').$type<FloodMode>().notNull(),
    multicastGroup: text('multicast_group'),
    transport: text('transport').$type<Transport>().notNull().default('plain'),
    /** When the header that agents see (name, MTU, flooding…) last changed; `revision`: the header or the membership. */
    headerRevision: integer('header_revision').notNull(),
    revision: integer('revision').notNull(),
    /** The sum of the entries' hashes, modulo 2^48: see contract/digest. */
    digest: integer('digest').notNull().default(0),
    /** Counted here, so that the quota costs one row however many there are; hidden ones too. */
    macCount: integer('mac_count').notNull().default(0),
    /** The same with its tombstones: see tombstones.ts. */
    macRows: integer('mac_rows').notNull().default(0),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('networks_name').on(t.tenantId, t.name),
    uniqueIndex('networks_vni').on(t.vni),
    index('networks_revision').on(t.tenantId, t.revision),
  ],
);

export const sites = sqliteTable(
  'sites',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    kind: text('kind').$type<SiteKind>().notNull(),
    publicKey: text('public_key'),
    vtepAddress: text('vtep_address').notNull(),
    vtepPort: integer('vtep_port').notNull(),
    /** The hash of this site's entry in a plain network's table, the same in each: what the digests are summed from. */
    hash: integer('hash').notNull(),
    /** What it published of WireGuard, and the hash of its entry in an encrypted network's table: null where it has none there. */
    wireguard: text('wireguard', { mode: 'json' }).$type<SiteWireguard>(),
    tunnelHash: integer('tunnel_hash'),
    disabled: integer('disabled', { mode: 'boolean' }).notNull().default(false),
    labels: text('labels', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    place: text('place'),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('sites_public_key').on(t.publicKey),
    uniqueIndex('sites_name').on(t.tenantId, t.name),
    uniqueIndex('sites_vtep').on(t.tenantId, t.vtepAddress, t.vtepPort),
  ],
);

/** What a site's agent last said: apart from its configuration, so that a heartbeat writes one row and no index. */
export const siteStatus = sqliteTable('site_status', {
  siteId: text('site_id').primaryKey(),
  tenantId: text('tenant_id').notNull(),
  lastSeen: integer('last_seen').notNull(),
  /** See presence.ts. */
  onlineUntil: integer('online_until').notNull().default(0),
  cursor: text('cursor'),
  version: text('version').notNull(),
  report: text('report', { mode: 'json' }).$type<NetworkReport[]>().notNull(),
  /** What it said of the paths to its peers, and when; null of an agent that says nothing of them. See paths.ts. */
  paths: text('paths', { mode: 'json' }).$type<{ readonly at: number; readonly to: readonly PathReport[] }>(),
  /** Of the report what tells how far the site is, without the counters, which are most of it: what is asked for all sites at once. */
  standing: text('standing', { mode: 'json' }).$type<KeptStanding[]>().notNull().default(sql`'[]'`),
  /** Since when its reports say that it has not applied what it should have; null where they don't. */
  behindSince: integer('behind_since'),
  /** What it carried in the hour that is not over: see history.ts. `sampledAt`: up to when. */
  sampledAt: integer('sampled_at'),
  samples: text('samples', { mode: 'json' }).$type<Sample[]>().notNull().default(sql`'[]'`),
});

/** What a site carried in an hour (a number since 1970), where it carried anything: see history.ts. No foreign keys: it outlives its site. */
export const siteHistory = sqliteTable(
  'site_history',
  {
    tenantId: text('tenant_id').notNull(),
    hour: integer('hour').notNull(),
    siteId: text('site_id').notNull(),
    samples: text('samples', { mode: 'json' }).$type<Sample[]>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.hour, t.siteId] })],
);

export const ATTACHMENT_STATES = ['live', 'disabled', 'gone'] as const;
export type AttachmentState = (typeof ATTACHMENT_STATES)[number];

/**
 * Which site carries which network. `live`: its peers see it. `disabled`: its site is disabled, so they don't. `gone`: a tombstone, by
 * which a delta tells that it went; no foreign keys, since it outlives its network and its site.
 */
export const attachments = sqliteTable(
  'attachments',
  {
    tenantId: text('tenant_id').notNull(),
    networkId: text('network_id').notNull(),
    siteId: text('site_id').notNull(),
    vni: integer('vni').notNull(),
    port: text('port', { mode: 'json' }).$type<PortSpec>().notNull(),
    state: text('state').$type<AttachmentState>().notNull(),
    /** When it last became live. */
    attachedRevision: integer('attached_revision').notNull(),
    /** When it last changed for anyone who can see it; 0 where nobody ever could. */
    revision: integer('revision').notNull(),
    goneAt: integer('gone_at'),
    /** True where a person asked for it to be `disabled` or `gone`: agents take that as said, however many it is of. */
    intended: integer('intended', { mode: 'boolean' }).notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.networkId, t.siteId] }),
    index('attachments_network_revision').on(t.networkId, t.revision),
    index('attachments_site_revision').on(t.siteId, t.revision),
    index('attachments_gone').on(t.goneAt).where(sql`gone_at IS NOT NULL`),
  ],
);

export const MAC_STATES = ['live', 'hidden', 'gone'] as const;
export type MacState = (typeof MAC_STATES)[number];

/**
 * Which site has which station. `live`: agents are told of it, and its site is live in the network. `hidden`: it is sticky, and its site is
 * not live there at the moment. `gone`: a tombstone.
 *
 * There is no index by site for all of them: it would cost a row write with every MAC, to spare a detach from reading one network's.
 */
export const macs = sqliteTable(
  'macs',
  {
    tenantId: text('tenant_id').notNull(),
    networkId: text('network_id').notNull(),
    mac: text('mac').notNull(),
    ip: text('ip'),
    siteId: text('site_id').notNull(),
    sticky: integer('sticky', { mode: 'boolean' }).notNull(),
    state: text('state').$type<MacState>().notNull(),
    /** When it last changed for anyone who can see it, which is its sequence number; 0 where nobody ever could. */
    revision: integer('revision').notNull(),
    /** When it last came to be in the table. */
    addedRevision: integer('added_revision').notNull(),
    goneAt: integer('gone_at'),
    /** Of contract/digest. */
    hash: integer('hash').notNull(),
    /** See domain/mobility. */
    moves: integer('moves').notNull().default(0),
    movesSince: integer('moves_since').notNull().default(0),
    frozenUntil: integer('frozen_until'),
  },
  (t) => [
    primaryKey({ columns: [t.networkId, t.mac] }),
    index('macs_network_revision').on(t.networkId, t.revision),
    index('macs_sticky').on(t.siteId, t.networkId).where(sql`sticky = 1`),
    index('macs_gone').on(t.goneAt).where(sql`gone_at IS NOT NULL`),
  ],
);

export const joinTokens = sqliteTable(
  'join_tokens',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name'),
    hash: text('hash').notNull(),
    maxUses: integer('max_uses').notNull(),
    uses: integer('uses').notNull().default(0),
    expiresAt: integer('expires_at').notNull(),
    /** Networks by id. */
    networks: text('networks', { mode: 'json' }).$type<{ network: string; port: PortSpec }[]>().notNull(),
    labels: text('labels', { mode: 'json' }).$type<Record<string, string>>().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [index('join_tokens_tenant').on(t.tenantId, t.id)],
);

/** Ranges of VNIs; without a tenant it is shared. Every pool but the one with id `shared` is carved out of that, or lies outside it. */
export const vniPools = sqliteTable(
  'vni_pools',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    first: integer('first').notNull(),
    last: integer('last').notNull(),
    tenantId: text('tenant_id').references(() => tenants.id),
  },
  (t) => [
    uniqueIndex('vni_pools_name').on(t.name),
    index('vni_pools_tenant').on(t.tenantId),
    index('vni_pools_first').on(t.first),
  ],
);

/** The free VNIs, as intervals that never overlap and, within a pool, never touch: a pool's cost doesn't grow with what it gave. */
export const vniFree = sqliteTable(
  'vni_free',
  {
    first: integer('first').primaryKey(),
    last: integer('last').notNull(),
    poolId: text('pool_id')
      .notNull()
      .references(() => vniPools.id),
  },
  (t) => [index('vni_free_pool').on(t.poolId, t.first)],
);

/** Released VNIs at rest: nobody gets one before `until`. */
export const vniQuarantine = sqliteTable(
  'vni_quarantine',
  {
    vni: integer('vni').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    releasedAt: integer('released_at').notNull(),
    until: integer('until').notNull(),
  },
  (t) => [index('vni_quarantine_until').on(t.until)],
);

/** What happened, per tenant in order of `at` and then `id`; `tenant_id` is '' for what is no tenant's. See events.ts. */
export const events = sqliteTable(
  'events',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    tenantId: text('tenant_id').notNull(),
    at: integer('at').notNull(),
    kind: text('kind').$type<EventKind>().notNull(),
    revision: integer('revision').notNull(),
    actor: text('actor', { mode: 'json' }).$type<Actor>().notNull(),
    address: text('address'),
    requestId: text('request_id'),
    subject: text('subject').notNull(),
    /** Grows from event to event of the tenant's that are of this kind. */
    number: integer('number').notNull().default(0),
    before: text('before', { mode: 'json' }).$type<unknown>(),
    after: text('after', { mode: 'json' }).$type<unknown>(),
  },
  (t) => [index('events_tenant_at').on(t.tenantId, t.at), index('events_tenant_kind_at').on(t.tenantId, t.kind, t.at)],
);

/** Persons that a tenant lets in, by what an identity provider calls them. */
export const members = sqliteTable(
  'members',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    /** In lower case. One of the two is there. */
    email: text('email'),
    subject: text('subject'),
    role: text('role').$type<Role>().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    index('members_tenant').on(t.tenantId, t.id),
    uniqueIndex('members_email').on(t.email, t.tenantId),
    uniqueIndex('members_subject').on(t.subject, t.tenantId),
  ],
);

/** Who is signed in to the dashboard. A session is worth what its key, or its person, is worth at that moment: see sessions.ts. */
export const sessions = sqliteTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    hash: text('hash').notNull(),
    /** Null: the operator's. */
    tenantId: text('tenant_id'),
    /** The key it was exchanged for, or the member it is of; neither where it is the operator's. */
    keyId: text('key_id'),
    memberId: text('member_id'),
    /** Of a person, the operator's too: what the identity provider calls them. */
    email: text('email'),
    subject: text('subject'),
    address: text('address'),
    createdAt: integer('created_at').notNull(),
    usedAt: integer('used_at').notNull(),
    /** When it ends unless it is used, and when it ends however it is used. */
    expiresAt: integer('expires_at').notNull(),
    endsAt: integer('ends_at').notNull(),
    /** Of the operator: the tenants that were looked at, whose sockets end with it. */
    looksAt: text('looks_at', { mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
  },
  (t) => [index('sessions_tenant').on(t.tenantId, t.id)],
);

/** What was asked with an Idempotency-Key, and what was answered. See idempotency.ts. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    scope: text('scope').notNull(),
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    claim: text('claim').notNull(),
    done: integer('done', { mode: 'boolean' }).notNull().default(false),
    status: integer('status'),
    /** Sealed by the caller's credential, since it may hold a secret. */
    answer: text('answer'),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.key] })],
);

/** Always empty: a row that would go in names the precondition that failed, and takes the whole batch back. See guards.ts. */
export const guards = sqliteTable('guards', { failed: text('failed') }, () =>
  GUARDS.map((code) => check(code, sql.raw(`failed <> '${code}'`))),
);
