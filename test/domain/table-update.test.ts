import { expect, test } from 'vitest';
import { deltaOf, type NetworkHeader, type OwnAttachment, snapshotOf } from '../../src/domain/table-update.ts';

const header: NetworkHeader = {
  name: 'blue',
  mtu: 1450,
  flood: 'headend',
  transport: 'plain',
  multicastGroup: null,
  antiSpoof: 'vtep',
  arpSuppression: false,
  revision: 7,
  digest: 0x30,
};
const own: OwnAttachment = {
  networkId: 'n',
  vni: 5000,
  port: { type: 'host', name: 'tap0' },
  live: true,
  intended: false,
  revision: 9,
  network: header,
};

test('a network’s revision is the later of its own and the attachment’s, and its digest leaves out the site itself', () => {
  const { networks } = snapshotOf({ own: [own], peers: [], macs: [], self: { hash: 0x10, tunnelHash: null } }, 'c');
  expect(networks).toMatchObject([{ revision: 9, digest: '000000000020', vteps: [], macs: [] }]);
  expect(
    snapshotOf({ own: [{ ...own, revision: 3 }], peers: [], macs: [], self: { hash: 0x31, tunnelHash: null } }, 'c')
      .networks,
  ).toMatchObject([{ revision: 7, digest: 'ffffffffffff' }]);
});

test('in a delta a live peer or MAC is set and another is gone; a snapshot knows only the live', () => {
  const vtep = { address: '10.0.0.1', port: 4789 };
  const peers = [
    { networkId: 'n', siteId: 'a', where: { ...vtep, wireguard: null }, intended: false },
    { networkId: 'n', siteId: 'b', where: null, intended: false },
  ];
  const row = { mac: '02:00:00:00:00:01', site: 'a', seq: 7, sticky: false };
  const macs = [
    { networkId: 'n', mac: row.mac, row },
    { networkId: 'n', mac: '02:00:00:00:00:02', row: null },
  ];
  const rows = { own: [own], peers, macs, self: { hash: 0, tunnelHash: null } };
  expect(deltaOf(rows, 'c1', 'c2')).toMatchObject({
    kind: 'delta',
    from: 'c1',
    cursor: 'c2',
    networks: [{ vteps: [{ site: 'a', ...vtep }], macs: [row], gone: { vteps: ['b'], macs: ['02:00:00:00:00:02'] } }],
  });
  expect(snapshotOf(rows, 'c2').networks[0]).not.toHaveProperty('gone');
});

test('an attachment that is not live makes its VNI gone in a delta, and is left out of a snapshot', () => {
  const rows = {
    own: [{ ...own, live: false, network: null }],
    peers: [],
    macs: [],
    self: { hash: 0, tunnelHash: null },
  };
  expect(deltaOf(rows, 'c1', 'c2')).toEqual({
    kind: 'delta',
    from: 'c1',
    cursor: 'c2',
    networks: [],
    goneNetworks: [5000],
  });
  expect(snapshotOf(rows, 'c2')).toEqual({ kind: 'snapshot', cursor: 'c2', networks: [] });
});

test('what went is told as intended where somebody asked for all of it, and only in a delta', () => {
  const gone = (siteId: string, intended: boolean) => ({ networkId: 'n', siteId, where: null, intended });
  const rows = (...peers: ReturnType<typeof gone>[]) => ({
    own: [own],
    peers,
    macs: [],
    self: { hash: 0, tunnelHash: null },
  });
  const asked = rows(gone('a', true), gone('b', true));
  expect(deltaOf(asked, 'c1', 'c2').networks[0]).toHaveProperty('intended', true);
  expect(snapshotOf(asked, 'c2').networks[0]).not.toHaveProperty('intended');
  expect(deltaOf(rows(gone('a', true), gone('b', false)), 'c1', 'c2').networks[0]).not.toHaveProperty('intended');
  expect(deltaOf(rows(), 'c1', 'c2').networks[0]).not.toHaveProperty('intended');
  const left = { ...own, live: false, network: null };
  const networksGone = (intended: boolean) => ({
    own: [{ ...left, intended }],
    peers: [],
    macs: [],
    self: { hash: 0, tunnelHash: null },
  });
  expect(deltaOf(networksGone(true), 'c1', 'c2')).toHaveProperty('intended', true);
  expect(deltaOf(networksGone(false), 'c1', 'c2')).not.toHaveProperty('intended');
});
