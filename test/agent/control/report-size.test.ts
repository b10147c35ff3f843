import * as v from 'valibot';
import { expect, test } from 'vitest';
import { heartbeatOf } from '../../../agent/control/heartbeat.ts';
import { nonZero, shortened } from '../../../agent/control/report-size.ts';
import { HeartbeatSchema } from '../../../src/contract/agent.ts';
import { trafficOf } from '../../../src/contract/traffic.ts';
import { MAX_BODY_BYTES } from '../../../src/middleware/body.ts';
import { peerPath } from '../paths/peer-path.ts';

const counters = Object.fromEntries(
  ['portRx', 'portTx', 'vtepRx', 'vtepTx'].flatMap((of) => [
    [`${of}Frames`, 123_456_789_012],
    [`${of}Bytes`, 123_456_789_012_345],
  ]),
);
const busy = { ...counters, floodedFrames: 1e9, mergedFrames: 1e9, dropTooBig: 7, dropNoPort: 8 };
const reports = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    vni: 10_000_000 + i,
    revision: 123_456_789,
    digest: '0123456789ab',
    counters: busy,
  }));

test('counters that are 0 are not said', () => {
  expect(nonZero({ portRxFrames: 1, dropTooBig: 0 })).toEqual({ portRxFrames: 1 });
  expect(nonZero(undefined)).toEqual({});
});

test('a report of four thousand busy networks is taken by the gateway, and tells as much of the traffic as a whole one', () => {
  const networks = shortened(reports(4000));
  const body = { cursor: 'c'.repeat(60), version: '1.0.0', watching: true, networks };
  expect(JSON.stringify(body).length).toBeLessThanOrEqual(MAX_BODY_BYTES);
  expect(v.safeParse(HeartbeatSchema, body).success).toBe(true);
  for (const network of networks) expect(trafficOf(network.counters)).toEqual(trafficOf(busy));
  expect(shortened(reports(1000))).toEqual(reports(1000));
});

test('of the paths of a thousand peers beside as many networks as are told whole as many are told as the gateway takes, the worst first', () => {
  const paths = Array.from({ length: 1000 }, (_, i) =>
    peerPath({ site: `${i}`.padStart(36, '0'), rttMs: 123.456, ...(i === 999 ? { state: 'unreachable' } : {}) }),
  );
  const said = (count: number) => {
    const stands = { name: '', port: { type: 'none' }, peers: 0, macs: 0, inStep: true, mtu: 1450 } as const;
    const networks = reports(count).map((report) => ({ ...report, ...stands, transport: 'plain' as const }));
    const totals = new Map(networks.map(({ vni }) => [vni, { totals: busy, peers: [] }]));
    const datapath = { paths: () => paths, counters: () => ({ agent: {}, networks: totals }) };
    return heartbeatOf(datapath, { cursor: 'c'.repeat(60), version: '1.0.0', watching: true, networks });
  };
  const full = said(Math.floor(899_000 / JSON.stringify(reports(1)).length));
  expect(JSON.stringify(full).length).toBeLessThanOrEqual(MAX_BODY_BYTES);
  expect(v.safeParse(HeartbeatSchema, full).success).toBe(true);
  expect(full.paths!.length).toBeGreaterThan(100);
  expect(full.paths![0]).toMatchObject({ site: paths[999]!.site, state: 'unreachable' });
  expect(said(10).paths).toHaveLength(1000);
});
