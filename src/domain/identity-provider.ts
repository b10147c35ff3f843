/** Where persons are known: an OpenID Connect issuer, or Cloudflare Access in front of the gateway. */

export interface OidcProvider {
  readonly kind: 'oidc';
  /** What the button to it says. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, for which PKCE stands alone. */
  readonly clientSecret: string | null;
}

export interface AccessProvider {
  readonly kind: 'access';
  readonly name: string;
  /** `https://<team>.cloudflareaccess.com`: its issuer, whose keys are at `/cdn-cgi/access/certs`. */
  readonly team: string;
  /** The application's audience tag. */
  readonly audience: string;
}

export type IdentityProvider = OidcProvider | AccessProvider;
