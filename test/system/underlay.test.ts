/** What our agent puts on the underlay, seen on the wire: RFC 7348's rules for the outer headers. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPorts } from '../../agent/wire/udp.ts';
import { hasVni, readVni } from '../../agent/wire/vxlan.ts';
import type { Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { config, startAgent, VXLAN_PORT } from './agents.ts';

const VNI = 0xabcdef;
const OUTER_IP = 14;
const OUTER_UDP = OUTER_IP + 20;
const VXLAN = OUTER_UDP + 8;
const INNER_IP = VXLAN + 8 + 14;

describeTapLab('a datagram of the agent', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;

  beforeAll(async () => {
    lab = await createLab();
    [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    // A wire that takes one datagram at a time, so that trains are seen as what they are cut into.
    for (const site of [a, b]) await site.ip('link set underlay gso_max_segs 1');
    await Promise.all([
      startAgent(a, config(a.v4, VNI, [b.v4]), '192.168.9.1/24'),
      startAgent(b, config(b.v4, VNI, [a.v4]), '192.168.9.2/24'),
    ]);
  });
  afterAll(() => lab.dispose());

  it('has DF set, a source port of the dynamic range and only the I flag and the VNI in its header', async () => {
    const sniffer = await b.sniff('underlay', { contains: Uint8Array.of(8, 0, 0, 0, 0xab, 0xcd, 0xef, 0) });
    await a.ping('192.168.9.2', { count: 1 });
    const { view } = await sniffer.frame(({ direction }) => direction === 'in');
    await sniffer.stop();
    expect(view.getUint16(OUTER_IP + 6)).toBe(0x4000);
    expect(view.getUint16(OUTER_UDP)).toBeGreaterThanOrEqual(49_152);
    expect(view.getUint16(OUTER_UDP + 2)).toBe(VXLAN_PORT);
    expect([view.getUint32(VXLAN), view.getUint32(VXLAN + 4)]).toEqual([0x0800_0000, (VNI << 8) >>> 0]);
    expect(hasVni(view, VXLAN)).toBe(true);
    expect(readVni(view, VXLAN)).toBe(VNI);
  });

  it('keeps the source port of its flow, and different flows have different ones', async () => {
    const sniffer = await b.sniff('underlay', { contains: Uint8Array.of(0xf1, 0x0a, 0xf1, 0x0a) });
    const flows = 24;
    const perFlow = 3;
    for (let flow = 0; flow < flows; flow++) {
      const payload = Uint8Array.of(0xf1, 0x0a, 0xf1, 0x0a, flow);
      await a.send(
        '192.168.9.2',
        7,
        Array.from({ length: perFlow }, () => payload),
        { fromPort: 20_000 + flow },
      );
    }
    const arrived = () => sniffer.frames.filter(({ direction }) => direction === 'in');
    await sniffer.frame(() => arrived().length >= flows * perFlow);
    await sniffer.stop();
    const outerByInner = new Map<number, Set<number>>();
    for (const { view } of arrived()) {
      const inner = readPorts(view, INNER_IP + 20) >>> 16;
      const outer = readPorts(view, OUTER_UDP) >>> 16;
      outerByInner.set(inner, (outerByInner.get(inner) ?? new Set()).add(outer));
    }
    expect(outerByInner.size).toBe(flows);
    for (const outer of outerByInner.values()) expect(outer.size).toBe(1);
    // 24 flows over 16 ports leave few unused: fewer than 6 different ones would be no spread.
    expect(new Set([...outerByInner.values()].map((outer) => [...outer][0])).size).toBeGreaterThanOrEqual(6);
  });

  it('never exceeds the underlay’s MTU: the port’s MTU leaves room for the outer headers', async () => {
    expect(await a.link('tap')).toMatchObject({ mtu: 1450 });
    const sniffer = await b.sniff('underlay');
    await a.transfer(b, '192.168.9.2', 1_000_000);
    const frames = (await sniffer.stop()).filter(({ direction }) => direction === 'in');
    expect(frames.length).toBeGreaterThan(100);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(1500 + 14);
  });
});

describeTapLab('an agent whose network asks for more than the underlay leaves', () => {
  it('lowers the port’s MTU to 1450 over IPv4 and 1430 over IPv6', async () => {
    await using lab = await createLab();
    const [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    await startAgent(a, config(a.v4, VNI, [b.v4], 9000));
    await startAgent(b, config(b.v6, VNI, [a.v6], 9000));
    expect(await a.link('tap')).toMatchObject({ mtu: 1450 });
    expect(await b.link('tap')).toMatchObject({ mtu: 1430 });
  });
});
