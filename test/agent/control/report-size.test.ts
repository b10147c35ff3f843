import * as v from 'valibot';
import { expect, test } from 'vitest';
import { nonZero, shortened } from '../../../agent/control/report-size.ts';
import { HeartbeatSchema } from '../../../src/contract/agent.ts';
import { trafficOf } from '../../../src/contract/traffic.ts';
import { MAX_BODY_BYTES } from '../../../src/middleware/body.ts';

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
