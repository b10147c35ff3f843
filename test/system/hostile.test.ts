/** What a stranger, a broken peer or a neighbour on the underlay may send: dropped, counted, and the agent goes on. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { concat } from '../agent/bytes.ts';
import { ethernet, ipv4, udp } from '../agent/frames.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { config, startAgent, untilCounters, VXLAN_PORT } from './agents.ts';

const VNI = 9;
const BROADCAST = 0xffffffffffff;
const MARK = Uint8Array.of(0xba, 0xdf, 0x00, 0xd5);

describeTapLab('an agent', () => {
  let lab: Lab;
  let agent: Site;
  let peer: Site;
  let stranger: Site;

  beforeAll(async () => {
    lab = await createLab();
    [agent, peer, stranger] = (await lab.sites('agent', 'peer', 'stranger')) as [Site, Site, Site];
    await peer.kernelVxlan({ dev: 'vx', vni: VNI, remotes: [agent.v4], addresses: ['192.168.9.2/24'] });
    await startAgent(agent, config(agent.v4, VNI, [peer.v4]), '192.168.9.1/24');
  });
  afterAll(() => lab.dispose());

  /** A frame that the host behind the agent would see if it were let through. */
  const frame = ethernet(BROADCAST, 0x02_00_00_00_00_99, 0x0800, ipv4(udp({ payload: MARK })));

  async function sendAndExpect(
    from: Site,
    payloads: readonly Uint8Array[],
    where: 'agent' | 'network',
    counter: string,
  ): Promise<void> {
    const read = (said: Awaited<ReturnType<typeof untilCounters>>): number =>
      (where === 'agent' ? said.agent[counter] : said.networks.find(({ vni }) => vni === VNI)?.counters[counter]) ?? 0;
    const before = read(await untilCounters(agent, lab, counter, () => true));
    const sniffer = await agent.sniff('tap', { contains: MARK });
    await from.send(agent.v4, VXLAN_PORT, payloads, { from: from.v4 });
    await untilCounters(agent, lab, counter, (said) => read(said) === before + payloads.length);
    // Still forwarding, and nothing of it came out.
    expect(await peer.ping('192.168.9.1', { count: 2 })).toMatchObject({ received: 2 });
    expect((await sniffer.stop()).length).toBe(0);
  }

  it('lets a well-made frame of a listed VTEP through: the others are dropped for what is wrong with them', async () => {
    const sniffer = await agent.sniff('tap', { contains: MARK });
    await peer.send(agent.v4, VXLAN_PORT, [vxlan(VNI, frame)], { from: peer.v4 });
    await sniffer.frame(() => true);
    await sniffer.stop();
  });

  it('drops and counts a frame of the right VNI from an unlisted address', async () => {
    await sendAndExpect(stranger, [vxlan(VNI, frame)], 'network', 'dropUnlistedVtep');
  });

  it('drops and counts a frame of a VNI that it does not carry', async () => {
    await sendAndExpect(peer, [vxlan(VNI + 1, frame)], 'agent', 'dropUnknownVni');
  });

  it('drops and counts a frame without the I flag', async () => {
    await sendAndExpect(peer, [vxlan(VNI, frame, 0x00), vxlan(VNI, frame, 0xf7)], 'agent', 'dropNoVniFlag');
  });

  it('drops and counts a truncated VXLAN header, even an empty datagram', async () => {
    const headers = [0, 1, 4, 7].map((length) => vxlan(VNI, frame).subarray(0, length));
    await sendAndExpect(peer, headers, 'agent', 'dropTruncatedHeader');
  });

  it('drops and counts an inner frame shorter than an Ethernet header', async () => {
    await sendAndExpect(peer, [vxlan(VNI, frame.subarray(0, 13)), vxlan(VNI, MARK)], 'network', 'dropInnerRunt');
  });

  it('drops and counts an inner frame with a VLAN tag', async () => {
    const tagged = ethernet(
      BROADCAST,
      0x02_00_00_00_00_99,
      0x8100,
      concat(Uint8Array.of(0, 5, 8, 0), frame.subarray(14)),
    );
    await sendAndExpect(peer, [vxlan(VNI, tagged)], 'network', 'dropInnerVlan');
  });

  it('drops and counts an inner frame from a group address', async () => {
    const bad = ethernet(BROADCAST, 0x01_00_5e_00_00_01, 0x0800, ipv4(udp({ payload: MARK })));
    await sendAndExpect(peer, [vxlan(VNI, bad)], 'network', 'dropBadSource');
  });

  it('survives datagrams of up to 64 KiB of garbage from anyone, and forwards on', async () => {
    const garbage = Array.from(
      { length: 200 },
      (_, i) => new Uint8Array(randomBytes(Math.min(65_507, (i * 331) % 66_000))),
    );
    const framed = garbage.map((bytes) => vxlan(VNI, bytes).subarray(0, 65_507));
    for (const from of [stranger, peer]) {
      await from.send(agent.v4, VXLAN_PORT, garbage, { from: from.v4 });
      await from.send(agent.v4, VXLAN_PORT, framed, { from: from.v4 });
    }
    expect(await peer.ping('192.168.9.1', { count: 3 })).toMatchObject({ received: 3 });
    await peer.transfer(agent, '192.168.9.1', 1_000_000);
  });
});

function vxlan(vni: number, inner: Uint8Array, flags = 0x08): Uint8Array {
  return concat(Uint8Array.of(flags, 0, 0, 0, vni >>> 16, (vni >>> 8) & 0xff, vni & 0xff, 0), inner);
}
