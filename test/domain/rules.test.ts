import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { hostAddress } from '../../src/domain/client-address.ts';
import { formatCursor, readCursor } from '../../src/domain/cursor.ts';
import { encodeId, newId } from '../../src/domain/ids.ts';
import { hashSecret, matchesHash, newSecret, secretId } from '../../src/domain/secrets.ts';
import { progressOf, siteStatusOf } from '../../src/domain/site-status.ts';
import { explainUnavailable } from '../../src/domain/vni.ts';

test('ids sort by the time of their making', () => {
  const zeros = new Uint8Array(16);
  const times = [0, 1, 31, 32, 1_000_000, Date.parse('2026-01-01'), Date.parse('2100-01-01')];
  const ids = times.map((time) => encodeId(time, zeros));
  expect([...ids].sort()).toEqual(ids);
  expect(newId(0)).toMatch(/^0{10}[0-9a-z]{16}$/);
});

test('a secret names its row, and only itself matches its hash', async () => {
  const id = newId(1);
  const secret = newSecret('olk', id);
  expect(secretId('olk', secret)).toBe(id);
  expect(secretId('olj', secret)).toBeNull();
  expect(secretId('olk', `${secret}x`)).toBeNull();
  const hash = await hashSecret(secret);
  expect(await matchesHash(secret, hash)).toBe(true);
  expect(await matchesHash(newSecret('olk', id), hash)).toBe(false);
  expect(await matchesHash(secret, '')).toBe(false);
});

test('a cursor is good for its own site and epoch alone', () => {
  const owner = { epoch: 'e', siteId: 's' };
  expect(readCursor(owner, formatCursor(owner, 42))).toBe(42);
  for (const other of [
    { epoch: 'f', siteId: 's' },
    { epoch: 'e', siteId: 't' },
  ]) {
    expect(readCursor(other, formatCursor(owner, 42))).toBeNull();
  }
  for (const text of ['', 'e.s.', 'e.s.-1', 'e.s.1.5', 'e.s.1e3', 'e.s.9999999999999999', null, undefined]) {
    expect(readCursor(owner, text)).toBeNull();
  }
});

test('of another tenant’s VNI nothing is told, not even that it is in use', () => {
  const standing = { poolIsOpen: false, inUse: true, quarantinedUntil: 5 };
  expect(explainUnavailable(7, standing).code).toBe('vni_out_of_range');
  expect(explainUnavailable(7, { ...standing, poolIsOpen: true }).code).toBe('vni_taken');
  const resting = explainUnavailable(7, { poolIsOpen: true, inUse: false, quarantinedUntil: 5000 });
  expect(resting).toMatchObject({ code: 'vni_quarantined', until: '1970-01-01T00:00:05.000Z' });
  expect(explainUnavailable(7, { poolIsOpen: true, inUse: false, quarantinedUntil: null }).code).toBe('conflict');
});

test('a site is online while its agent speaks, and disabled above all', () => {
  const agent = { kind: 'agent' as const, disabled: false, onlineUntil: 75_000 };
  expect(siteStatusOf(agent, 75_000)).toBe('online');
  expect(siteStatusOf(agent, 75_001)).toBe('offline');
  expect(siteStatusOf({ ...agent, onlineUntil: null }, 0)).toBe('offline');
  expect(siteStatusOf({ ...agent, kind: 'static', onlineUntil: null }, 0)).toBe('online');
  expect(siteStatusOf({ ...agent, disabled: true }, 0)).toBe('disabled');
});

test('lag is never negative, and what was not reported is not guessed', () => {
  const said = { revision: 9, digest: 'a' };
  expect(progressOf(7, 'a', said)).toEqual({ appliedRevision: 9, lag: 0, digestMatch: true });
  expect(progressOf(12, 'b', said)).toMatchObject({ lag: 3, digestMatch: false });
  expect(progressOf(7, 'a', null)).toEqual({});
});

test('an address is told in one spelling, IPv4 within IPv6 as IPv4', () => {
  expect(hostAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(hostAddress('2001:DB8::0:1')).toBe('2001:db8::1');
  expect(hostAddress('fe80::1%eth0')).toBe('fe80::1');
  for (const text of ['', 'unknown', '0.0.0.0', '224.0.0.1']) expect(hostAddress(text)).toBeNull();
});

test('settings are read whole or refused by name', () => {
  const key = { OVERLANE_OPERATOR_KEY: 'k'.repeat(32) };
  expect(readConfig(key)).toMatchObject({
    origins: [],
    vniHoldSeconds: 86_400,
    tombstoneSeconds: 604_800,
    trustProxy: false,
  });
  const oidc = { OVERLANE_OIDC_ISSUER: 'https://issuer.example/realm', OVERLANE_OIDC_CLIENT_ID: 'c' };
  expect(readConfig({ ...key, ...oidc, OVERLANE_OPERATORS: 'A@b.example, Sub' })).toMatchObject({
    identity: { kind: 'oidc', name: 'issuer.example', issuer: 'https://issuer.example/realm', clientSecret: null },
    operators: ['a@b.example', 'Sub'],
  });
  const origins = readConfig({ ...key, OVERLANE_ORIGIN: 'https://a.example/, http://b.example:8787' }).origins;
  expect(origins).toEqual(['https://a.example', 'http://b.example:8787']);
  for (const [bad, name] of [
    [{}, 'OVERLANE_OPERATOR_KEY'],
    [{ OVERLANE_OPERATOR_KEY: 'k'.repeat(31) }, 'OVERLANE_OPERATOR_KEY'],
    [{ ...key, OVERLANE_ORIGIN: 'https://a.example/path' }, 'OVERLANE_ORIGIN'],
    [{ ...key, OVERLANE_VNI_HOLD_SECONDS: '-1' }, 'OVERLANE_VNI_HOLD_SECONDS'],
    [{ ...key, OVERLANE_SESSION_SECONDS: String(400 * 86_400 + 1) }, 'OVERLANE_SESSION_SECONDS'],
    [{ ...key, OVERLANE_OIDC_ISSUER: 'http://issuer.example', OVERLANE_OIDC_CLIENT_ID: 'c' }, 'OVERLANE_OIDC_ISSUER'],
    [{ ...key, OVERLANE_OIDC_ISSUER: 'https://issuer.example' }, 'OVERLANE_OIDC_CLIENT_ID'],
    [{ ...key, OVERLANE_ACCESS_TEAM: 'https://a.cloudflareaccess.com' }, 'OVERLANE_ACCESS_AUD'],
    [{ ...key, OVERLANE_ACCESS_TEAM: 'https://a.example', OVERLANE_OIDC_ISSUER: 'https://b.example' }, 'not both'],
  ] as const) {
    expect(() => readConfig(bad)).toThrow(ConfigError);
    expect(() => readConfig(bad)).toThrow(name);
  }
});
