import { expect, test } from 'vitest';
import { FileSession } from '../../../agent/control/file-session.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import { network, snapshot, vtep } from './tables.ts';

test('a table in a file is carried; what can’t be is tried again until it is, and then no more', async () => {
  const datapath = new InMemoryDatapath();
  const waits: (() => void)[] = [];
  const after = (_ms: number, act: () => void): (() => void) => {
    waits.push(act);
    return () => void waits.splice(waits.indexOf(act), 1);
  };
  const session = new FileSession({ datapath, now: () => 0, after, log: () => {} });
  datapath.fail(9, 'bridge br0 is missing');
  await session.apply(snapshot('config:1', [network(9), network(10)]));
  expect(session.status()).toMatchObject({
    inStep: false,
    networks: [{ error: 'bridge br0 is missing' }, { inStep: true }],
  });
  datapath.heal(9);
  expect(waits).toHaveLength(1);
  waits.shift()!();
  await session.apply(snapshot('config:2', [network(9, { vteps: [vtep(2)] })]));
  expect(session.status()).toMatchObject({
    inStep: true,
    table: { cursor: 'config:2' },
    networks: [{ vni: 9, peers: 1 }],
  });
  expect(waits).toHaveLength(0);
  await session.stop();
});

test('what the data path finds amiss of itself is said at once, and that it is well again', async () => {
  const datapath = new InMemoryDatapath();
  const lines: string[] = [];
  const log = (_level: string, line: string): void => void lines.push(line);
  const session = new FileSession({ datapath, now: () => 0, after: () => () => {}, log });
  await session.apply(snapshot('config:1', [network(9)]));
  datapath.fail(9, 'bridge br0 is missing');
  datapath.lookAfter();
  datapath.lookAfter();
  expect(session.status()).toMatchObject({ inStep: false, networks: [{ error: 'bridge br0 is missing' }] });
  datapath.heal(9);
  datapath.lookAfter();
  expect(session.status()).toMatchObject({ inStep: true });
  expect(lines).toEqual(['VNI 9 is not carried: bridge br0 is missing', 'VNI 9 is carried now']);
  await session.stop();
});
