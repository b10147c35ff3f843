/** The signed token that every request of an agent carries. */
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';

/** Half of what the gateway allows, so that a clock that is a little off still fits. */
const LIFE_SECONDS = 60;

/**
 * @param subject the site's id; for an enrolment its public key, which the signature proves the possession of.
 * @param origin the gateway's, as `https://host:port`.
 * @param nowMs the gateway's time, milliseconds since 1970.
 * @param site the site's id, where the token proves a key for that site's use.
 */
export function signToken(
  privateKey: KeyObject,
  subject: string,
  origin: string,
  nowMs: number,
  site?: string,
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT(site === undefined ? {} : { sub: site })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: subject })
    .setIssuer(subject)
    .setAudience(origin)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFE_SECONDS)
    .sign(privateKey);
}
