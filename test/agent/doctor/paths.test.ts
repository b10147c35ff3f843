import { expect, test } from 'vitest';
import type { PeerStatus } from '../../../agent/control/peer-status.ts';
import type { PeerPath } from '../../../agent/datapath/datapath.ts';
import { checkPaths } from '../../../agent/doctor/paths.ts';
import type { Paths } from '../../../src/contract/paths.ts';
import { peerPath } from '../paths/peer-path.ts';

const NONE = { networks: [9], rxFrames: 0, rxBytes: 0, txFrames: 0, txBytes: 0, txDropped: 0 };

function peers(...paths: readonly PeerPath[]): PeerStatus[] {
  return paths.map((path) => ({ ...NONE, address: path.address, port: path.port, path }));
}

const told = (kind: 'agent' | 'static', back?: Paths['items'][number]['back']): Paths['items'] => [
  { site: { id: 'b', name: 'bergen', kind }, transport: 'plain', ...(back && { back }) },
];
const BACK = { state: 'reachable', asked: 9, lost: 0, neededMtu: 1500, hears: true, reportedAt: '' } as const;

test('of peers that are well one line says how many they are', () => {
  const well = peers(peerPath(), peerPath({ site: 'c', address: '10.0.0.3' }));
  expect(checkPaths(well, told('agent', BACK))).toEqual([
    { check: 'peers', verdict: 'pass', says: '2 of 2 answer probes' },
  ]);
  expect(checkPaths([], [])).toEqual([]);
});

test('one that never answers may be a static VTEP, of which the gateway knows whether it is', () => {
  const silent = peers(peerPath({ state: 'silent' }));
  expect(checkPaths(silent, [])).toMatchObject([
    { check: 'peers', verdict: 'warn', says: '0 of 1 answer probes' },
    { check: 'reachability', verdict: 'warn', says: '10.0.0.2:4789 gives no answer to probes (a static VTEP?)' },
  ]);
  expect(checkPaths(silent, told('static'))).toEqual([
    { check: 'peers', verdict: 'pass', says: '0 of 1 answer probes; static VTEPs, which don’t: 1' },
  ]);
});

test('what comes from the other end is known from its own word', () => {
  const findings = checkPaths(peers(peerPath()), told('agent', { ...BACK, mtu: 1400, carriesNeeded: false }));
  expect(findings.slice(1)).toEqual([
    {
      check: 'path MTU',
      verdict: 'fail',
      says: 'the path from 10.0.0.2:4789 (bergen) to here carries packets of up to 1400 bytes, and the networks need 1500',
      todo: 'raise the underlay’s MTU on the way to 1500, or set the networks’ to 1350',
    },
  ]);
});
