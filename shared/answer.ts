/**
 * What a gateway's answer says. Only one that is wholly what the contract says counts: an error page of a proxy, half a body or an
 * empty one is none, whatever its status.
 */
import * as v from 'valibot';
import { type Problem, ProblemSchema } from '../src/contract/errors.ts';
import { oneLine } from './failure.ts';
import { describeFaults } from './faults.ts';
import type { TransportResponse } from './transport.ts';

/** Nothing was said that can be acted on. `reason` is one line. */
export interface Unreadable {
  readonly kind: 'unavailable';
  readonly reason: string;
}

export function parseBody<const T extends v.GenericSchema>(
  response: TransportResponse,
  schema: T,
): { readonly kind: 'parsed'; readonly value: v.InferOutput<T> } | Unreadable {
  let json: unknown;
  try {
    json = JSON.parse(response.body.toString('utf8'));
  } catch {
    return { kind: 'unavailable', reason: `answered ${response.status} with a body that is not JSON` };
  }
  const parsed = v.safeParse(schema, json, { abortEarly: true });
  if (parsed.success) return { kind: 'parsed', value: parsed.output };
  const [fault] = describeFaults(parsed.issues);
  return { kind: 'unavailable', reason: `answered ${response.status} with a malformed body: ${fault}` };
}

/** The status has to be the problem's own: what a proxy in between made of it is not the gateway's word. */
export function problemOf(response: TransportResponse): Problem | null {
  const parsed = parseBody(response, ProblemSchema);
  return parsed.kind === 'parsed' && parsed.value.status === response.status ? parsed.value : null;
}

/** @returns an answer that is neither what was asked for nor a problem, in one line. */
export function describeStranger({ status, headers }: TransportResponse): string {
  const type = headers['content-type']?.split(';', 1)[0] ?? 'nothing';
  const location = headers.location === undefined ? '' : ` (a redirect to ${headers.location})`;
  return oneLine(`answered ${status} with ${type}${location}, which is not a gateway's answer`);
}
