/**
 * Signing in by an OpenID Connect issuer: the authorization code flow with PKCE (RFC 7636), `state` and `nonce` (OpenID Connect Core §3.1).
 *
 * What must be remembered between going there and coming back is sealed into a cookie, so that whoever begins and never comes back
 * leaves nothing here.
 */
import * as oauth from 'oauth4webapi';
import type { OidcProvider } from '../domain/identity-provider.ts';
import type { Person } from '../domain/person.ts';
import { IdentityError } from './identity-error.ts';

/** What is remembered. */
export interface Begun {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The slug of the tenant that is wanted, '' for any. */
  readonly tenant: string;
}

const TIMEOUT_MS = 10_000;
/** Discovery is asked for again after so long; the keys each time, so that a rotation is no outage. */
const DISCOVERY_MS = 3600_000;

export class Oidc {
  readonly #provider: OidcProvider;
  readonly #client: oauth.Client;
  readonly #now: () => number;
  #server: { readonly metadata: oauth.AuthorizationServer; readonly until: number } | null = null;

  constructor(provider: OidcProvider, now: () => number) {
    this.#provider = provider;
    this.#now = now;
    this.#client = { client_id: provider.clientId };
  }

  /** @returns where to send the browser, and what to remember. @throws IdentityError `failed`. */
  async begin(redirectUri: string, tenant: string): Promise<{ readonly url: URL; readonly begun: Begun }> {
    const { authorization_endpoint: endpoint } = await this.#discover();
    if (endpoint === undefined) throw new IdentityError('failed', 'the issuer names no authorization endpoint');
    const begun: Begun = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      tenant,
    };
    const url = new URL(endpoint);
    const asked = {
      client_id: this.#provider.clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid email profile',
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    return { url, begun };
  }

  /** @param answer the address that the browser came back to. @throws IdentityError */
  async end(answer: URL, redirectUri: string, begun: Begun): Promise<Person> {
    const server = await this.#discover();
    try {
      const code = oauth.validateAuthResponse(server, this.#client, answer, begun.state);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        this.#client,
        this.#provider.clientSecret === null ? oauth.None() : oauth.ClientSecretPost(this.#provider.clientSecret),
        code,
        redirectUri,
        begun.verifier,
        this.#options(),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, this.#client, response, {
        expectedNonce: begun.nonce,
        requireIdToken: true,
      });
      // The library keeps keys by the object that it is given.
      await oauth.validateApplicationLevelSignature({ ...server }, response, this.#options());
      return personOf(oauth.getValidatedIdTokenClaims(tokens)!);
    } catch (error) {
      throw identityErrorOf(error);
    }
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    if (this.#server !== null && this.#server.until > this.#now()) return this.#server.metadata;
    const issuer = new URL(this.#provider.issuer);
    try {
      const response = await oauth.discoveryRequest(issuer, { ...this.#options(), algorithm: 'oidc' });
      const metadata = await oauth.processDiscoveryResponse(issuer, response);
      this.#server = { metadata, until: this.#now() + DISCOVERY_MS };
      return metadata;
    } catch (error) {
      throw identityErrorOf(error);
    }
  }

  #options(): { signal: () => AbortSignal; [oauth.allowInsecureRequests]: boolean } {
    // Plain http is only ever this machine's: see the settings.
    return {
      signal: () => AbortSignal.timeout(TIMEOUT_MS),
      [oauth.allowInsecureRequests]: new URL(this.#provider.issuer).protocol === 'http:',
    };
  }
}

/** An address that the issuer doesn't vouch for could be anyone's. @throws IdentityError `email_not_verified`. */
function personOf({ sub, email, email_verified: isVerified, name }: oauth.IDToken): Person {
  if (typeof email === 'string' && isVerified === false) {
    throw new IdentityError('email_not_verified', 'email_verified is false');
  }
  const vouched = typeof email === 'string' && isVerified === true ? email.toLowerCase() : null;
  return { subject: sub, email: vouched, name: vouched ?? (typeof name === 'string' ? name : sub) };
}

function identityErrorOf(error: unknown): IdentityError {
  if (error instanceof IdentityError) return error;
  if (error instanceof oauth.AuthorizationResponseError) return new IdentityError('refused', error.error);
  return new IdentityError('failed', 'the answer is not one to be trusted', { cause: error });
}
