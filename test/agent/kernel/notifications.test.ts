import { describe, expect, it } from 'vitest';
import { LocalStations } from '../../../agent/datapath/local-stations.ts';
import { CarriedNetwork } from '../../../agent/kernel/carried-network.ts';
import { DEFAULT_MAC, PROTOCOL } from '../../../agent/kernel/forwarding.ts';
import { noteAddress, noteRemote } from '../../../agent/kernel/notifications.ts';
import { destinationKey, WantedNetwork } from '../../../agent/kernel/wanted-network.ts';
import {
  AF_BRIDGE,
  type NeighborMessage,
  NTF_EXT_LEARNED,
  NTF_SELF,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_REACHABLE,
  RTM_DELNEIGH,
  RTM_NEWNEIGH,
} from '../../../agent/sys/neighbor-message.ts';

const MAC = '02:00:00:00:00:01';
const STRAY = '02:00:00:00:00:02';
const IP = '192.168.9.1';
const VXLAN = 1;
const BRIDGE = 2;
const OSLO = { address: '10.0.0.2', port: 4789 };
const ELSEWHERE = '10.0.0.77';

function setUp(antiSpoof: 'vtep' | 'off' = 'vtep') {
  const table = {
    vni: 9,
    network: 'blue',
    name: 'blue',
    mtu: 1450,
    port: { type: 'host', name: 'blue' },
    flood: 'headend',
    antiSpoof,
    arpSuppression: true,
    revision: 1,
    digest: '000000000000',
    vteps: [{ site: 'oslo', ...OSLO }],
    macs: [{ mac: MAC, ip: IP, site: 'oslo', seq: 1, sticky: false }],
  } as const;
  const wanted = new WantedNetwork(table);
  wanted.merge({ ...table, vteps: [...table.vteps], macs: [...table.macs] }, true, () => true);
  const network = new CarriedNetwork(9, new LocalStations(), { vxlan: VXLAN, bridge: BRIDGE, vxlanPort: 4789 }, 1450);
  return { wanted, network };
}

const entry = (more: Partial<NeighborMessage>): NeighborMessage => ({
  family: AF_BRIDGE,
  index: VXLAN,
  state: NUD_REACHABLE,
  flags: NTF_SELF | NTF_EXT_LEARNED,
  mac: MAC,
  address: OSLO.address,
  ...more,
});

describe('what the kernel tells', () => {
  it('of our own changes asks for nothing', () => {
    const { network, wanted } = setUp();
    for (const own of [
      entry({}),
      entry({ address: undefined, master: BRIDGE, flags: NTF_EXT_LEARNED }),
      entry({ mac: DEFAULT_MAC, state: NUD_NOARP | NUD_PERMANENT, flags: NTF_SELF }),
      // The bridge's own, of the vxlan device's address.
      entry({ mac: 'fe:00:00:00:00:01', address: undefined, master: BRIDGE, state: NUD_PERMANENT, flags: 0 }),
    ])
      expect(noteRemote(network, wanted, RTM_NEWNEIGH, own)).toBeNull();
    expect(noteRemote(network, wanted, RTM_DELNEIGH, entry({ mac: STRAY }))).toBeNull();
  });

  it.each([
    ['a station that nobody has', { mac: STRAY }, ['macs', STRAY]],
    ['one of the bridge alone', { mac: STRAY, address: undefined, master: BRIDGE }, ['macs', STRAY]],
    ['a station behind another VTEP', { address: ELSEWHERE }, ['macs', MAC]],
    [
      'a station that was made permanent',
      { mac: STRAY, state: NUD_NOARP | NUD_PERMANENT, flags: NTF_SELF },
      ['macs', STRAY],
    ],
    [
      'a VTEP to flood to',
      { mac: DEFAULT_MAC, address: ELSEWHERE, state: NUD_PERMANENT },
      ['flood', destinationKey({ address: ELSEWHERE, port: 4789 })],
    ],
  ] as const)('of %s asks to have it put right, and away', (_, more, name) => {
    const { network, wanted } = setUp();
    expect(noteRemote(network, wanted, RTM_NEWNEIGH, entry(more))).toEqual(name);
    const scope = { macs: new Set([name[1]]), ips: new Set<string>() };
    for (const key of ['flood', 'macs'] as const) if (key !== name[0]) network.installed[key].clear();
    const plan = network.plan(wanted, scope).map(({ change }) => `${change.action} ${change.kind}`);
    expect(plan).toContain(name[0] === 'flood' ? 'delete flood' : name[1] === MAC ? 'set mac' : 'delete mac');
  });

  it('of an entry that is wanted and was deleted asks to have it set', () => {
    const { network, wanted } = setUp();
    expect(noteRemote(network, wanted, RTM_DELNEIGH, entry({}))).toEqual(['macs', MAC]);
    const flood = entry({ mac: DEFAULT_MAC, state: NUD_PERMANENT });
    expect(noteRemote(network, wanted, RTM_DELNEIGH, flood)).toEqual(['flood', destinationKey(OSLO)]);
    const neighbor = entry({ family: 2, index: BRIDGE, address: IP, protocol: PROTOCOL });
    expect(noteAddress(network, wanted, RTM_NEWNEIGH, neighbor)).toBeNull();
    expect(noteAddress(network, wanted, RTM_DELNEIGH, neighbor)).toEqual(['ips', IP]);
    expect(noteAddress(network, wanted, RTM_NEWNEIGH, { ...neighbor, protocol: 0 })).toEqual(['ips', IP]);
  });

  it('of what was learned from frames asks for nothing where that is allowed', () => {
    const learned = entry({ mac: STRAY, flags: NTF_SELF });
    const open = setUp('off');
    expect(noteRemote(open.network, open.wanted, RTM_NEWNEIGH, learned)).toBeNull();
    const guarded = setUp();
    expect(noteRemote(guarded.network, guarded.wanted, RTM_NEWNEIGH, learned)).toEqual(['macs', STRAY]);
  });
});
