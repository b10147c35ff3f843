/**
 * Answers that cost much are given again for a moment. An answer belongs to one tenant at one revision, so every change shows at once;
 * what is no change (a report, somebody who came or went) shows a moment later.
 */
import type { MiddlewareHandler } from 'hono';
import { BriefAnswers } from '../domain/brief-answers.ts';
import type { AppEnv, Gateway } from '../gateway.ts';

/** What small tenants ask for costs less than it would to explain why it is old. */
const KEPT_FROM_ATTACHMENTS = 1000;

/** For a route whose answer is the same for all who may ask, and depends on nothing but its tenant. Goes after the check of access. */
export function briefly({ now }: Gateway): MiddlewareHandler<AppEnv> {
  const answers = new BriefAnswers();
  return async function briefly(c, next) {
    const { id, revision, networkCount, siteCount } = c.get('tenant');
    if (networkCount * siteCount < KEPT_FROM_ATTACHMENTS) return next();
    const answer = answers.get(id, revision, now());
    if (answer !== null) return c.body(answer, 200, { 'content-type': 'application/json' });
    await next();
    if (c.res.ok) answers.keep(id, revision, await c.res.clone().text(), now());
    return undefined;
  };
}
