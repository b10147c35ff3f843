import { describe, expect, it } from 'vitest';
import { LocalStations } from '../../../agent/datapath/local-stations.ts';
import { CarriedNetwork, makeChanges, nameOf, type PendingChange } from '../../../agent/kernel/carried-network.ts';
import { Repairs } from '../../../agent/kernel/repairs.ts';
import { SysError } from '../../../agent/sys/errno.linux.ts';
import type { NetlinkSocket } from '../../../agent/sys/netlink-socket.linux.ts';

const VNI = 9;
const MAC = '02:00:00:00:00:01';
const OTHER = '02:00:00:00:00:02';
const EPERM = 1;

describe('an entry that is not right', () => {
  it('is due at once, and once', () => {
    const repairs = new Repairs();
    expect(repairs.nextAt).toBeNull();
    repairs.add(VNI, ['macs', MAC], 100);
    repairs.add(VNI, ['macs', MAC], 100);
    repairs.add(VNI, ['ips', '192.168.9.1'], 100);
    repairs.add(10, ['flood', '10.0.0.1 4789'], 100);
    expect(repairs.nextAt).toBe(100);
    expect(repairs.take(100)).toEqual(
      new Map([
        [VNI, { macs: new Set([MAC]), ips: new Set(['192.168.9.1']) }],
        [10, { macs: new Set(), ips: new Set() }],
      ]),
    );
    expect(repairs.nextAt).toBeNull();
    expect(repairs.take(200)).toEqual(new Map());
  });

  it('does not hold up another, though it is changed again and again', () => {
    const repairs = new Repairs();
    for (let i = 0; i < 5; i++) {
      repairs.add(VNI, ['macs', MAC], 100 + i);
      repairs.take(repairs.nextAt!);
    }
    repairs.add(VNI, ['macs', MAC], 106);
    repairs.add(VNI, ['macs', OTHER], 106);
    expect(repairs.take(106).get(VNI)!.macs).toEqual(new Set([OTHER]));
  });

  it('is not fought for: whatever somebody else does, it is put right less and less often', () => {
    const repairs = new Repairs();
    let count = 0;
    for (let now = 0; now < 600; now += 0.1) {
      repairs.add(VNI, ['macs', MAC], now);
      count += repairs.take(now).size;
    }
    expect(count).toBeLessThan(20);
  });

  it('is any entry again once nobody has touched it for long', () => {
    const repairs = new Repairs();
    for (let now = 0; now < 10; now += 0.1) {
      repairs.add(VNI, ['macs', MAC], now);
      repairs.take(now);
    }
    repairs.take(100);
    repairs.add(VNI, ['macs', MAC], 1000);
    expect(repairs.nextAt).toBe(1000);
  });
});

describe('an entry that the kernel refuses', () => {
  it('is its network’s problem until it is taken', () => {
    const network = new CarriedNetwork(VNI, new LocalStations(), { vxlan: 1, bridge: 2, vxlanPort: 4789 }, 1450);
    const pending = [MAC, OTHER].map((mac): PendingChange => {
      const entry = { address: '10.0.0.2', port: 4789, sticky: false };
      return { network, change: { kind: 'mac', action: 'set', mac, entry } };
    });
    const refusing = { change: () => new Map([[1, new SysError('netlink 28', EPERM)]]) } as unknown as NetlinkSocket;
    const refused = makeChanges(refusing, pending);
    expect(refused.map(({ change }) => nameOf(change))).toEqual([['macs', OTHER]]);
    expect(network.problem).toMatch(/^an entry could not be set: .*EPERM/);
    expect([...network.installed.macs.keys()]).toEqual([MAC]);
    const taking = { change: () => new Map() } as unknown as NetlinkSocket;
    expect(makeChanges(taking, refused)).toEqual([]);
    expect(network.problem).toBeNull();
    expect([...network.installed.macs.keys()]).toEqual([MAC, OTHER]);
  });
});
