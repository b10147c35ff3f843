/** Signing in to the dashboard: a key, or a person whom an identity provider knows, is exchanged for a session, kept in a cookie. */
import * as v from 'valibot';
import { PageQuerySchema } from './pages.ts';
import { ROLES } from './tenants.ts';

/** The prefix makes browsers hold it to this origin, to HTTPS (or this machine) and to no other path. */
export const SESSION_COOKIE = '__Host-overlane';

const KEY_MESSAGE = "must be an API key (olk_…) or the operator's key";
export const SignInSchema = v.strictObject({
  key: v.pipe(v.string(KEY_MESSAGE), v.minLength(1, KEY_MESSAGE), v.maxLength(1000, KEY_MESSAGE)),
});

export const SESSION_ROLES = ['operator', ...ROLES] as const;
export type SessionRole = (typeof SESSION_ROLES)[number];

const TenantNameSchema = v.object({ slug: v.string(), name: v.string() });

export const SessionSchema = v.object({
  id: v.string(),
  role: v.picklist(SESSION_ROLES),
  /** Null for the operator, who sees all. */
  tenant: v.nullable(TenantNameSchema),
  /** Who signed in: the key's name, or the person's e-mail address. */
  who: v.string(),
  /** When it ends unless it is used before that. */
  expiresAt: v.string(),
  /** Of a person: every tenant that lists them. `url` of the sign-in methods with `?tenant=` goes to another. */
  tenants: v.optional(v.array(TenantNameSchema)),
});
export type Session = v.InferOutput<typeof SessionSchema>;

/** What a page that has just been opened needs to know, whether or not somebody is signed in. */
export const SignInMethodsSchema = v.object({
  key: v.literal(true),
  /** Where the browser goes to be known by the identity provider; it ends at `/`, or at `/sign-in?error=` with a `SignInError`. */
  oidc: v.nullable(v.object({ name: v.string(), url: v.string() })),
  session: v.nullable(SessionSchema),
});
export type SignInMethods = v.InferOutput<typeof SignInMethodsSchema>;

/** Why signing in by an identity provider came to nothing. */
export const SIGN_IN_ERRORS = {
  refused: 'The identity provider let nobody in.',
  outdated: 'It took too long, or began in another window. Try again.',
  email_not_verified: "The identity provider doesn't vouch for the e-mail address.",
  not_a_member: 'No tenant here lists this person: its admin, or the operator, can add them.',
  failed: "The identity provider didn't answer as it should; the gateway's log has more.",
} as const;
export type SignInError = keyof typeof SIGN_IN_ERRORS;

export const SessionsQuerySchema = PageQuerySchema;

/** A session as those who may end it see it. */
export const SessionItemSchema = v.object({
  id: v.string(),
  who: v.string(),
  role: v.picklist(SESSION_ROLES),
  /** True of the one that asks. */
  current: v.boolean(),
  /** The IP address it began from. */
  address: v.optional(v.string()),
  createdAt: v.string(),
  /** To the hour: not every use is noted. */
  lastUsedAt: v.string(),
  expiresAt: v.string(),
});
export type SessionItem = v.InferOutput<typeof SessionItemSchema>;
