/** The gateway's API, as the page asks it: same origin, by the session's cookie. */
import type { Fault, Problem } from '../../contract/errors.ts';

/** The gateway answered, and the answer is no. Its words are for people. */
export class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** There was no answer, or none of the gateway's. */
export class Unreachable extends Error {}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface CallOptions {
  readonly body?: object;
  /** A POST that is sent again with the same one is done once. */
  readonly idempotencyKey?: string;
}

/** What is called when a request, or the live socket, finds that the session is no more. */
let onSignedOut = (): void => undefined;
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}
export function signedOut(): void {
  onSignedOut();
}

/** @throws Refused, Unreachable */
export async function call<Answer>(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await send(method, path, options);
  if (response.ok) return (response.status === 204 ? undefined : await readJson(response)) as Answer;
  const problem = (await readJson(response)) as Problem;
  if (typeof problem?.code !== 'string') throw new Unreachable(`The gateway answered ${response.status}.`);
  // Signing in is refused by 401 as well, and says so by itself.
  if (response.status === 401 && path !== '/v1/session') signedOut();
  throw new Refused(problem);
}

export function get<Answer>(path: string): Promise<Answer> {
  return call('GET', path);
}

/** @returns the faults of a refused form, by the path of the field. */
export function faultsOf(error: unknown): ReadonlyMap<string, string> {
  const faults: readonly Fault[] = error instanceof Refused ? (error.problem.errors ?? []) : [];
  return new Map(faults.map(({ path, message }) => [path, message]));
}

async function send(method: Method, path: string, { body, idempotencyKey }: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  try {
    return await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    throw new Unreachable('The gateway can’t be reached. Nothing was lost here: try again.');
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new Unreachable(`The gateway’s answer (${response.status}) can’t be read.`);
  }
}
