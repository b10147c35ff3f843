import { expect, test } from 'vitest';
import type { AgentStatus, WireguardStatus } from '../../../agent/control/status.ts';
import { checkEncryption } from '../../../agent/doctor/encryption.ts';

const KEY: WireguardStatus = {
  publicKey: 'k',
  port: 51_820,
  address: '192.0.2.1',
  datapath: 'userspace',
  withoutSession: [],
};

function check(wireguard: WireguardStatus | undefined, changes: { missing?: string; isNeeded?: boolean } = {}) {
  const status = {
    version: '0.1.0',
    startedAt: '',
    datapath: 'userspace',
    vtep: { address: '192.0.2.1', port: 4789 },
    inStep: true,
    table: null,
    networks: [],
    ...(wireguard && { wireguard }),
  } satisfies AgentStatus;
  const { missing = null, isNeeded = true } = changes;
  return checkEncryption({ missing, isNeeded, status });
}

test('WireGuard is missed only where a network needs it', () => {
  expect(check(undefined, { missing: 'there is none', isNeeded: false })).toMatchObject([{ verdict: 'pass' }]);
  expect(check(KEY, { isNeeded: false })).toMatchObject([{ verdict: 'pass' }]);
  expect(check(undefined, { missing: 'there is none' })).toEqual([
    {
      check: 'encryption',
      verdict: 'fail',
      says: 'networks here must be encrypted, and there is none',
      todo: 'install the package wireguard-go',
    },
  ]);
});

test('a key that the registry has not taken is one that nobody encrypts to', () => {
  expect(check({ ...KEY, error: 'key_taken: another site has it' })).toMatchObject([
    { verdict: 'fail', says: 'the gateway has not taken this site’s key: key_taken: another site has it' },
  ]);
});

test('a peer without a session is named by where it should be', () => {
  const endpoint = { address: '192.0.2.3', port: 51_820 };
  const withoutSession = [
    { address: 'fd9c::3', endpoint },
    { address: 'fd9c::4', endpoint: null },
  ];
  expect(check({ ...KEY, withoutSession })).toMatchObject([
    { verdict: 'fail', says: 'there is no session with 192.0.2.3:51820: nothing passes' },
    { verdict: 'fail', says: 'there is no session with fd9c::4, which must speak first: nothing passes' },
  ]);
  expect(check(KEY)).toMatchObject([{ verdict: 'pass' }]);
});
