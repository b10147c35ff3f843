import { Hono } from 'hono';
import { type Member, MemberCreateSchema, MemberPatchSchema, MemberSchema } from '../contract/members.ts';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import { createMember, deleteMember, listMembers, type MemberRow, patchMember } from '../db/members.ts';
import { readPageCursor } from '../db/page.ts';
import { newId } from '../domain/ids.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'Members';

export function memberRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/tenants/:tenant/members',
    describe({
      summary: 'Let a person in, whom the identity provider knows by this e-mail address or subject',
      tag,
      status: 201,
      gives: MemberSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'not_found', 'invalid_body', 'quota_exceeded', 'member_taken'],
    }),
    access.admin,
    body(MemberCreateSchema),
    once(gateway),
    async (c) => {
      const time = now();
      const made = { id: newId(time), now: time };
      return c.json(toMember(await createMember(c.get('db'), c.get('tenant').id, made, c.req.valid('json'))), 201);
    },
  );

  app.get(
    '/v1/tenants/:tenant/members',
    describe({
      summary: 'List members',
      tag,
      status: 200,
      gives: pageSchema(MemberSchema),
      errors: ['not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.viewer,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await listMembers(db, c.get('tenant').id, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: page.items.map(toMember) });
    },
  );

  app.patch(
    '/v1/tenants/:tenant/members/:id',
    describe({
      summary: "Change a member's role, for their sessions too",
      tag,
      status: 200,
      gives: MemberSchema,
      errors: ['forbidden', 'not_found', 'invalid_body'],
    }),
    access.admin,
    body(MemberPatchSchema),
    async (c) => {
      const { role } = c.req.valid('json');
      return c.json(toMember(await patchMember(c.get('db'), c.get('tenant').id, c.req.param('id'), role)));
    },
  );

  app.delete(
    '/v1/tenants/:tenant/members/:id',
    describe({
      summary: 'Let a person in no more; their sessions end at once',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.admin,
    async (c) => {
      await deleteMember(c.get('db'), c.get('tenant').id, c.req.param('id'));
      return c.body(null, 204);
    },
  );

  return app;
}

function toMember({ id, email, subject, role, createdAt }: MemberRow): Member {
  return {
    id,
    ...(email === null ? {} : { email }),
    ...(subject === null ? {} : { subject }),
    role,
    createdAt: new Date(createdAt).toISOString(),
  };
}
