/**
 * The gateway as the agent sees it. Every answer is one of a few kinds, and only an answer that is wholly what the contract says
 * counts as one: an error page of a proxy, half a table or an empty body is `unavailable`, whatever its status.
 */
import type { KeyObject } from 'node:crypto';
import { describeStranger, parseBody, problemOf } from '../../shared/answer.ts';
import { oneLine, reasonOf } from '../../shared/failure.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../shared/transport.ts';
import { type Enroll, type Enrolled, EnrolledSchema, type Heartbeat } from '../../src/contract/agent.ts';
import type { ErrorCode } from '../../src/contract/errors.ts';
import { type MacReport, type MacReported, MacReportedSchema } from '../../src/contract/macs.ts';
import { type TableUpdate, TableUpdateSchema } from '../../src/contract/table.ts';
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
  readonly privateKey: KeyObject;
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

type NoAnswer = { readonly status: 0; readonly reason: string };

/** Sends with a fresh token; where the clocks turn out to differ, corrects ours by the answer's and tries that once more. */
async function send(
  options: ClientOptions,
  subject: string,
  request: TransportRequest,
): Promise<TransportResponse | NoAnswer> {
  const { transport, clock, machineNow, origin, privateKey } = options;
  const attempt = async (): Promise<TransportResponse> => {
    const token = await signToken(privateKey, subject, origin, clock.now());
    const sentAt = machineNow();
    const headers = { ...request.headers, accept: 'application/json', authorization: `Bearer ${token}` };
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
