/** A small OpenID Connect issuer of the test's own, on this machine, whose answers can be made wrong in each way. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const CLIENT_ID = 'overlane';
export const CLIENT_SECRET = 'the secret of the client';

/** What the next tokens are. */
export interface Scenario {
  sub?: string;
  claims?: Record<string, unknown>;
  /** `none`: not signed. `stranger`: by a key that is not the issuer's, under the name of one that is. */
  signature?: 'good' | 'none' | 'stranger';
  /** Of the token: seconds from now. */
  expiresIn?: number;
  /** The person says no. */
  refuses?: boolean;
}

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: object;
}

export class Issuer {
  readonly url: string;
  readonly close: () => void;
  scenario: Scenario = {};
  #key: Key;
  readonly #asked = new Map<string, URLSearchParams>();

  static async start(): Promise<Issuer> {
    const key = await newKey();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const issuer = new Issuer(url, key, () => server.close());
    server.on('request', async (request, response) => {
      const { status, headers, body } = await issuer.#answer(request);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    });
    return issuer;
  }

  private constructor(url: string, key: Key, close: () => void) {
    this.url = url;
    this.#key = key;
    this.close = close;
  }

  /** Signs by another key from now on. */
  async rotate(): Promise<void> {
    this.#key = await newKey();
  }

  /** What Cloudflare Access would send along. */
  assertion(claims: Record<string, unknown>): Promise<string> {
    return this.#sign({ iss: this.url, ...claims });
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; headers?: Record<string, string>; body: object }> {
    const { pathname, searchParams } = new URL(request.url!, this.url);
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return { status: 200, body: this.#metadata() };
      case '/jwks':
      case '/cdn-cgi/access/certs':
        return { status: 200, body: { keys: [this.#key.jwk] } };
      case '/authorize':
        return { status: 302, headers: { location: this.#goBack(searchParams) }, body: {} };
      case '/token':
        return this.#tokens(new URLSearchParams(await textOf(request)));
      default:
        return { status: 404, body: {} };
    }
  }

  #metadata(): object {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  #goBack(asked: URLSearchParams): string {
    const back = new URL(asked.get('redirect_uri')!);
    back.searchParams.set('state', asked.get('state')!);
    if (this.scenario.refuses) back.searchParams.set('error', 'access_denied');
    else {
      const code = randomUUID();
      this.#asked.set(code, asked);
      back.searchParams.set('code', code);
    }
    return back.href;
  }

  async #tokens(form: URLSearchParams): Promise<{ status: number; body: object }> {
    const asked = this.#asked.get(form.get('code') ?? '');
    this.#asked.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isGood =
      challenge === asked?.get('code_challenge') &&
      form.get('redirect_uri') === asked.get('redirect_uri') &&
      form.get('client_id') === CLIENT_ID &&
      form.get('client_secret') === CLIENT_SECRET;
    if (!isGood) return { status: 400, body: { error: 'invalid_grant' } };
    const idToken = await this.#sign({
      iss: this.url,
      aud: CLIENT_ID,
      nonce: asked.get('nonce'),
      sub: this.scenario.sub ?? 'someone',
      ...this.scenario.claims,
    });
    return { status: 200, body: { access_token: 'of no use', token_type: 'Bearer', id_token: idToken } };
  }

  async #sign(claims: Record<string, unknown>): Promise<string> {
    const { signature = 'good', expiresIn = 300 } = this.scenario;
    const now = Math.floor(Date.now() / 1000);
    const payload = { iat: now + Math.min(0, expiresIn - 300), exp: now + expiresIn, ...claims };
    if (signature === 'none') return `${base64(JSON.stringify({ alg: 'none' }))}.${base64(JSON.stringify(payload))}.`;
    const { privateKey } = signature === 'stranger' ? await newKey() : this.#key;
    return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: this.#key.kid }).sign(privateKey);
  }
}

async function newKey(): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const kid = randomUUID();
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64url');
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
