import fc from 'fast-check';
import { expect, test } from 'vitest';
import { peerChanges, peersOf, type WireguardPeer, type WireguardPeers } from '../../../agent/wireguard/peers.ts';
import { formatIdentity, formatPeerChanges, parseErrno, parseHandshakes } from '../../../agent/wireguard/uapi.ts';
import type { Vtep } from '../../../src/contract/table.ts';
import { tunnelAddressOf } from '../../../src/contract/wireguard.ts';

const KEYS = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64'));
const HEX = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('hex'));

const endpoint = fc.option(
  fc.record({ address: fc.constantFrom('192.0.2.1', '2001:db8::1'), port: fc.constantFrom(51_820, 51_821) }),
);
const peers: fc.Arbitrary<WireguardPeers> = fc
  .uniqueArray(
    fc.record({ publicKey: fc.constantFrom(...KEYS), address: fc.constantFrom('fd9c::1', 'fd9c::2'), endpoint }),
    {
      selector: (peer) => peer.publicKey,
    },
  )
  .map((list) => new Map(list.map((peer) => [peer.publicKey, peer])));

test('the changes from any peers to any others bring a device from the one to the other, and say nothing of those that stay', () => {
  fc.assert(
    fc.property(peers, peers, (before, after) => {
      const { set, remove } = peerChanges(before, after);
      const device = new Map(before);
      for (const key of remove) device.delete(key);
      for (const peer of set) device.set(peer.publicKey, peer);
      expect(device).toEqual(after);
      for (const { publicKey } of set) expect(before.get(publicKey)).not.toEqual(after.get(publicKey));
      expect(peerChanges(after, after)).toEqual({ set: [], remove: [] });
    }),
  );
});

test('a site in two networks is one peer, and one that changes its key is two for a while', () => {
  const [a, b, c] = KEYS.map((publicKey, i): WireguardPeer => ({ publicKey, address: `fd9c::${i}`, endpoint: null }));
  const vtep = (site: string, wireguard: WireguardPeer[]): [string, Vtep] => [
    site,
    { site, address: wireguard[0]!.address, port: 1, wireguard },
  ];
  const networks = [
    { vteps: new Map([vtep('one', [a!, b!])]) },
    { vteps: new Map([vtep('one', [a!, b!]), vtep('two', [c!])]) },
  ];
  expect([...peersOf(networks).keys()]).toEqual(KEYS);
  expect([...peersOf([]).keys()]).toEqual([]);
});

test('peers are said to a device as its interface has it: keys in hex, IPv6 endpoints in brackets, one address each', () => {
  const set: WireguardPeer[] = [
    { publicKey: KEYS[0]!, address: 'fd9c::1', endpoint: { address: '2001:db8::1', port: 51_820 } },
    { publicKey: KEYS[1]!, address: 'fd9c::2', endpoint: null },
  ];
  expect(formatPeerChanges({ set, remove: [KEYS[2]!] })).toBe(
    [
      'set=1',
      `public_key=${HEX[2]}`,
      'remove=true',
      `public_key=${HEX[0]}`,
      'endpoint=[2001:db8::1]:51820',
      'persistent_keepalive_interval=25',
      'replace_allowed_ips=true',
      'allowed_ip=fd9c::1/128',
      `public_key=${HEX[1]}`,
      'persistent_keepalive_interval=25',
      'replace_allowed_ips=true',
      'allowed_ip=fd9c::2/128',
      '\n',
    ].join('\n'),
  );
  expect(formatIdentity(KEYS[0]!, 51_820)).toBe(`set=1\nprivate_key=${HEX[0]}\nlisten_port=51820\n\n`);
});

test('what a device says of its peers is read, and of an answer without an errno that it is none', () => {
  const answer = [
    `private_key=${HEX[2]}`,
    'listen_port=51820',
    `public_key=${HEX[0]}`,
    'endpoint=192.0.2.1:40001',
    'last_handshake_time_sec=1700000000',
    'last_handshake_time_nsec=5',
    `public_key=${HEX[1]}`,
    'last_handshake_time_sec=0',
    'errno=0',
    '\n',
  ].join('\n');
  expect([...parseHandshakes(answer)]).toEqual([
    [KEYS[0], 1_700_000_000],
    [KEYS[1], 0],
  ]);
  expect([parseErrno(answer), parseErrno('errno=98\n\n'), parseErrno('')]).toEqual([0, 98, -1]);
});

test('a tunnel address follows from the key, within one prefix', async () => {
  const [first, second] = await Promise.all(KEYS.map(tunnelAddressOf));
  expect(first).toMatch(/^fd9c:3e73:2005:/);
  expect(second).not.toBe(first);
  expect(await tunnelAddressOf(KEYS[0]!)).toBe(first);
});
