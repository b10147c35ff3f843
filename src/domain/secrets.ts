/**
 * Bearer secrets: `olk_<id>_<secret>` for a tenant's key, `olj_<id>_<secret>` for a join token, `ols_<id>_<secret>`
 * for a session (in its cookie). The id finds the row; the row holds the
 * SHA-256 of the whole, which is enough for 256 random bits; the comparison takes the same time wherever the difference is.
 */
import { encodeBase64Url } from './base64url.ts';
import { ID_PATTERN } from './ids.ts';

export type SecretKind = 'olk' | 'olj' | 'ols';

const SECRET_BYTES = 32;

/** @returns a new secret that names the row `id`. */
export function newSecret(kind: SecretKind, id: string): string {
  return `${kind}_${id}_${encodeBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))}`;
}

/** @returns the id of the row that `text` would be the secret of, or null where it has another form. */
export function secretId(kind: SecretKind, text: string): string | null {
  return SECRET_FORMS[kind].exec(text)?.[1] ?? null;
}

const SECRET_FORMS: Record<SecretKind, RegExp> = {
  olk: new RegExp(`^olk_(${ID_PATTERN})_[A-Za-z0-9_-]{43}$`),
  olj: new RegExp(`^olj_(${ID_PATTERN})_[A-Za-z0-9_-]{43}$`),
  ols: new RegExp(`^ols_(${ID_PATTERN})_[A-Za-z0-9_-]{43}$`),
};

/** @returns the SHA-256 of `text` in hex. */
export async function hashSecret(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** True where `text` hashes to `hash`; the time it takes tells nothing of where they differ. */
export async function matchesHash(text: string, hash: string): Promise<boolean> {
  const given = await hashSecret(text);
  let difference = given.length ^ hash.length;
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ hash.charCodeAt(i);
  return difference === 0;
}
