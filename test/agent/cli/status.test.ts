import { expect, test } from 'vitest';
import { formatStatus } from '../../../agent/cli/format-status.ts';
import { whatIsWrong } from '../../../agent/cli/what-is-wrong.ts';
import { peerStatuses } from '../../../agent/control/peer-status.ts';
import type { AgentStatus } from '../../../agent/control/status.ts';

const STARTED = '2026-01-01T00:00:00.000Z';
const NOW = Date.parse('2026-01-01T03:00:00Z');
const PEERS = peerStatuses({
  agent: {},
  networks: new Map([
    [9, { totals: {}, peers: [{ address: '10.0.0.2', port: 4789, counters: { rxFrames: 3, txFrames: 40 } }] }],
    [
      7,
      {
        totals: {},
        peers: [
          { address: '10.0.0.2', port: 4789, counters: { rxFrames: 1, rxBytes: 60, dropTooBig: 2 } },
          { address: '10.0.0.3', port: 4789, counters: { txFrames: 12 } },
        ],
      },
    ],
  ]),
});
const WELL: AgentStatus = {
  version: '0.1.0',
  startedAt: STARTED,
  datapath: 'userspace',
  vtep: { address: '10.0.0.1', port: 4789 },
  site: { id: 's1', name: 'oslo', tenant: 'acme' },
  gateway: { url: 'https://g.example', state: 'reachable', since: STARTED, lastContactAt: STARTED },
  watching: true,
  inStep: true,
  table: { cursor: 'c', changedAt: STARTED },
  networks: [],
};

test('a peer’s figures are those of all networks that both carry', () => {
  const none = { rxBytes: 0, txBytes: 0, txDropped: 0 };
  expect(PEERS).toEqual([
    {
      address: '10.0.0.2',
      port: 4789,
      networks: [7, 9],
      ...none,
      rxFrames: 4,
      rxBytes: 60,
      txFrames: 40,
      txDropped: 2,
    },
    { address: '10.0.0.3', port: 4789, networks: [7], ...none, rxFrames: 0, txFrames: 12 },
  ]);
});

test('where all is well nothing is said to be wrong, and who never had a frame is no silent peer', () => {
  expect(whatIsWrong(WELL, NOW)).toEqual([]);
  const quiet = { ...PEERS[1]!, txFrames: 3 };
  expect(whatIsWrong({ ...WELL, peers: [quiet] }, NOW)).toEqual([]);
  expect(formatStatus(WELL, NOW)).not.toContain('WRONG');
});

test('what is wrong comes with what it means: the gateway, networks, silent peers, frames that could not be sent', () => {
  const gateway = { url: 'https://g.example', state: 'unreachable', since: STARTED, error: 'ECONNREFUSED' } as const;
  const text = formatStatus({ ...WELL, inStep: false, gateway, peers: PEERS }, NOW);
  expect(text.split('\n').slice(-4)).toEqual([
    'WRONG',
    '- the gateway has not been reached for 3 h; frames pass by the last good table: ECONNREFUSED',
    '- nothing came from 10.0.0.3:4789, though 12 frames went there: is UDP 4789 open both ways?',
    '- 2 frames could not be sent to 10.0.0.2:4789: see counters',
  ]);
  expect(text).toMatch(/^in step +no$/m);
  expect(text).toMatch(/^10\.0\.0\.2:4789 +7 9 +4 +60 +40 +0 +2$/m);
  const refused = { ...gateway, state: 'refused', error: 'site_disabled: it is' } as const;
  expect(whatIsWrong({ ...WELL, gateway: refused }, NOW)).toEqual([
    'the gateway has refused this site for 3 h: site_disabled: it is',
  ]);
});
