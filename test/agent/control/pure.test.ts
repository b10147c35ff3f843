import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { siteNameFrom } from '../../../agent/cli/site-name.ts';
import { backoffMs } from '../../../agent/control/backoff.ts';
import { createGatewayClock } from '../../../agent/control/clock.ts';
import { Failure } from '../../../shared/failure.ts';
import { parseGatewayUrl } from '../../../shared/gateway-url.ts';
import { NameSchema } from '../../../src/contract/primitives.ts';

test('the bound of the wait doubles from 1 s to 60 s', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => backoffMs(failures, 1));
  expect(bounds).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('the wait is anywhere between nothing and its bound', () => {
  expect(backoffMs(4, 0)).toBe(0);
  expect(backoffMs(4, 0.5)).toBe(4000);
});

test('the wait is never shorter than what the gateway asks for, nor longer than ten minutes and the bound', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(),
      (n, r, asked) => {
        const wait = backoffMs(n, r, asked);
        expect(wait).toBeGreaterThanOrEqual(Math.min(asked, 600) * 1000);
        expect(wait).toBeLessThanOrEqual(660_000);
      },
    ),
  );
});

test('the clock follows the gateway’s, to within a second, wherever the machine’s stands', () => {
  let machine = Date.UTC(2026, 0, 1);
  const clock = createGatewayClock(() => machine);
  expect(clock.now()).toBe(machine);
  clock.observe('Thu, 01 Jan 2026 00:10:00 GMT', machine);
  expect(Math.abs(clock.now() - Date.UTC(2026, 0, 1, 0, 10))).toBeLessThanOrEqual(1000);
  machine += 5000;
  expect(Math.abs(clock.now() - Date.UTC(2026, 0, 1, 0, 10, 5))).toBeLessThanOrEqual(1000);
});

test('the clock ignores what is no date', () => {
  const clock = createGatewayClock(() => 1000);
  clock.observe('soon', 0);
  clock.observe(undefined, 0);
  expect(clock.now()).toBe(1000);
});

test('plain http is for this machine, or by leave', () => {
  expect(parseGatewayUrl('http://127.0.0.1:8787', false)).toBe('http://127.0.0.1:8787');
  expect(parseGatewayUrl('http://[::1]:8787/', false)).toBe('http://[::1]:8787');
  expect(parseGatewayUrl('http://localhost', false)).toBe('http://localhost');
  expect(parseGatewayUrl('http://10.0.0.1:8787', true)).toBe('http://10.0.0.1:8787');
  for (const url of ['http://10.0.0.1:8787', 'http://127.0.0.1.example.net', 'http://localhost.example.net']) {
    expect(() => parseGatewayUrl(url, false)).toThrow('--allow-plain-http');
  }
});

test('the gateway’s address is an origin and nothing else', () => {
  expect(parseGatewayUrl('https://Gateway.Example.net/', false)).toBe('https://gateway.example.net');
  for (const url of [
    '',
    'gateway',
    'ftp://gateway',
    'https://gateway/v1',
    'https://me:secret@gateway',
    'https://g/?a',
  ]) {
    expect(() => parseGatewayUrl(url, false)).toThrow(Failure);
  }
});

test('every host name becomes a name a site can have', () => {
  expect(siteNameFrom('berlin-1.example.net')).toBe('berlin-1.example.net');
  expect(siteNameFrom('Jörg’s PC')).toBe('J-rg-s-PC');
  fc.assert(fc.property(fc.string(), (hostname) => v.is(NameSchema, siteNameFrom(hostname))));
});
