/** The words of the OpenAPI document that a route brings along. */
import { describeRoute, resolver } from 'hono-openapi';
import type { GenericSchema } from 'valibot';
import { ERRORS, type ErrorCode } from '../contract/errors.ts';

export interface RouteText {
  readonly summary: string;
  readonly tag: string;
  /** The status of success, and what it carries: nothing for 204. */
  readonly status: 101 | 200 | 201 | 204 | 302;
  readonly gives?: GenericSchema;
  /** Another success, in words: `{304: 'Nothing new'}`. */
  readonly also?: Readonly<Record<number, string>>;
  readonly errors?: readonly ErrorCode[];
  /** True where no credential is asked for. */
  readonly isPublic?: boolean;
}

const DESCRIPTIONS = {
  101: 'WebSocket from here on',
  200: 'As asked',
  201: 'As asked',
  204: 'Done',
  302: 'Go there',
} as const;

export function describe(text: RouteText) {
  const errors: readonly ErrorCode[] = text.isPublic
    ? (text.errors ?? [])
    : ['unauthenticated', 'rate_limited', ...(text.errors ?? [])];
  const content = text.gives === undefined ? {} : { content: { 'application/json': { schema: resolver(text.gives) } } };
  const others = Object.entries(text.also ?? {}).map(([status, description]) => [
    status,
    status === '201' || status === '200' ? { description, ...content } : { description },
  ]);
  return describeRoute({
    summary: text.summary,
    tags: [text.tag],
    ...(text.isPublic ? { security: [] } : {}),
    responses: {
      [text.status]: { description: DESCRIPTIONS[text.status], ...content },
      ...Object.fromEntries(others),
      ...problemsOf(errors),
    },
  });
}

/** One answer per status, naming the codes that come with it. */
function problemsOf(codes: readonly ErrorCode[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}
