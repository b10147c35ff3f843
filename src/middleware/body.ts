/** Reading and checking what a request says, once, at the edge: handlers get it typed, and the OpenAPI document gets its schema. */
import type { Context, MiddlewareHandler } from 'hono';
import { resolver, uniqueSymbol } from 'hono-openapi';
import * as v from 'valibot';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../gateway.ts';
import { refusalOfIssues } from './faults.ts';

export const MAX_BODY_BYTES = 1_000_000;

type Schema = v.GenericSchema<unknown, object>;
type Validated<T extends 'json' | 'query', S extends Schema> = MiddlewareHandler<
  AppEnv,
  string,
  { in: Record<T, v.InferInput<S>>; out: Record<T, v.InferOutput<S>> }
>;

/** Takes a JSON body of this schema: `c.req.valid('json')`. */
export function body<const S extends Schema>(schema: S): Validated<'json', S> {
  const middleware: Validated<'json', S> = async function body(c, next) {
    const result = v.safeParse(schema, await readJson(c));
    if (!result.success) throw refusalOfIssues('invalid_body', result.issues);
    c.req.addValidatedData('json', result.output);
    await next();
  };
  return documented(middleware, 'json', schema);
}

/** Takes query parameters of this schema: `c.req.valid('query')`. */
export function query<const S extends Schema>(schema: S): Validated<'query', S> {
  const middleware: Validated<'query', S> = async function query(c, next) {
    const result = v.safeParse(schema, c.req.query());
    if (!result.success) throw refusalOfIssues('invalid_query', result.issues);
    c.req.addValidatedData('query', result.output);
    await next();
  };
  return documented(middleware, 'query', schema);
}

/** Lets the OpenAPI document know of what `middleware` takes. */
export function documented<M extends MiddlewareHandler>(
  middleware: M,
  target: 'json' | 'query' | 'header',
  schema: Schema,
): M {
  return Object.assign(middleware, {
    [uniqueSymbol]: { target, ...resolver(schema, { options: { typeMode: 'input' } }) },
  });
}

async function readJson(c: Context<AppEnv>): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal('unsupported_media_type', 'Send the body as JSON, with content-type: application/json.');
  }
  const text = await readText(c.req.raw, Number(c.req.header('content-length') ?? 0));
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('invalid_json', 'The body is not JSON: it must be one JSON object.');
  }
}

/** A body that says it is too large is not read at all; one that doesn't say is read no further than the limit. */
async function readText(request: Request, announced: number): Promise<string> {
  const tooLarge = new Refusal('body_too_large', `The body may have ${MAX_BODY_BYTES} bytes at most.`);
  if (announced > MAX_BODY_BYTES) throw tooLarge;
  if (request.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
