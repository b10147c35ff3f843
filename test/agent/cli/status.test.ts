import { expect, test } from 'vitest';
import { formatStatus } from '../../../agent/cli/format-status.ts';
import { whatIsWrong } from '../../../agent/cli/what-is-wrong.ts';
import { peerStatuses } from '../../../agent/control/peer-status.ts';
import type { AgentStatus } from '../../../agent/control/status.ts';
import { peerPath } from '../paths/peer-path.ts';

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

test('a path is shown with its figures, and what is wrong with it with what to do; a static VTEP is none the worse', () => {
  const peers = [
    peerPath({ rttMs: 0.2149 }),
    peerPath({ address: '10.0.0.3', rttMs: 81.4, lost: 8, mtu: 1400, carriesNeeded: false }),
    peerPath({ address: '10.0.0.4', state: 'unreachable', hears: true }),
    peerPath({ address: '10.0.0.5', state: 'unreachable', hears: false }),
    peerPath({ address: '10.0.0.6', state: 'silent' }),
    peerPath({ address: '10.0.0.7', state: 'new' }),
  ].map((path) => ({ ...PEERS[1]!, address: path.address, path }));
  const text = formatStatus({ ...WELL, peers }, NOW);
  const shown = ['0.21 ms, 0% lost, MTU 1500', '81 ms, 25% lost, MTU 1400', 'does not answer', 'does not answer'];
  shown.push('no answer to probes (a static VTEP?)', 'not known yet');
  for (const [i, path] of shown.entries()) {
    expect(text).toMatch(new RegExp(`^10\\.0\\.0\\.${i + 2}:4789 .* {2}${path.replace(/[()?.]/g, '\\$&')}$`, 'm'));
  }
  expect(whatIsWrong({ ...WELL, peers }, NOW)).toEqual([
    // Of whom probes tell nothing the frames do.
    'nothing came from 10.0.0.6:4789, though 12 frames went there: is UDP 4789 open both ways?',
    'nothing came from 10.0.0.7:4789, though 12 frames went there: is UDP 4789 open both ways?',
    '8 of the last 32 probes to 10.0.0.3:4789 were lost: look for a link on the way that is full or faulty',
    'the path to 10.0.0.3:4789 carries packets of up to 1400 bytes, and the networks need 1500: raise the underlay’s MTU on the way to 1500, or set the networks’ to 1350',
    'what goes to 10.0.0.4:4789 is lost, though what it sends comes here: let UDP 4789 to 10.0.0.4 through, and see that it lists this site by the address that it sends from',
    '10.0.0.5:4789 does not answer any more: is it up? Then let UDP 4789 through, both ways',
  ]);
});

test('a probe or two that were lost are nothing wrong', () => {
  const wrong = (lost: number, asked: number) =>
    whatIsWrong({ ...WELL, peers: [{ ...PEERS[0]!, txDropped: 0, path: peerPath({ lost, asked }) }] }, NOW).length;
  expect([wrong(2, 10), wrong(3, 9), wrong(3, 32)]).toEqual([0, 0, 1]);
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
