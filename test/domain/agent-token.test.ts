import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { readKeyId, verifyAgentToken } from '../../src/domain/agent-token.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const origins = ['https://gw.example'];
let privateKey: CryptoKey;
let publicKey: string;

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  privateKey = pair.privateKey;
  publicKey = (await exportJWK(pair.publicKey)).x!;
});

/** @returns what the check of such a token comes to: `ok`, or the code of the refusal. Times in seconds from now. */
async function check(iat: number, exp: number, claims: Record<string, unknown> = {}): Promise<string> {
  const seconds = NOW / 1000;
  const token = await new SignJWT({ iss: 's', aud: origins[0]!, iat: seconds + iat, exp: seconds + exp, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 's' })
    .sign(privateKey);
  return verifyAgentToken(token, { publicKey, subject: 's', origins, now: NOW }).then(
    () => 'ok',
    (refusal: { code: string }) => refusal.code,
  );
}

test.for([
  [0, 60, 'ok'],
  [0, 120, 'ok'],
  [0, 121, 'unauthenticated'],
  [-119, -59, 'ok'],
  [-121, -61, 'token_expired'],
  [60, 120, 'ok'],
  [61, 121, 'token_expired'],
  [-86_400, 60, 'unauthenticated'],
] as const)('issued at %i s and good until %i s from now: %s', async ([iat, exp, expected]) => {
  expect(await check(iat, exp)).toBe(expected);
});

test('aud, iss and kid must each be right, and a time must be there', async () => {
  expect(await check(0, 60, { aud: 'https://other.example' })).toBe('unauthenticated');
  expect(await check(0, 60, { aud: ['https://other.example', origins[0]] })).toBe('ok');
  expect(await check(0, 60, { iss: 't' })).toBe('unauthenticated');
  expect(await check(0, 60, { iat: undefined })).toBe('unauthenticated');
  expect(await check(0, 60, { exp: undefined })).toBe('unauthenticated');
});

test('only EdDSA counts: no algorithm, and the public key taken for a shared secret, are refused', async () => {
  const seconds = NOW / 1000;
  const claims = { iss: 's', aud: origins[0]!, iat: seconds, exp: seconds + 60 };
  const hmac = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 's' })
    .sign(new TextEncoder().encode(publicKey));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const none = `${part({ alg: 'none', kid: 's' })}.${part(claims)}.`;
  for (const token of [hmac, none, 'a.b.c', '']) {
    const refused = verifyAgentToken(token, { publicKey, subject: 's', origins, now: NOW });
    await expect(refused, token).rejects.toMatchObject({ code: 'unauthenticated' });
  }
  expect(() => readKeyId('nonsense')).toThrow('not a JWT');
});
