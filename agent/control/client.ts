/**
 * The gateway as the agent sees it. Every answer is one of a few kinds, and only an answer that is wholly what the contract says
 * counts as one: an error page of a proxy, half a table or an empty body is `unavailable`, whatever its status.
 */
import type { KeyObject } from 'node:crypto';
import { describeStranger, parseBody, problemOf } from '../../shared/answer.ts';
import { oneLine, reasonOf } from '../../shared/failure.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../shared/transport.ts';
import {
  type Enroll,
  type Enrolled,
  EnrolledSchema,
  type Heartbeat,
  type RotateKey,
} from '../../src/contract/agent.ts';
import type { ErrorCode } from '../../src/contract/errors.ts';
import { type MacReport, type MacReported, MacReportedSchema } from '../../src/contract/macs.ts';
import { type Paths, PathsSchema } from '../../src/contract/paths.ts';
import { type TableUpdate, TableUpdateSchema } from '../../src/contract/table.ts';
import { CONTRACT_HEADER, CONTRACT_VERSION } from '../../src/contract/version.ts';
import {
  type WireguardPublish,
  type WireguardPublished,
  WireguardPublishedSchema,
} from '../../src/contract/wireguard.ts';
import type { GatewayClock } from './clock.ts';
import { signToken } from './token.ts';

/** The gateway said no, in its own words. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Nothing was said that can be acted on. `reason` is one line. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly reason: string;
  readonly retryAfterSeconds?: number;
}

export type PullAnswer =
  | { readonly kind: 'updated'; readonly update: TableUpdate }
  | { readonly kind: 'not-modified' }
  | Refused
  | Unavailable;
export type HeartbeatAnswer = { readonly kind: 'accepted' } | Refused | Unavailable;
export type MacsAnswer = ({ readonly kind: 'reported' } & MacReported) | Refused | Unavailable;
export type RotateAnswer = { readonly kind: 'rotated' } | Refused | Unavailable;
export type PublishAnswer = ({ readonly kind: 'published' } & WireguardPublished) | Refused | Unavailable;
export type PathsAnswer = ({ readonly kind: 'told' } & Paths) | Refused | Unavailable;
export type EnrollAnswer = { readonly kind: 'enrolled'; readonly enrolled: Enrolled } | Refused | Unavailable;

/** What a session needs of the gateway. */
export interface GatewayClient {
  /** @param cursor of the table that is held, or null for a snapshot. */
  pull(cursor: string | null): Promise<PullAnswer>;
  heartbeat(heartbeat: Heartbeat): Promise<HeartbeatAnswer>;
  reportMacs(report: MacReport): Promise<MacsAnswer>;
}

export interface ClientOptions {
  readonly transport: Transport;
  readonly clock: GatewayClock;
  /** The machine's clock, milliseconds since 1970. */
  readonly machineNow: () => number;
  readonly origin: string;
  /** What requests are signed with: read for each of them. */
  readonly privateKey: KeyObject;
  /** A key that the gateway may have taken for the site's without our hearing of it. */
  readonly nextKey?: NextKey | null;
}

/** A key that is to take the place of the site's. */
export interface NextKey {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  /** The gateway took it: from here on it is the site's. */
  promote(): Promise<void>;
}

/** @param site the site's id. */
export function createGatewayClient(options: ClientOptions, site: string): GatewayClient {
  return {
    async pull(cursor) {
      const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const response = await send(options, site, { method: 'GET', path: `/v1/agent/tables${query}`, headers: {} });
      if (response.status === 304 && cursor !== null) return { kind: 'not-modified' };
      if ('reason' in response || response.status !== 200) return failureOf(response);
      const update = parseBody(response, TableUpdateSchema);
      return update.kind === 'unavailable' ? update : { kind: 'updated', update: update.value };
    },
    async heartbeat(heartbeat) {
      const response = await send(options, site, post('/v1/agent/heartbeat', heartbeat));
      return response.status === 204 ? { kind: 'accepted' } : failureOf(response);
    },
    async reportMacs(report) {
      const response = await send(options, site, post('/v1/agent/macs', report));
      if ('reason' in response || response.status !== 200) return failureOf(response);
      const reported = parseBody(response, MacReportedSchema);
      return reported.kind === 'unavailable' ? reported : { kind: 'reported', ...reported.value };
    },
  };
}

/** Enrols a site; the request is signed with the private half of `enroll.publicKey`. */
export async function enrollSite(options: ClientOptions, enroll: Enroll): Promise<EnrollAnswer> {
  const response = await send(options, enroll.publicKey, post('/v1/agent/enroll', enroll));
  if ('reason' in response || (response.status !== 200 && response.status !== 201)) return failureOf(response);
  const enrolled = parseBody(response, EnrolledSchema);
  return enrolled.kind === 'unavailable' ? enrolled : { kind: 'enrolled', enrolled: enrolled.value };
}

/** Asks what both ends said of the paths between the site and its peers. */
export async function askPaths(options: ClientOptions, site: string): Promise<PathsAnswer> {
  const response = await send(options, site, { method: 'GET', path: '/v1/agent/paths', headers: {} });
  if ('reason' in response || response.status !== 200) return failureOf(response);
  const told = parseBody(response, PathsSchema);
  return told.kind === 'unavailable' ? told : { kind: 'told', ...told.value };
}

/** Says by which WireGuard keys the site is reached. */
export async function publishWireguard(
  options: ClientOptions,
  site: string,
  body: WireguardPublish,
): Promise<PublishAnswer> {
  const response = await send(options, site, { ...post('/v1/agent/wireguard', body), method: 'PUT' });
  if ('reason' in response || response.status !== 200) return failureOf(response);
  const published = parseBody(response, WireguardPublishedSchema);
  return published.kind === 'unavailable' ? published : { kind: 'published', ...published.value };
}

/** Gives the site another key. Where no answer comes it is unknown which of the two the site has; asking again finds out. */
export async function rotateKey(options: ClientOptions, site: string, next: NextKey): Promise<RotateAnswer> {
  const answer = await takeKey(options, site, next, options.privateKey);
  return isUnauthenticated(answer) ? takeKey(options, site, next, next.privateKey) : answer;
}

/** @param signer the key that the site has, or `next` itself where it may have that already. */
async function takeKey(options: ClientOptions, site: string, next: NextKey, signer: KeyObject): Promise<RotateAnswer> {
  const { clock, origin } = options;
  const ask = async (): Promise<TransportResponse | NoAnswer> => {
    const proof = await signToken(next.privateKey, next.publicKey, origin, clock.now(), site);
    const body: RotateKey = { publicKey: next.publicKey, proof };
    return sendBy(signer, options, site, post('/v1/agent/key', body));
  };
  let response = await ask();
  // A proof of a moment when our clock was wrong: by now it is corrected.
  if (response.status === 400) response = await ask();
  if (response.status !== 204) return failureOf(response);
  await next.promote();
  return { kind: 'rotated' };
}

function isUnauthenticated(answer: { readonly kind: string; readonly code?: ErrorCode }): boolean {
  return answer.kind === 'refused' && answer.code === 'unauthenticated';
}

type NoAnswer = { readonly status: 0; readonly reason: string };

/** Sends by the site's key. Where that is refused while a rotation's end is unknown, finds out which key the site has, and sends by it. */
async function send(
  options: ClientOptions,
  subject: string,
  request: TransportRequest,
): Promise<TransportResponse | NoAnswer> {
  const response = await sendBy(options.privateKey, options, subject, request);
  const { nextKey } = options;
  if (!nextKey || response.status !== 401 || !isUnauthenticated(failureOf(response))) return response;
  const answer = await takeKey(options, subject, nextKey, nextKey.privateKey);
  return answer.kind === 'rotated' ? sendBy(options.privateKey, options, subject, request) : response;
}

/** Sends with a fresh token; where the clocks turn out to differ, corrects ours by the answer's and tries that once more. */
async function sendBy(
  privateKey: KeyObject,
  options: ClientOptions,
  subject: string,
  request: TransportRequest,
): Promise<TransportResponse | NoAnswer> {
  const { transport, clock, machineNow, origin } = options;
  const attempt = async (): Promise<TransportResponse> => {
    const token = await signToken(privateKey, subject, origin, clock.now());
    const sentAt = machineNow();
    const headers = {
      ...request.headers,
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      [CONTRACT_HEADER]: CONTRACT_VERSION,
    };
    const response = await transport.request({ ...request, headers });
    clock.observe(response.headers.date, sentAt);
    return response;
  };
  try {
    const first = await attempt();
    return first.status === 401 && problemOf(first)?.code === 'token_expired' ? await attempt() : first;
  } catch (error) {
    return { status: 0, reason: reasonOf(error) };
  }
}

function post(path: string, body: unknown): TransportRequest {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function failureOf(response: TransportResponse | NoAnswer): Refused | Unavailable {
  if ('reason' in response) return { kind: 'unavailable', reason: response.reason };
  const problem = problemOf(response);
  if (response.status >= 400 && response.status < 500 && response.status !== 429 && problem !== null) {
    const faults = problem.errors?.map(({ path, message }) => `${path}: ${message}`) ?? [];
    return { kind: 'refused', code: problem.code, detail: oneLine([problem.detail, ...faults].join('; ')) };
  }
  const retryAfterSeconds = Number(response.headers['retry-after'] ?? Number.NaN);
  return {
    kind: 'unavailable',
    reason: problem === null ? describeStranger(response) : `answered ${response.status}: ${oneLine(problem.detail)}`,
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  };
}
