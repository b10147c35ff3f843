/**
 * An agent's signed token: a JWT, EdDSA by the site's Ed25519 key, `kid` and `iss` naming the site, `aud` the gateway's origin, at most
 * two minutes of life. Any host's clock may be a minute off.
 */
import { decodeProtectedHeader, errors, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { AGENT_TOKEN_SECONDS, CLOCK_SKEW_SECONDS } from '../contract/agent.ts';
import { Refusal } from './refusal.ts';

export interface AgentTokenCheck {
  /** The Ed25519 public key, base64url. */
  readonly publicKey: string;
  /** What `kid` and `iss` must both be. */
  readonly subject: string;
  /** The origins that this gateway answers to; one of them must be the token's `aud`. */
  readonly origins: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What `sub` must be, where the token is for one site's use alone. */
  readonly site?: string;
}

/** @returns the token's `kid`, unverified: it says whose key to verify with. @throws Refusal `unauthenticated`. */
export function readKeyId(token: string): string {
  let kid: unknown;
  try {
    kid = decodeProtectedHeader(token).kid;
  } catch {
    throw new Refusal('unauthenticated', 'The bearer token is not a JWT.');
  }
  if (typeof kid !== 'string') throw new Refusal('unauthenticated', 'The token names no key: its header needs a kid.');
  return kid;
}

/** @throws Refusal `unauthenticated` where the token isn't this key's or isn't for this gateway, `token_expired` outside its time. */
export async function verifyAgentToken(token: string, check: AgentTokenCheck): Promise<void> {
  if (readKeyId(token) !== check.subject) throw new Refusal('unauthenticated', "The token's kid names another key.");
  let claims: JWTPayload;
  try {
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: check.publicKey }, 'EdDSA');
    ({ payload: claims } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      issuer: check.subject,
      audience: [...check.origins],
      ...(check.site === undefined ? {} : { subject: check.site }),
      requiredClaims: ['iat', 'exp'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(check.now),
    }));
  } catch (cause) {
    throw refusalOf(cause, check);
  }
  const { iat = 0, exp = 0 } = claims;
  if (exp - iat > AGENT_TOKEN_SECONDS) {
    throw new Refusal(
      'unauthenticated',
      `A token may live ${AGENT_TOKEN_SECONDS} s at most; this one: ${exp - iat} s.`,
    );
  }
  if (iat > check.now / 1000 + CLOCK_SKEW_SECONDS) throw outsideItsTime(check.now);
}

function refusalOf(cause: unknown, check: AgentTokenCheck): Refusal {
  if (cause instanceof errors.JWTExpired) return outsideItsTime(check.now);
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === 'nbf') return outsideItsTime(check.now);
    if (cause.claim === 'aud') {
      return new Refusal(
        'unauthenticated',
        `The token is not for this gateway: aud must be ${check.origins.join(' or ')}.`,
      );
    }
    return new Refusal('unauthenticated', `The token's ${cause.claim} is missing or wrong.`);
  }
  return new Refusal('unauthenticated', "The token is not signed by this site's key (EdDSA, Ed25519).");
}

function outsideItsTime(now: number): Refusal {
  return new Refusal(
    'token_expired',
    `The token is outside its time; the gateway's clock says ${new Date(now).toISOString()}.`,
  );
}
