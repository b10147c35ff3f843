/** What a host gives the application: everything that differs between a Worker and a process. */
import type { Context } from 'hono';
import type { Config } from './config.ts';
import type { AgentSession } from './db/agent-sessions.ts';
import type { ApiKeyRow } from './db/api-keys.ts';
import type { Database } from './db/database.ts';
import type { MemberRow } from './db/members.ts';
import type { SessionRow } from './db/sessions.ts';
import type { TenantRow } from './db/tenants.ts';
import type { Claimant } from './domain/failures.ts';
import type { ViewerState } from './domain/viewer.ts';

export interface Gateway {
  readonly config: Config;
  readonly db: Database;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The IP address that the request came from, or null where the host can't tell. */
  readonly clientAddress: (c: Context) => string | null;
  readonly log: Log;
  readonly hub: Hub;
  readonly limits: RateLimits;
  /** Called for every answer, where the host keeps figures. */
  readonly observe?: (request: ObservedRequest) => void;
  /** A file of the dashboard by its path, or null where there is none. */
  readonly asset: (c: Context, path: string) => Promise<Response | null>;
  /** Lets work go on after the answer; what fails in it is logged. */
  readonly inBackground: (c: Context, work: Promise<void>) => void;
}

/** Who is told of a change: the sockets of agents and of those who look, wherever the host keeps them. It holds no truth, and losing it loses nothing. */
export interface Hub {
  /** Something of this tenant was committed. Resolves when all who watch were sent what concerns them. */
  readonly tell: (tenantId: string) => Promise<void>;
  /** The same where it is likely that they were: looks first, which costs one row. */
  readonly look: (tenantId: string) => Promise<void>;
  /** Takes over a WebSocket upgrade of a site's agent, which holds the table of `cursor`. @returns the answer to the upgrade. */
  readonly watch: (c: Context<AppEnv>, session: AgentSession, cursor: string) => Promise<Response>;
  /** The same of one who looks at the tenant. */
  readonly live: (c: Context<AppEnv>, tenantId: string, viewer: ViewerState) => Promise<Response>;
}

/** `route` is the pattern that the request met, `none` where there was none. */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** Counts who asks how much, as well as the host can. Answers are seconds to wait, 0 where the caller may go on. */
export interface RateLimits {
  readonly countRequest: (by: 'key' | 'site', id: string, now: number) => number | Promise<number>;
  readonly countFailure: (by: Claimant, now: number) => void | Promise<void>;
  readonly failureWait: (by: Claimant, now: number) => number;
}

/** Structured: what happened in a few fixed words, the rest in fields. No secret may be in either. */
export interface Log {
  readonly error: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** Who asks: the operator, one of a tenant's keys, or a person who is a member; with the session where it is by one. */
export type Principal =
  | { readonly kind: 'operator'; readonly session: SessionRow | null }
  | {
      readonly kind: 'key';
      readonly key: ApiKeyRow;
      readonly tenant: TenantRow;
      readonly session: SessionRow | null;
    }
  | {
      readonly kind: 'member';
      readonly member: MemberRow;
      readonly tenant: TenantRow;
      readonly session: SessionRow;
    };

/** What middleware leaves for handlers. A handler may read only what its route's access check sets. */
export interface AppEnv {
  Variables: {
    requestId: string;
    /** The store, with whoever asks as the author of what is written through it. */
    db: Database;
    /** The tenant of the path, which the principal was found to be of. */
    tenant: TenantRow;
    principal: Principal;
    /** The secret by which whoever asks was known. */
    credential: string;
    agent: AgentSession;
    /** The tenants whose sockets must hear of it, where they are others than the one of the above. */
    changedTenants: readonly string[];
  };
}
