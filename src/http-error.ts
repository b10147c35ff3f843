/** The one place where a failure becomes an HTTP answer: problem details, RFC 9457. */
import type { Context, ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { ERRORS, type Problem } from './contract/errors.ts';
import { refusalOf } from './db/store-error.ts';
import { Refusal } from './domain/refusal.ts';
import type { AppEnv, Log } from './gateway.ts';

export function problem(c: Context<AppEnv>, refusal: Refusal): Response {
  const { status, title } = ERRORS[refusal.code];
  const body: Problem = {
    type: `/docs#${refusal.code}`,
    title,
    status,
    detail: refusal.message,
    code: refusal.code,
    requestId: c.get('requestId'),
    ...(refusal.faults === undefined ? {} : { errors: [...refusal.faults] }),
    ...(refusal.until === undefined ? {} : { until: refusal.until }),
  };
  if (status === 401) c.header('www-authenticate', 'Bearer');
  const retryAfter = refusal.retryAfter ?? (status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) c.header('retry-after', String(retryAfter));
  return c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' });
}

/** Known refusals are answered as they are; anything else is ours: logged with its cause, and told only as a request id. */
export function answerError(log: Log): ErrorHandler<AppEnv> {
  return (error, c) => {
    if (error instanceof Refusal) return problem(c, error);
    if (error instanceof HTTPException && error.status === 400) {
      return problem(c, new Refusal('invalid_json', 'The body is not JSON: it must be one JSON object.'));
    }
    const refusal = refusalOf(error);
    if (refusal !== null && refusal.code !== 'unavailable') return problem(c, refusal);
    const requestId = c.get('requestId');
    log.error({ requestId, method: c.req.method, path: c.req.path, error }, 'request failed');
    return problem(
      c,
      refusal ?? new Refusal('internal', `The gateway failed; its log has more under request ${requestId}.`),
    );
  };
}
