/** The persons of a tenant: whom an identity provider must name for them to be let in, and what they may then do. */
import * as v from 'valibot';
import { ROLES } from './tenants.ts';

const EMAIL_MESSAGE = 'must be an e-mail address such as ada@example.com';
/** Of no case: `Ada@Example.com` is `ada@example.com`. */
const EmailSchema = v.pipe(
  v.string(EMAIL_MESSAGE),
  v.maxLength(254, EMAIL_MESSAGE),
  v.regex(/^[^\s@]+@[^\s@]+$/, EMAIL_MESSAGE),
  v.transform((text) => text.toLowerCase()),
);
const SUBJECT_MESSAGE = "must be the person's subject at the identity provider: 1 to 255 characters";
const SubjectSchema = v.pipe(
  v.string(SUBJECT_MESSAGE),
  v.minLength(1, SUBJECT_MESSAGE),
  v.maxLength(255, SUBJECT_MESSAGE),
);
const RoleSchema = v.picklist(ROLES, 'must be "admin" or "viewer"');

/** By the e-mail address, which the provider must have verified, or by the subject (`sub`), which no one else can ever get there. */
export const MemberCreateSchema = v.pipe(
  v.strictObject({ email: v.optional(EmailSchema), subject: v.optional(SubjectSchema), role: RoleSchema }),
  v.check(({ email, subject }) => (email === undefined) !== (subject === undefined), 'must have email or subject'),
);
export type MemberCreate = v.InferOutput<typeof MemberCreateSchema>;

export const MemberPatchSchema = v.strictObject({ role: RoleSchema });

export const MemberSchema = v.object({
  id: v.string(),
  email: v.optional(v.string()),
  subject: v.optional(v.string()),
  role: v.picklist(ROLES),
  createdAt: v.string(),
});
export type Member = v.InferOutput<typeof MemberSchema>;
