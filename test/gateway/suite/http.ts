import { expect, test } from 'vitest';
import { ERRORS } from '../../../src/contract/errors.ts';
import { Caller, type Host } from '../host.ts';

/** Whoever asks needs no credential there. */
const PUBLIC = ['/healthz', '/v1/sign-in-methods', '/v1/oidc/start', '/v1/oidc/end'];

export function http(host: () => Host): void {
  const nobody = () => new Caller(host().url, null);

  test('/healthz answers without a credential', async () => {
    expect(await nobody().get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('every answer says which request it answers and what time it is, and keeps a sane id that came with the request', async () => {
    const plain = await nobody().get('/healthz');
    expect(plain.headers.get('x-request-id')).toMatch(/^[0-9a-z]{26}$/);
    expect(Math.abs(Date.parse(plain.headers.get('date')!) - Date.now())).toBeLessThan(5000);
    const given = await nobody().send('GET', '/nowhere', { headers: { 'x-request-id': 'abc-123' } });
    expect(given.headers.get('x-request-id')).toBe('abc-123');
    expect(given.body).toMatchObject({ requestId: 'abc-123' });
    const insane = await nobody().send('GET', '/healthz', { headers: { 'x-request-id': 'a b;c' } });
    expect(insane.headers.get('x-request-id')).toMatch(/^[0-9a-z]{26}$/);
  });

  test('an address that is not there is 404, and a method that an address does not take is 405 with those it takes', async () => {
    expect(await nobody().refused('GET', '/v1/nothing')).toMatchObject({ status: 404, code: 'not_found' });
    const answer = await nobody().call('PUT', '/v1/tenants/some/networks');
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe('POST, GET');
  });

  test('no credential, an unknown one and a forged one are each 401 and say how to send one', async () => {
    const forged = `olk_${'0'.repeat(26)}_${'A'.repeat(43)}`;
    for (const credential of [null, 'nonsense', forged]) {
      const answer = await new Caller(host().url, credential).get('/v1/tenants');
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('/openapi.json is OpenAPI 3.1 and describes every call with what it takes and how it fails', async () => {
    const { status, body } = await nobody().get<{
      openapi: string;
      paths: Record<
        string,
        Record<string, { summary: string; responses: Record<string, object>; requestBody?: object }>
      >;
    }>('/openapi.json');
    expect(status).toBe(200);
    expect(body.openapi).toBe('3.1.0');
    const calls = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(calls.length).toBeGreaterThan(25);
    for (const { path, method, operation } of calls) {
      expect(operation.summary, `${method} ${path}`).toBeTruthy();
      if (!PUBLIC.includes(path)) expect(operation.responses, `${method} ${path}`).toHaveProperty('401');
      if (['post', 'put', 'patch'].includes(method))
        expect(operation, `${method} ${path}`).toHaveProperty('requestBody');
    }
    const network = body.paths['/v1/tenants/{tenant}/networks']!;
    expect(network).toMatchObject({
      post: {
        requestBody: {
          content: {
            'application/json': {
              schema: {
                required: ['name'],
                additionalProperties: false,
                properties: { vni: { type: 'integer', minimum: 1, maximum: 16_777_215 } },
              },
            },
          },
        },
      },
    });
  });

  test('/docs is a page that explains every call and every error code, with no script and nothing from elsewhere', async () => {
    const { status, body, headers } = await nobody().get<string>('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(body).toContain('/v1/agent/enroll');
    for (const code of Object.keys(ERRORS)) expect(body).toContain(`id="${code}"`);
    expect(body).not.toMatch(/<script|https?:\/\//);
  });
}
