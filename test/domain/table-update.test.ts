import { expect, test } from 'vitest';
import { deltaOf, type NetworkHeader, type OwnAttachment, snapshotOf } from '../../src/domain/table-update.ts';

const header: NetworkHeader = {
  name: 'blue',
  mtu: 1450,
  flood: 'headend',
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
  revision: 9,
  network: header,
};

test('a network’s revision is the later of its own and the attachment’s, and its digest leaves out the site itself', () => {
  const { networks } = snapshotOf({ own: [own], peers: [], ownHash: 0x10 }, 'c');
  expect(networks).toMatchObject([{ revision: 9, digest: '000000000020', vteps: [], macs: [] }]);
  expect(snapshotOf({ own: [{ ...own, revision: 3 }], peers: [], ownHash: 0x31 }, 'c').networks).toMatchObject([
    { revision: 7, digest: 'ffffffffffff' },
  ]);
});

test('in a delta a live peer is set and another is gone; a snapshot knows only the live', () => {
  const vtep = { address: '10.0.0.1', port: 4789 };
  const peers = [
    { networkId: 'n', siteId: 'a', vtep },
    { networkId: 'n', siteId: 'b', vtep: null },
  ];
  const rows = { own: [own], peers, ownHash: 0 };
  expect(deltaOf(rows, 'c1', 'c2')).toMatchObject({
    kind: 'delta',
    from: 'c1',
    cursor: 'c2',
    networks: [{ vteps: [{ site: 'a', ...vtep }], gone: { vteps: ['b'], macs: [] } }],
  });
  expect(snapshotOf(rows, 'c2').networks[0]).not.toHaveProperty('gone');
});

test('an attachment that is not live makes its VNI gone in a delta, and is left out of a snapshot', () => {
  const rows = { own: [{ ...own, live: false, network: null }], peers: [], ownHash: 0 };
  expect(deltaOf(rows, 'c1', 'c2')).toEqual({
    kind: 'delta',
    from: 'c1',
    cursor: 'c2',
    networks: [],
    goneNetworks: [5000],
  });
  expect(snapshotOf(rows, 'c2')).toEqual({ kind: 'snapshot', cursor: 'c2', networks: [] });
});
