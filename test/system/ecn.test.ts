/** Congestion marks between inner and outer headers, with the kernel's VXLAN and another agent at the other end, and the MSS clamp. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ECN_MASK, ECT_0 } from '../../agent/wire/ecn.ts';
import type { Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { missingProgram } from '../lab/missing-program.ts';
import { config, counters, type SaidCounters, startAgent, untilCounters } from './agents.ts';

const VNI = 0xabcdef;
const BYTES = 3_000_000;
const ADDRESS = { a: '192.168.9.1', b: '192.168.9.2', c: '192.168.9.3' };
/** Behind the outer Ethernet header. */
const OUTER_TOS = 15;
/** A VXLAN header. */
const OF_NETWORK = Uint8Array.of(8, 0, 0, 0, 0xab, 0xcd, 0xef, 0);

const nft = missingProgram('nft', 'nftables');

describeTapLab('TCP that negotiated ECN', () => {
  let lab: Lab;
  let sites: Record<'a' | 'b' | 'c', Site>;

  beforeAll(async () => {
    lab = await createLab();
    const [a, b, c] = (await lab.sites('a', 'b', 'c')) as [Site, Site, Site];
    sites = { a, b, c };
    for (const site of [a, b, c]) await site.exec(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/tcp_ecn']);
    await b.kernelVxlan({ dev: 'vx', vni: VNI, remotes: [a.v4, c.v4], addresses: [`${ADDRESS.b}/24`], mtu: 1450 });
    await startAgent(a, { ...config(a.v4, VNI, [b.v4, c.v4]), clampMss: true }, `${ADDRESS.a}/24`);
    await startAgent(c, config(c.v4, VNI, [a.v4, b.v4]), `${ADDRESS.c}/24`);
  });
  afterAll(() => lab.dispose());

  it.each([
    ['our agent', 'a', 'b'],
    ['the kernel', 'b', 'a'],
  ] as const)('is ECN-capable on the underlay where %s sends it', async (_who, from, to) => {
    const sniffer = await sites[from].sniff('underlay', { contains: OF_NETWORK, snap: 128 });
    await sites[from].transfer(sites[to], ADDRESS[to], BYTES);
    const sent = (await sniffer.stop()).filter(({ direction, length }) => direction === 'out' && length > 1000);
    expect(sent.length).toBeGreaterThan(0);
    for (const { view } of sent) expect(view.getUint8(OUTER_TOS) & ECN_MASK).toBe(ECT_0);
  });

  it.skipIf(nft !== null).each([
    ['from our agent to the kernel', 'a', 'b'],
    ['from the kernel to our agent', 'b', 'a'],
    ['from one of our agents to another', 'a', 'c'],
  ] as const)(`is told of congestion on the underlay, and arrives whole: %s${nft ?? ''}`, async (_path, from, to) => {
    const marking = 'add table ip congestion; add chain ip congestion out { type filter hook output priority 0; };';
    const rule = 'add rule ip congestion out udp dport 4789 ip ecn != not-ect ip ecn set ce';
    await sites[from].exec(['nft', `${marking} ${rule}`]);
    try {
      const before = deliveredMarked(await netstat(sites[from]));
      const marked = to === 'b' ? 0 : markedFrames(await counters(sites[to], lab));
      await sites[from].transfer(sites[to], ADDRESS[to], BYTES);
      // The receiver saw the mark, and its acknowledgments said so.
      expect(deliveredMarked(await netstat(sites[from]))).toBeGreaterThan(before);
      if (to === 'b') return;
      await untilCounters(sites[to], lab, 'marked frames', (said) => markedFrames(said) > marked);
    } finally {
      await sites[from].exec(['nft', 'delete table ip congestion']);
    }
  });

  it('has the MSS that the network carries, whatever its ends would have, where the agent is to see to it', async () => {
    // So that the host thinks that more fits, and says so in its SYN.
    await sites.b.ip('link set vx mtu 1480');
    const sniffer = await sites.a.sniff('tap', { snap: 128 });
    await sites.b.transfer(sites.a, ADDRESS.a, 1000);
    const syn = await sniffer.frame(({ view, length, direction }) => {
      const isTcp = length >= 54 && view.getUint16(12) === 0x0800 && view.getUint8(23) === 6;
      return direction === 'in' && isTcp && (view.getUint8(47) & 0x12) === 0x02;
    });
    await sniffer.stop();
    expect([syn.view.getUint16(54), syn.view.getUint16(56)]).toEqual([0x0204, 1450 - 40]);
    const said = await counters(sites.a, lab);
    expect(said.networks[0]!.counters.mssClamped).toBeGreaterThan(0);
  });
});

function markedFrames({ networks }: SaidCounters): number {
  return networks[0]?.counters.ecnMarkedFrames ?? 0;
}

/** `TcpExt` of a namespace, by name. */
async function netstat(site: Site): Promise<Record<string, number>> {
  const lines = (await site.exec(['cat', '/proc/net/netstat'])).split('\n');
  const [names = '', values = ''] = lines.filter((line) => line.startsWith('TcpExt:'));
  const numbers = values.split(' ').map(Number);
  return Object.fromEntries(names.split(' ').map((name, i) => [name, numbers[i] ?? 0]));
}

function deliveredMarked(said: Record<string, number>): number {
  return said.TCPDeliveredCE ?? 0;
}
