import * as v from 'valibot';
import { expect, it } from 'vitest';
import { formatAgentMetrics } from '../../../agent/control/metrics.ts';
import { MetricsAddressSchema, serveMetrics } from '../../../agent/control/metrics-server.ts';
import type { AgentStatus } from '../../../agent/control/status.ts';
import { peerPath } from '../paths/peer-path.ts';

const status: AgentStatus = {
  version: '1.2.3',
  startedAt: '2026-01-01T00:00:00.000Z',
  datapath: 'userspace',
  vtep: { address: '192.0.2.1', port: 4789 },
  gateway: { url: 'https://gateway.example', state: 'reachable', since: '2026-01-01T00:00:00.000Z' },
  inStep: false,
  table: null,
  networks: [
    {
      vni: 42,
      name: 'blue',
      transport: 'plain',
      port: { type: 'host', name: 'blue0' },
      mtu: 1450,
      peers: 3,
      macs: 7,
      revision: 9,
      digest: '000000000000',
      inStep: true,
    },
  ],
};
const counters = {
  agent: { dropUnknownVni: 5, portRxFrames: 0 },
  networks: new Map([
    [
      42,
      {
        totals: { portRxFrames: 11, portRxBytes: 990, vtepTxFrames: 4, dropUnlistedVtep: 2, floodedFrames: 1 },
        peers: [
          { address: '192.0.2.2', port: 4789, counters: { rxFrames: 3, txBytes: 240, dropTooBig: 1 } },
          { address: '2001:db8::3', port: 4789, counters: {} },
        ],
      },
    ],
  ]),
};

it('an agent’s figures are in the form that Prometheus reads, each name once, with drops by reason', () => {
  const paths = [
    peerPath({ address: '192.0.2.2', rttMs: 0.2149, lost: 8, asked: 32 }),
    peerPath({ address: 'fd9c::1', port: 14_789, transport: 'wireguard', state: 'unreachable', mtu: undefined }),
    peerPath({ address: '192.0.2.9', state: 'silent' }),
  ];
  const lines = formatAgentMetrics(status, counters, paths).trim().split('\n');
  for (const expected of [
    'overlane_agent_frames_total{vni="42",network="blue",side="port",direction="rx"} 11',
    'overlane_agent_bytes_total{vni="42",network="blue",side="port",direction="rx"} 990',
    'overlane_agent_frames_total{vni="42",network="blue",side="vtep",direction="tx"} 4',
    'overlane_agent_flooded_frames_total{vni="42",network="blue"} 1',
    'overlane_agent_dropped_total{reason="unknown_vni"} 5',
    'overlane_agent_dropped_total{vni="42",network="blue",reason="unlisted_vtep"} 2',
    'overlane_agent_peer_frames_total{vni="42",network="blue",peer="192.0.2.2:4789",direction="rx"} 3',
    'overlane_agent_peer_bytes_total{vni="42",network="blue",peer="192.0.2.2:4789",direction="tx"} 240',
    'overlane_agent_peer_bytes_total{vni="42",network="blue",peer="[2001:db8::3]:4789",direction="tx"} 0',
    'overlane_agent_peer_dropped_total{vni="42",network="blue",peer="192.0.2.2:4789",reason="too_big"} 1',
    'overlane_agent_peer_reachable{peer="192.0.2.2:4789",transport="plain"} 1',
    'overlane_agent_peer_reachable{peer="[fd9c::1]:14789",transport="wireguard"} 0',
    'overlane_agent_peer_round_trip_seconds{peer="192.0.2.2:4789",transport="plain"} 0.000215',
    'overlane_agent_peer_loss_ratio{peer="192.0.2.2:4789",transport="plain"} 0.25',
    'overlane_agent_peer_path_mtu_bytes{peer="192.0.2.2:4789",transport="plain"} 1500',
    'overlane_agent_network_peers{vni="42",network="blue"} 3',
    'overlane_agent_in_step 0',
    'overlane_agent_gateway_reachable 1',
  ]) {
    expect(lines).toContain(expected);
  }
  expect(lines.filter((line) => line.startsWith('overlane_agent_peer_path_mtu_bytes{'))).toHaveLength(1);
  expect(lines.join()).not.toContain('192.0.2.9');
  const types = lines.filter((line) => line.startsWith('# TYPE'));
  expect(new Set(types).size).toBe(types.length);
  for (const line of lines)
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ \S.*|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+(\.\d+)?)$/);
});

it('they are served at /metrics, and nothing else is', async () => {
  const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, () => 'figures\n');
  const at = `http://127.0.0.1:${server.port}`;
  expect(await (await fetch(`${at}/metrics`)).text()).toBe('figures\n');
  expect((await fetch(`${at}/`)).status).toBe(404);
  expect((await fetch(`${at}/metrics`, { method: 'POST' })).status).toBe(404);
  await expect(serveMetrics({ host: '127.0.0.1', port: server.port }, () => '')).rejects.toThrow(/--metrics 127.0.0.1/);
  await server.close();
});

it('where they are served is HOST:PORT', () => {
  expect(v.parse(MetricsAddressSchema, '127.0.0.1:9469')).toEqual({ host: '127.0.0.1', port: 9469 });
  expect(v.parse(MetricsAddressSchema, '[::1]:9469')).toEqual({ host: '::1', port: 9469 });
  for (const bad of ['9469', '::1:9469', 'localhost', 'localhost:99999', ':80']) {
    expect(v.safeParse(MetricsAddressSchema, bad).success).toBe(false);
  }
});
