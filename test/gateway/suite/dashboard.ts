import { expect, test } from 'vitest';
import { Caller, type Host } from '../host.ts';

export function dashboard(host: () => Host): void {
  const ask = (path: string, headers: Record<string, string> = {}) => fetch(`${host().url}${path}`, { headers });

  test('every address of the dashboard is its page, asked for anew each time, whose policy lets nothing in but its own files', async () => {
    for (const path of ['/', '/sign-in', '/t/acme', '/t/acme/networks/blue?x=1', '/operator', '/operator/tenants']) {
      const answer = await ask(path);
      expect(answer.status, path).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await answer.text()).toContain('/assets/index-0123abcd.js');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      const policy = answer.headers.get('content-security-policy');
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
      expect(policy).toMatch(/base-uri 'none'; frame-ancestors 'none'$/);
      expect(policy).not.toContain('unsafe');
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  test('what the page loads is kept for good, told to be unchanged where it is, and compressed on the way', async () => {
    const path = '/assets/index-0123abcd.js';
    const answer = await ask(path, { 'accept-encoding': 'br' });
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-type')).toMatch(/^text\/javascript/);
    expect(await answer.text()).toMatch(/^document.title/);
    const etag = answer.headers.get('etag')!;
    expect((await ask(path, { 'if-none-match': etag })).status).toBe(304);
    expect((await fetch(`${host().url}${path}`, { method: 'HEAD' })).status).toBe(200);
  });

  test('what is no page and no file of the dashboard is answered as ever', async () => {
    const nobody = new Caller(host().url, null);
    const escapes = [
      '/assets/..%2fsecret',
      '/assets/%2e%2e/index.html',
      '/assets/.env',
      '/assets/none.js',
      '/assets/index.html',
    ];
    for (const path of [...escapes, '/nothing', '/tt', '/v1/nothing', '/assets']) {
      expect(await nobody.refused('GET', path), path).toMatchObject({ code: 'not_found' });
    }
    expect(await nobody.refused('POST', '/')).toMatchObject({ code: 'method_not_allowed' });
    const api = await ask('/v1/sign-in-methods');
    expect(api.headers.get('cache-control')).toBe('no-store');
    expect(api.headers.get('x-content-type-options')).toBe('nosniff');
  });
}
