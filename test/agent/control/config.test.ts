import { expect, test } from 'vitest';
import { parseConfig } from '../../../agent/config.ts';
import { mergeUpdate } from '../../../agent/control/merge.ts';

const PEER = { address: '10.0.0.2' };
const PORT = { type: 'host', name: 'tap9' };

function config(networks: unknown, rest: object = {}): string {
  return JSON.stringify({ vtep: { address: '10.0.0.1' }, networks, ...rest });
}

function parsed(text: string): Extract<ReturnType<typeof parseConfig>, { kind: 'config' }>['config'] {
  const result = parseConfig(text, 1);
  if (result.kind === 'faults') throw new Error(result.faults.join('; '));
  return result.config;
}

function faults(text: string): readonly string[] {
  const result = parseConfig(text, 1);
  return result.kind === 'faults' ? result.faults : [];
}

test('the shortest configuration has the defaults of the API', () => {
  const { vtep, datapath, rules, table } = parsed(config([{ vni: 9, port: PORT, vteps: [PEER] }]));
  expect(vtep).toEqual({ address: '10.0.0.1', port: 4789 });
  expect(datapath).toBe('auto');
  expect(rules).toEqual({ dscp: 'zero', clampMss: false });
  expect(table).toEqual({
    kind: 'snapshot',
    cursor: 'config:1',
    networks: [
      {
        vni: 9,
        network: 'vni-9',
        name: 'vni-9',
        mtu: 1450,
        port: PORT,
        flood: 'headend',
        antiSpoof: 'vtep',
        arpSuppression: false,
        revision: 1,
        digest: expect.stringMatching(/^[0-9a-f]{12}$/),
        vteps: [{ site: '10.0.0.2:4789', address: '10.0.0.2', port: 4789 }],
        macs: [],
      },
    ],
  });
});

test('the example of the documentation is a configuration, and its table agrees with its digest', () => {
  const example = `{"vtep": {"address": "10.0.0.1", "port": 4789}, "datapath": "userspace", "networks": [{"vni": 9, "mtu": 1450,
    "port": {"type": "host", "name": "tap9"}, "vteps": [{"address": "10.0.0.2", "port": 4789}], "macs": []}]}`;
  expect(mergeUpdate(null, parsed(example).table).kind).toBe('merged');
});

test('a MAC is behind the VTEP whose address it names', () => {
  const macs = [{ mac: '02:00:00:00:00:0A', ip: '192.168.0.1', address: '10.0.0.2', port: 4790 }];
  const vteps = [PEER, { address: '10.0.0.2', port: 4790 }];
  const { table } = parsed(config([{ vni: 9, port: PORT, vteps, macs }]));
  expect(table.networks[0]!.macs).toEqual([
    { mac: '02:00:00:00:00:0a', ip: '192.168.0.1', site: '10.0.0.2:4790', seq: 0, sticky: true },
  ]);
  expect(mergeUpdate(null, table).kind).toBe('merged');
});

test.each<[string, unknown, string]>([
  ['a VNI of 0', [{ vni: 0, port: PORT, vteps: [] }], 'networks.0.vni: must be a whole number from 1 to 16777215'],
  ['a VNI of 2^24', [{ vni: 2 ** 24, port: PORT, vteps: [] }], 'networks.0.vni: must be a whole number'],
  ['a VNI in quotes', [{ vni: '12', port: PORT, vteps: [] }], 'networks.0.vni: must be a whole number'],
  ['a broken VNI', [{ vni: 4.5, port: PORT, vteps: [] }], 'networks.0.vni: must be a whole number'],
  [
    'an MTU of 100',
    [{ vni: 9, mtu: 100, port: PORT, vteps: [] }],
    'networks.0.mtu: must be a whole number of bytes from 576',
  ],
  [
    'a long interface name',
    [{ vni: 9, port: { type: 'host', name: 'a'.repeat(16) }, vteps: [] }],
    'networks.0.port.name: must be an interface name of 1 to 15',
  ],
  [
    'a port of no kind',
    [{ vni: 9, port: { type: 'none' }, vteps: [] }],
    'networks.0.port.type: must be {"type": "host"',
  ],
  ['no port', [{ vni: 9, vteps: [] }], 'networks.0.port: is missing'],
  [
    'a name with spaces',
    [{ vni: 9, name: 'my lan', port: PORT, vteps: [] }],
    'networks.0.name: must be 1 to 63 letters',
  ],
  [
    'a field too many',
    [{ vni: 9, port: PORT, vteps: [], colour: 'red' }],
    'networks.0.colour: is not a field that is known here',
  ],
  ['no list of networks', {}, 'networks: must be a list'],
  [
    'a peer that is no address',
    [{ vni: 9, port: PORT, vteps: [{ address: 'peer' }] }],
    'networks.0.vteps.0.address: must be an IPv4 or IPv6',
  ],
  [
    'this site as its own peer',
    [{ vni: 9, port: PORT, vteps: [{ address: '10.0.0.1' }] }],
    "networks.0.vteps.0: is this site's own VTEP",
  ],
  [
    'a peer of another family',
    [{ vni: 9, port: PORT, vteps: [{ address: '2001:db8::1' }] }],
    'networks.0.vteps.0.address: must be of the same family',
  ],
  [
    'a peer twice',
    [{ vni: 9, port: PORT, vteps: [PEER, PEER] }],
    'networks.0.vteps.1: is the same as networks.0.vteps.0',
  ],
  [
    'a VNI twice',
    [
      { vni: 9, port: PORT, vteps: [] },
      { vni: 9, port: { type: 'host', name: 'b' }, vteps: [] },
    ],
    'networks.1.vni: is the same as networks.0.vni',
  ],
  [
    'an interface twice',
    [
      { vni: 9, port: PORT, vteps: [] },
      { vni: 8, port: PORT, vteps: [] },
    ],
    'networks.1.port.name: is the same as networks.0.port.name',
  ],
  [
    'multicast',
    [{ vni: 9, port: PORT, vteps: [], flood: 'multicast' }],
    'networks.0.flood: must be "headend" or "none"',
  ],
  [
    'a MAC behind nobody',
    [{ vni: 9, port: PORT, vteps: [PEER], macs: [{ mac: '02:00:00:00:00:01', address: '10.0.0.9' }] }],
    'networks.0.macs.0.address: must be the address of one',
  ],
  [
    'a MAC behind one of two',
    [
      {
        vni: 9,
        port: PORT,
        vteps: [PEER, { ...PEER, port: 1 }],
        macs: [{ mac: '02:00:00:00:00:01', address: '10.0.0.2' }],
      },
    ],
    'networks.0.macs.0.port: must say which',
  ],
  [
    'a multicast MAC',
    [{ vni: 9, port: PORT, vteps: [PEER], macs: [{ mac: '01:00:00:00:00:01', address: '10.0.0.2' }] }],
    'networks.0.macs.0.mac: must be a unicast MAC',
  ],
])('%s is an error that names the field', (_what, networks, fault) => {
  expect(faults(config(networks))).toEqual([expect.stringContaining(fault)]);
});

test('two networks may join one bridge', () => {
  const port = { type: 'bridge', name: 'br0' };
  expect(
    parsed(
      config([
        { vni: 9, port, vteps: [] },
        { vni: 8, port, vteps: [] },
      ]),
    ).table.networks,
  ).toHaveLength(2);
});

test('every bad field is named, not the first alone', () => {
  const text = config([{ vni: 0, mtu: 1, port: PORT, vteps: [] }], { vtep: { port: 0 }, datapath: 'magic' });
  expect(faults(text).map((fault) => fault.split(':', 1)[0])).toEqual([
    'vtep.port',
    'datapath',
    'networks.0.vni',
    'networks.0.mtu',
  ]);
});

test('JSON cut in half is said to be no JSON', () => {
  const whole = config([]);
  expect(faults(whole.slice(0, whole.length / 2))).toEqual([expect.stringContaining('is not JSON')]);
  expect(faults('null')).toHaveLength(1);
});

test('what may be chosen of how frames are forwarded is taken as it is said, and nothing else', () => {
  expect(parsed(config([], { dscp: 'copy', clampMss: true })).rules).toEqual({ dscp: 'copy', clampMss: true });
  expect(faults(config([], { dscp: 'inherit' }))).toEqual(['dscp: must be "zero" or "copy"']);
  expect(faults(config([], { clampMss: 1400 }))).toEqual(['clampMss: must be true or false']);
  expect(parsed(config([], { threads: 3 })).threads).toBe(3);
  expect(faults(config([], { threads: 0 }))).toEqual(['threads: must be a whole number from 1 to 16']);
});
