/** A gateway under test, on either host, and small clients of it. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Problem } from '../../src/contract/errors.ts';

export interface Host {
  readonly url: string;
  readonly operatorKey: string;
  /** How long a released VNI rests here. */
  readonly holdSeconds: number;
  /** Does what the timer or the cron does. Tombstones are kept for no time at all. */
  readonly keepHouse: () => Promise<void>;
  /** Writes to the store behind the gateway's back. */
  readonly write: (sql: string, ...values: unknown[]) => Promise<void>;
  /** Takes the memory of what keeps the tenant's sockets, as happens to it between changes; the sockets stay. */
  readonly forget: (tenantId: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Where a gateway is, and the key to it: all that most tests need. */
export type Reachable = Pick<Host, 'url' | 'operatorKey'>;

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** One caller with one credential. */
export class Caller {
  readonly url: string;
  readonly credential: string | null;

  constructor(url: string, credential: string | null) {
    this.url = url;
    this.credential = credential;
  }

  async call<T = Record<string, never>>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return this.send<T>(method, path, body === undefined ? {} : { body: JSON.stringify(body) });
  }

  async send<T>(method: string, path: string, init: RequestInit): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      ...init,
      method,
      headers: {
        ...(this.credential === null ? {} : { authorization: `Bearer ${this.credential}` }),
        ...(init.body ? { 'content-type': 'application/json' } : {}),
        ...init.headers,
      },
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  }

  get<T = Record<string, never>>(path: string): Promise<Answer<T>> {
    return this.call<T>('GET', path);
  }

  /** Calls, and gives the body of an answer that must be a success. */
  async made<T = { id: string }>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call<T>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Calls, and gives what must be a refusal. */
  async refused(method: string, path: string, body?: unknown): Promise<Problem> {
    const answer = await this.call<Problem>(method, path, body);
    if (answer.status < 400) throw new Error(`${method} ${path}: ${answer.status}, not refused`);
    if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) throw new Error('not a problem');
    if (answer.body.status !== answer.status) throw new Error(`says ${answer.body.status}, is ${answer.status}`);
    return answer.body;
  }
}

let tenants = 0;

export interface TestTenant {
  readonly slug: string;
  /** Where its resources are. */
  readonly at: string;
  readonly admin: Caller;
  readonly operator: Caller;
}

/** A tenant of the test's own. */
export async function newTenant(host: Reachable, limits: Record<string, number> = {}): Promise<TestTenant> {
  tenants += 1;
  const slug = `t${tenants}-${Date.now().toString(36)}`;
  const operator = new Caller(host.url, host.operatorKey);
  await operator.made('POST', '/v1/tenants', { slug, name: `Tenant ${tenants}`, limits });
  const at = `/v1/tenants/${slug}`;
  const { key } = await operator.made<{ key: string }>('POST', `${at}/api-keys`, { name: 'test', role: 'admin' });
  return { slug, at, admin: new Caller(host.url, key), operator };
}

let vni = 1_000_000;

/** A VNI that no other test has asked for. */
export function freshVni(): number {
  return freshVnis(1);
}

/** The first of so many VNIs in a row that no other test has asked for, nor for their neighbours. */
export function freshVnis(count: number): number {
  const first = vni + 10;
  vni = first + count;
  return first;
}

export interface TokenChanges {
  readonly kid?: string;
  readonly iss?: string;
  readonly aud?: string;
  readonly sub?: string;
  /** How far the signer's clock is off, in seconds. */
  readonly clockOff?: number;
  readonly lifeSeconds?: number;
}

/** An agent's key, and what it signs. */
export class AgentKey {
  readonly publicKey: string;
  readonly #privateKey: CryptoKey;

  constructor(publicKey: string, privateKey: CryptoKey) {
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  sign(url: string, id: string, changes: TokenChanges = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000) + (changes.clockOff ?? 0);
    return new SignJWT(changes.sub === undefined ? {} : { sub: changes.sub })
      .setProtectedHeader({ alg: 'EdDSA', kid: changes.kid ?? id })
      .setIssuer(changes.iss ?? id)
      .setAudience(changes.aud ?? new URL(url).origin)
      .setIssuedAt(now)
      .setExpirationTime(now + (changes.lifeSeconds ?? 60))
      .sign(this.#privateKey);
  }
}

export async function newAgentKey(): Promise<AgentKey> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return new AgentKey((await exportJWK(publicKey)).x!, privateKey);
}

export interface EnrolBody {
  token: string;
  name: string;
  publicKey: string;
  vtep: { address?: string; port: number };
  version: string;
}

let ports = 10_000;

/** Asks to be enrolled, with a proof of the key; `changes` go over the body. */
export async function enrol<T = { site: string; tenant: string; name: string }>(
  host: Reachable,
  key: AgentKey,
  body: Partial<EnrolBody> & { token: string },
  tokenChanges: TokenChanges = {},
): Promise<Answer<T>> {
  ports += 1;
  const port = ports;
  const proof = await key.sign(host.url, key.publicKey, tokenChanges);
  return new Caller(host.url, proof).call<T>('POST', '/v1/agent/enroll', {
    name: `site-${port}`,
    publicKey: key.publicKey,
    vtep: { address: '192.0.2.1', port },
    version: '1.0.0',
    ...body,
  });
}

export interface TestAgent {
  readonly id: string;
  readonly name: string;
  readonly key: AgentKey;
  /** A caller with a fresh token. */
  readonly caller: (changes?: TokenChanges) => Promise<Caller>;
}

/** A site with an agent, enrolled by a token of its own. */
export async function newAgent(
  host: Reachable,
  tenant: TestTenant,
  changes: Partial<EnrolBody> = {},
): Promise<TestAgent> {
  const { token } = await tenant.admin.made<{ token: string }>('POST', `${tenant.at}/join-tokens`, {});
  const key = await newAgentKey();
  const { status, body } = await enrol(host, key, { token, ...changes });
  if (status !== 201) throw new Error(`enrol: ${status} ${JSON.stringify(body)}`);
  return {
    id: body.site,
    name: body.name,
    key,
    caller: async (tokenChanges) => new Caller(host.url, await key.sign(host.url, body.site, tokenChanges)),
  };
}
