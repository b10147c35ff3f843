import { describe, expect, it } from 'vitest';
import { LocalStations } from '../../../agent/datapath/local-stations.ts';
import { Filter } from '../../../agent/kernel/filter.ts';
import { KernelNetworks } from '../../../agent/kernel/kernel-networks.ts';
import { SysError } from '../../../agent/sys/errno.linux.ts';
import type { NetlinkSocket } from '../../../agent/sys/netlink-socket.linux.ts';
import type { NetworkTable } from '../../../src/contract/table.ts';

const EOPNOTSUPP = 95;
const NO_NFTABLES = /no nftables \(EOPNOTSUPP\), which keeps strangers out/;

const network = (vni: number, antiSpoof: NetworkTable['antiSpoof']): NetworkTable => ({
  vni,
  network: `net${vni}`,
  name: `net${vni}`,
  mtu: 1450,
  port: { type: 'host', name: `p${vni}` },
  flood: 'headend',
  antiSpoof,
  arpSuppression: true,
  revision: 1,
  digest: '000000000000',
  vteps: [],
  macs: [],
});

/** @returns why each network is not carried where the kernel takes neither rules nor devices. */
function errorsWithout(devices: readonly number[] | undefined): ReadonlyMap<number, string> {
  const refuse = (): never => {
    throw new SysError('sendmsg', EOPNOTSUPP);
  };
  const route = { dump: () => [], get: refuse, change: () => new Map() } as unknown as NetlinkSocket;
  const netfilter = { transact: refuse, get: refuse } as unknown as NetlinkSocket;
  const networks = new KernelNetworks({
    identity: 'a',
    vxlanPort: 4789,
    route,
    filter: new Filter(netfilter, 'a', { isIpv6: true, vxlanPort: 4789, devices }),
    stations: new LocalStations(),
    localAddress: () => null,
    isIpv6: true,
    dscp: 'zero',
    devices,
    mtuLimit: () => 1450,
  });
  return networks.apply({ kind: 'snapshot', cursor: '1', networks: [network(9, 'vtep'), network(10, 'off')] }).errors;
}

describe('without a filter', () => {
  it('only a network that asks for none is tried to be carried, and of those by certain interfaces alone none', () => {
    const plain = errorsWithout(undefined);
    expect(plain.get(9)).toMatch(NO_NFTABLES);
    expect(plain.get(10)).not.toMatch(NO_NFTABLES);
    const encrypted = errorsWithout([7]);
    expect([encrypted.get(9), encrypted.get(10)]).toEqual([
      expect.stringMatching(NO_NFTABLES),
      expect.stringMatching(NO_NFTABLES),
    ]);
  });
});
