/** The lab itself: what the kernel's own VXLAN does in it is what we know to be right. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, readEtherType } from '../../agent/wire/ethernet.ts';
import { ICMP_ECHO_REQUEST, readIcmpType } from '../../agent/wire/icmp.ts';
import { IPV4_MIN_LENGTH, PROTOCOL_ICMP, PROTOCOL_UDP, readIpv4Protocol } from '../../agent/wire/ipv4.ts';
import { readPorts, UDP_HEADER_LENGTH } from '../../agent/wire/udp.ts';
import { hasVni, readVni, VXLAN_HEADER_LENGTH } from '../../agent/wire/vxlan.ts';
import type { Site } from '../../demo/lab/site.ts';
import type { Frame } from '../../demo/lab/sniffer.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeLab } from '../lab/describe-lab.ts';

const VNI = 0xabcdef;
const VXLAN_PORT = 4789;
const TRANSFER_BYTES = 20_000_000;

const OUTER_IP = ETHERNET_HEADER_LENGTH;
const OUTER_UDP = OUTER_IP + IPV4_MIN_LENGTH;
const VXLAN = OUTER_UDP + UDP_HEADER_LENGTH;
const INNER = VXLAN + VXLAN_HEADER_LENGTH;
const INNER_IP = INNER + ETHERNET_HEADER_LENGTH;
const INNER_ICMP = INNER_IP + IPV4_MIN_LENGTH;

describeLab('two sites with the kernel’s VXLAN between them', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;

  beforeAll(async () => {
    lab = await createLab();
    [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    const vxlan = { dev: 'vx', vni: VNI };
    await a.kernelVxlan({ ...vxlan, remotes: [b.v4], addresses: ['192.168.9.1/24', 'fd09::1/64'] });
    await b.kernelVxlan({ ...vxlan, remotes: [a.v4], addresses: ['192.168.9.2/24', 'fd09::2/64'] });
  });
  afterAll(() => lab.dispose());

  it('answer each other’s pings over IPv4 and IPv6, each with a round trip above zero', async () => {
    for (const [from, to] of [
      [a, '192.168.9.2'],
      [b, '192.168.9.1'],
      [a, 'fd09::2'],
      [b, 'fd09::1'],
    ] as const) {
      const { rttsMs } = await from.ping(to);
      expect(rttsMs).toHaveLength(5);
      for (const rttMs of rttsMs) expect(rttMs).toBeGreaterThan(0);
    }
  });

  it('get no answer from an address that nobody has', async () => {
    const { sent, received } = await a.ping('192.168.9.3', { count: 2, timeoutMs: 100 });
    expect({ sent, received }).toEqual({ sent: 2, received: 0 });
  });

  it('carry 20 MB of TCP over IPv4 and IPv6, byte for byte', async () => {
    expect(await a.transfer(b, '192.168.9.2', TRANSFER_BYTES)).toMatchObject({ bytes: TRANSFER_BYTES });
    expect(await b.transfer(a, 'fd09::1', TRANSFER_BYTES)).toMatchObject({ bytes: TRANSFER_BYTES });
  });

  it('put on the underlay what our codecs read as a ping in VXLAN', async () => {
    const sniffer = await b.sniff('underlay');
    await a.ping('192.168.9.2', { count: 1 });
    const frame = await sniffer.frame(isVxlanPing);
    await sniffer.stop();
    expect(frame.direction).toBe('in');
    expect(readPorts(frame.view, OUTER_UDP) & 0xffff).toBe(VXLAN_PORT);
    expect(hasVni(frame.view, VXLAN)).toBe(true);
    expect(readVni(frame.view, VXLAN)).toBe(VNI);
  });

  it('receive a datagram just as it was made by hand, from the port that it was to come from', async () => {
    const payload = Uint8Array.of(0x0d, 0xec, 0x0d, 0xed, 0xfa, 0xce);
    const sniffer = await b.sniff('underlay', { contains: payload });
    await a.send(b.v4, 4444, [payload], { from: a.v4, fromPort: 4443 });
    const frame = await sniffer.frame(() => true);
    await sniffer.stop();
    expect(readPorts(frame.view, OUTER_UDP)).toBe(4443 * 0x1_0000 + 4444);
    expect(frame.bytes.subarray(VXLAN)).toEqual(payload);
  });
});

function isVxlanPing({ view, length }: Frame): boolean {
  return (
    length > INNER_ICMP &&
    readEtherType(view, 0) === ETHERTYPE_IPV4 &&
    readIpv4Protocol(view, OUTER_IP) === PROTOCOL_UDP &&
    readEtherType(view, INNER) === ETHERTYPE_IPV4 &&
    readIpv4Protocol(view, INNER_IP) === PROTOCOL_ICMP &&
    readIcmpType(view, INNER_ICMP) === ICMP_ECHO_REQUEST
  );
}
