/**
 * Cloudflare Access stands in front of the gateway and says with each request who asks, in a JWT
 * (developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/).
 */
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { AccessProvider } from '../domain/identity-provider.ts';
import type { Person } from '../domain/person.ts';
import { IdentityError } from './identity-error.ts';

export const ACCESS_HEADER = 'cf-access-jwt-assertion';
/** Where the header was taken away on the way. */
export const ACCESS_COOKIE = 'CF_Authorization';

const CLOCK_SKEW_SECONDS = 60;
/** A key that isn't known is looked for anew, so often at most. */
const COOLDOWN_MS = 1000;

export class Access {
  readonly #provider: AccessProvider;
  readonly #now: () => number;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(provider: AccessProvider, now: () => number) {
    this.#provider = provider;
    this.#now = now;
    const certs = new URL('/cdn-cgi/access/certs', provider.team);
    this.#keys = createRemoteJWKSet(certs, { cooldownDuration: COOLDOWN_MS });
  }

  /** @returns who it is, and until when Access says so, in milliseconds since 1970. @throws IdentityError */
  async verify(token: string): Promise<{ readonly person: Person; readonly until: number }> {
    let claims: JWTPayload;
    try {
      ({ payload: claims } = await jwtVerify(token, this.#keys, {
        algorithms: ['RS256', 'ES256'],
        issuer: this.#provider.team,
        audience: this.#provider.audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(this.#now()),
      }));
    } catch (error) {
      const isOutdated = error instanceof errors.JWTExpired;
      throw new IdentityError(isOutdated ? 'outdated' : 'failed', 'the assertion is not one to be trusted', {
        cause: error,
      });
    }
    const { sub = '', email, exp = 0 } = claims;
    // A service token has no subject: it is no person.
    if (sub === '') throw new IdentityError('not_a_member', 'the assertion names no person');
    // Access lets in by addresses that it has verified itself.
    const address = typeof email === 'string' ? email.toLowerCase() : null;
    return { person: { subject: sub, email: address, name: address ?? sub }, until: exp * 1000 };
  }
}
