/** The gateway's API, typed by the contract's schemas: what does not fit its schema is no answer. */
import { randomUUID } from 'node:crypto';
import type * as v from 'valibot';
import { describeStranger, parseBody, problemOf } from '../shared/answer.ts';
import { Failure, reasonOf } from '../shared/failure.ts';
import type { Transport, TransportRequest, TransportResponse } from '../shared/transport.ts';
import { MAX_PAGE, pageSchema } from '../src/contract/pages.ts';
import { Refused } from './refused.ts';

type Query = Readonly<Record<string, string | number | undefined>>;
type Schema = v.GenericSchema;

/** Each throws Refused where the gateway says no, and Failure `unreachable` where nothing that can be understood comes back. */
export interface Api {
  get<const S extends Schema>(path: string, schema: S, query?: Query): Promise<v.InferOutput<S>>;
  /** All items of a list, page by page. @param most ends it there. */
  list<const S extends Schema>(path: string, item: S, query?: Query, most?: number): Promise<v.InferOutput<S>[]>;
  post<const S extends Schema>(path: string, body: object, schema: S): Promise<v.InferOutput<S>>;
  put<const S extends Schema>(path: string, body: object, schema: S): Promise<v.InferOutput<S>>;
  patch<const S extends Schema>(path: string, body: object, schema: S): Promise<v.InferOutput<S>>;
  delete(path: string): Promise<void>;
}

/** A path whose values are taken as they are: `` path`/v1/tenants/${slug}` ``. */
export function path(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: texts }, ...values.map(encodeURIComponent));
}

export function createApi(transport: Transport, origin: string, key: string): Api {
  async function send(method: TransportRequest['method'], target: string, body?: object): Promise<TransportResponse> {
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      // A POST whose answer got lost can be sent again without doing it twice.
      ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
    };
    let response: TransportResponse;
    try {
      response = await transport.request({
        method,
        path: target,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Failure('unreachable', `no answer from ${origin}: ${reasonOf(error)}`, error);
    }
    if (response.status >= 200 && response.status < 300) return response;
    const problem = problemOf(response);
    if (problem !== null) throw new Refused(problem);
    throw new Failure('unreachable', `${origin} ${describeStranger(response)}`);
  }

  /** @returns what was sent, field for field: what this program does not know yet is left in. */
  function read<const S extends Schema>(response: TransportResponse, schema: S): v.InferOutput<S> {
    const parsed = parseBody(response, schema);
    if (parsed.kind === 'unavailable') throw new Failure('unreachable', `${origin} ${parsed.reason}`);
    return JSON.parse(response.body.toString('utf8')) as v.InferOutput<S>;
  }

  return {
    get: async (target, schema, query = {}) => read(await send('GET', withQuery(target, query)), schema),
    async list(target, item, query = {}, most = Number.POSITIVE_INFINITY) {
      const schema = pageSchema(item);
      const items: v.InferOutput<typeof item>[] = [];
      let cursor: string | undefined;
      do {
        const limit = Math.min(MAX_PAGE, most - items.length);
        const page = read(await send('GET', withQuery(target, { ...query, limit, cursor })), schema);
        for (const one of page.items) items.push(one);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined && items.length < most);
      return items;
    },
    post: async (target, body, schema) => read(await send('POST', target, body), schema),
    put: async (target, body, schema) => read(await send('PUT', target, body), schema),
    patch: async (target, body, schema) => read(await send('PATCH', target, body), schema),
    delete: async (target) => void (await send('DELETE', target)),
  };
}

function withQuery(target: string, query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? target : `${target}?${new URLSearchParams(given)}`;
}
