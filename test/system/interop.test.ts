/**
 * Our agent against each VXLAN that it may meet: another agent, the kernel's, and Open vSwitch's; with the hosts' offloads on and off,
 * with small and large MTUs. "Everything but ping fails" is the field's classic: a frame whose checksum is wrong, or a large segment
 * that is lost, leaves TCP to creep by retransmissions, so those are counted.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATH } from '../../demo/lab/ip.ts';
import { type Site, UNDERLAY_DEV } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { OPEN_VSWITCH_PROGRAMS, startOpenVswitch } from '../lab/open-vswitch.ts';
import type { PeersConfig } from './agents.ts';

const DATAGRAMS = fileURLToPath(new URL('./datagrams.ts', import.meta.url));
const OFFLOADS = fileURLToPath(new URL('./offloads.ts', import.meta.url));
const TRANSFER_BYTES = 4_000_000;
/** By retransmissions alone it would take minutes. */
const TRANSFER_MS = 10_000;
/**
 * How many datagrams of each size are sent at once, and which part of TCP's segments may be sent again: what creeps does so with most, and a
 * busy machine, whose queues between namespaces are short, with a few of a hundred.
 */
interface Limits {
  readonly burst: number;
  readonly again: number;
}
const LIMITS: Limits = { burst: 50, again: 0.25 };
/** It reads the wire through a buffer of 200 KB, which large bursts overflow. */
const SWITCH_LIMITS: Limits = { burst: 5, again: 0.75 };
/** A probe for a lost tail (RFC 8985) is sent where nothing is lost, too. */
const PROBES = 10;

/** The networks that all have: `small` is what a common underlay leaves, `large` what one of jumbo frames does. */
const NETWORKS = [
  { dev: 'small', vni: 41 },
  { dev: 'large', vni: 42 },
] as const;
const MTU = { v4: { small: 1450, large: 8950 }, v6: { small: 1430, large: 8930 } } as const;
type Family = keyof typeof MTU;
type Dev = (typeof NETWORKS)[number]['dev'];

const missingOpenVswitch = OPEN_VSWITCH_PROGRAMS.some(
  (program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH } }).status !== 0,
);

/** The addresses of a site's host in a network: 192.168.41.n and fd41::n, where its VTEP is 10.77.0.n. */
const numberOf = ({ v4 }: Site): string => v4.split('.')[3]!;
const hostV4 = (dev: Dev, site: Site): string => `192.168.${dev === 'small' ? 41 : 42}.${numberOf(site)}`;
const hostV6 = (dev: Dev, site: Site): string => `fd${dev === 'small' ? 41 : 42}::${numberOf(site)}`;
const hostAddresses = (dev: Dev, site: Site): string[] => [`${hostV4(dev, site)}/24`, `${hostV6(dev, site)}/64`];

async function startAgent(site: Site, family: Family, peers: readonly Site[]): Promise<void> {
  const config: PeersConfig = {
    vtep: { address: site[family] },
    networks: NETWORKS.map(({ dev, vni }) => ({
      vni,
      mtu: MTU[family][dev],
      port: { type: 'host', name: dev },
      vteps: peers.map((peer) => ({ address: peer[family] })),
    })),
  };
  await site.agent({ config });
  for (const { dev } of NETWORKS) await site.address(dev, ...hostAddresses(dev, site));
}

async function startKernel(site: Site, family: Family, peer: Site): Promise<void> {
  for (const { dev, vni } of NETWORKS) {
    const mtu = MTU[family][dev];
    await site.kernelVxlan({ dev, vni, mtu, remotes: [peer[family]], addresses: hostAddresses(dev, site) });
  }
}

async function startSwitch(site: Site, peer: Site, folder: string): Promise<void> {
  const networks = NETWORKS.map(({ dev, vni }) => ({
    dev,
    vni,
    remote: peer.v4,
    mtu: MTU.v4[dev],
    addresses: hostAddresses(dev, site),
  }));
  await startOpenVswitch(site, folder, networks);
}

/** Segments that the site's TCP sent, and those that it sent again. */
async function segments(site: Site): Promise<{ readonly sent: number; readonly again: number }> {
  const [names, values] = (await site.exec(['cat', '/proc/net/snmp']))
    .split('\n')
    .filter((it) => it.startsWith('Tcp:'));
  const value = (name: string): number => Number(values!.split(' ')[names!.split(' ').indexOf(name)]);
  return { sent: value('OutSegs'), again: value('RetransSegs') };
}

/** TCP one way, every byte checked, and most of it sent once. */
async function transfer(from: Site, to: Site, address: string, limits = LIMITS): Promise<void> {
  const before = await segments(from);
  await from.transfer(to, address, TRANSFER_BYTES, { timeoutMs: TRANSFER_MS });
  const after = await segments(from);
  const again = after.again - before.again;
  const sent = after.sent - before.sent;
  expect(again, `segments of ${sent} sent again from ${from.name} to ${address}`).toBeLessThanOrEqual(
    Math.max(PROBES, sent * limits.again),
  );
}

/** UDP one way, of sizes from the smallest to the MTU's, in bursts that a host gives as one. */
async function datagrams(from: Site, to: Site, address: string, mtu: number, limits = LIMITS): Promise<void> {
  const headers = address.includes(':') ? 48 : 28;
  const sizes = [4, 512, 1200, mtu - headers].map(String);
  const count = String(limits.burst);
  const receiver = to.spawn([process.execPath, DATAGRAMS, 'receive', address, count, ...sizes]);
  const port = (await receiver.line(/^port \d+/)).split(' ')[1]!;
  await from.exec([process.execPath, DATAGRAMS, 'send', address, port, count, ...sizes]);
  await receiver.succeeded();
}

/** Everything between two sites, each with its number in the addresses, both ways over both families. */
function exchange(
  title: string,
  sites: () => readonly [Site, Site],
  family: Family,
  hosts: readonly { readonly title: string; readonly off: readonly (0 | 1)[] }[],
  limits = LIMITS,
): void {
  const both = (dev: Dev): (readonly [Site, Site, string])[] => {
    const [a, b] = sites();
    return [
      [a, b, hostV4(dev, b)],
      [b, a, hostV4(dev, a)],
      [a, b, hostV6(dev, b)],
      [b, a, hostV6(dev, a)],
    ];
  };

  describe(title, () => {
    for (const { dev } of NETWORKS) {
      const mtu = MTU[family][dev];
      it(`carry pings as large as an MTU of ${mtu}, and UDP of every size, each way over IPv4 and IPv6`, async () => {
        for (const [from, , address] of both(dev)) {
          const size = mtu - (address.includes(':') ? 48 : 28);
          expect(await from.ping(address, { count: 2 })).toMatchObject({ received: 2 });
          expect(await from.ping(address, { count: 2, size })).toMatchObject({ received: 2 });
        }
        await Promise.all(both(dev).map(([from, to, address]) => datagrams(from, to, address, mtu, limits)));
      });
    }

    for (const { title: how, off } of hosts) {
      it(`carry TCP each way over IPv4 and IPv6, ${how}`, async () => {
        for (const [i, site] of sites().entries()) {
          if (hosts.length === 1) continue;
          const wanted = off.includes(i as 0 | 1) ? 'off' : 'on';
          await site.exec([process.execPath, OFFLOADS, wanted, ...NETWORKS.map(({ dev }) => dev)]);
        }
        for (const { dev } of NETWORKS)
          for (const [from, to, address] of both(dev)) await transfer(from, to, address, limits);
      });
    }
  });
}

const ON = { title: 'all offloads on', off: [] } as const;
const ON_AND_OFF = [
  ON,
  { title: 'the first host’s offloads off', off: [0] },
  { title: 'the second host’s offloads off', off: [1] },
  { title: 'both hosts’ offloads off', off: [0, 1] },
] as const;

describeTapLab('over an IPv4 underlay', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;
  let kernel: Site;
  let ovs: Site;

  beforeAll(async () => {
    lab = await createLab({ mtu: 9000 });
    [a, b, kernel, ovs] = (await lab.sites('a', 'b', 'kernel', 'ovs')) as [Site, Site, Site, Site];
    await Promise.all([startAgent(a, 'v4', [b, kernel, ovs]), startAgent(b, 'v4', [a]), startKernel(kernel, 'v4', a)]);
  });
  afterAll(() => lab.dispose());

  exchange('an agent and another', () => [a, b], 'v4', ON_AND_OFF);
  exchange('an agent and the kernel’s VXLAN', () => [a, kernel], 'v4', ON_AND_OFF);

  it('the kernel’s VXLAN that has to finish all by itself is understood as well', async () => {
    await kernel.exec([process.execPath, OFFLOADS, 'off', UNDERLAY_DEV]);
    for (const { dev } of NETWORKS) {
      await transfer(kernel, a, hostV4(dev, a));
      await transfer(a, kernel, hostV6(dev, kernel));
      await datagrams(kernel, a, hostV4(dev, a), MTU.v4[dev]);
    }
  });

  const withSwitch = missingOpenVswitch ? describe.skip : describe;
  withSwitch(missingOpenVswitch ? '[skipped, missing: the package openvswitch-switch]' : 'with Open vSwitch', () => {
    beforeAll(async () => {
      // It reads the wire as a network card would give it: what a veth pair leaves undone it takes for a broken outer checksum.
      await a.exec([process.execPath, OFFLOADS, 'off', UNDERLAY_DEV]);
      await startSwitch(ovs, a, lab.folder);
      // Its first packets to a VTEP are lost, while it asks for that one's MAC.
      for (const { dev } of NETWORKS) {
        const passes = async () => (await ovs.ping(hostV4(dev, a), { count: 1, timeoutMs: 200 })).received > 0;
        await until('Open vSwitch to know its way', passes);
      }
    });

    exchange('an agent and Open vSwitch', () => [a, ovs], 'v4', [ON], SWITCH_LIMITS);
  });
});

describeTapLab('over an IPv6 underlay', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;
  let kernel: Site;

  beforeAll(async () => {
    lab = await createLab({ mtu: 9000 });
    [a, b, kernel] = (await lab.sites('a', 'b', 'kernel')) as [Site, Site, Site];
    await Promise.all([startAgent(a, 'v6', [b, kernel]), startAgent(b, 'v6', [a]), startKernel(kernel, 'v6', a)]);
  });
  afterAll(() => lab.dispose());

  exchange('an agent and another', () => [a, b], 'v6', [ON]);
  exchange('an agent and the kernel’s VXLAN', () => [a, kernel], 'v6', [ON]);
});
