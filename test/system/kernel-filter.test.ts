/** What the kernel's filter lets in, and what it keeps apart. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { macText } from '../../agent/sys/neighbor-message.ts';
import { PROBE_LENGTH, writeProbe } from '../../agent/wire/probe.ts';
import { AGENT_ARGV, type Site, UNDERLAY_DEV } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import type { Lab } from '../../demo/lab.ts';
import { parseMac } from '../../src/contract/mac.ts';
import { ethernet, ipv4, udp } from '../agent/frames.ts';
import { untilCounters } from './agents.ts';
import { describeKernelDatapath, kernelSites, MAC, VNI } from './kernel-sites.ts';

const FRAGMENTS = fileURLToPath(new URL('./fragments.ts', import.meta.url));
const DATAGRAMS = fileURLToPath(new URL('./datagrams.ts', import.meta.url));
const MARK = Uint8Array.of(0xba, 0x5e, 0xd0, 0x0d);

describeKernelDatapath('keeps', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;
  const { running, network, config, start, passes } = kernelSites((...sites) => {
    [lab, a, b] = sites;
  });

  /** A second agent of that host, which carries one network. */
  async function startSecond(address: string, green: object): Promise<void> {
    const file = join(lab.folder, 'second.json');
    await writeFile(file, JSON.stringify({ vtep: { address }, networks: [green] }));
    const other = a.spawn([...AGENT_ARGV, 'run', '--config', file, '--datapath', 'kernel']);
    running.push(other);
    await other.line(/"msg":"running"/);
  }

  it('out of a strict network what comes in a train behind an address that may speak', async () => {
    await start(config(network({ antiSpoof: 'strict' })));
    await passes();
    const sniffer = await a.sniff('blue', { contains: MARK });
    const frames = [MAC, '02:00:00:00:00:98'].map((source) => {
      const inner = ethernet(0xffffffffffff, parseMac(source)!, 0x0800, ipv4(udp({ payload: MARK })));
      return Buffer.from([8, 0, 0, 0, 0, 0, VNI, 0, ...inner]).toString('hex');
    });
    await b.exec([process.execPath, DATAGRAMS, 'train', a.v4, '4789', ...frames]);
    await untilCounters(a, lab, 'one spoofed', ({ networks }) => networks[0]!.counters.dropSpoofedSource === 1);
    const seen = await sniffer.stop();
    expect(seen.map(({ bytes }) => macText(bytes.subarray(6, 12)))).toEqual([MAC]);
  });

  it('the networks of two agents of one host, each by an address of its own', async () => {
    const [second, dev] = ['10.77.0.201', 'vx11'];
    await a.ip(`address add ${second}/24 dev ${UNDERLAY_DEV}`);
    await b.kernelVxlan({ dev, vni: 11, remotes: [second], addresses: ['192.168.11.2/24'] });
    await start();
    await startSecond(second, network({ vni: 11, port: { type: 'host', name: 'green' }, macs: [] }));
    await a.ip('address add 192.168.11.1/24 dev green');
    await passes();
    await until('a ping of the other to pass', async () => {
      return (await a.ping('192.168.11.2', { count: 1, timeoutMs: 200 })).received === 1;
    });
    await a.ip(`address del ${second}/24 dev ${UNDERLAY_DEV}`);
    await b.ip(`link del ${dev}`);
  });

  it('each of two strict agents of one host to itself, though a train comes by a VTEP that may speak with the other', async () => {
    const [second, elsewhere] = ['10.77.0.201', '10.77.0.77'];
    await a.ip(`address add ${second}/24 dev ${UNDERLAY_DEV}`);
    const strict = { antiSpoof: 'strict', vteps: [{ address: elsewhere }], macs: [{ mac: MAC, address: elsewhere }] };
    await start(config(network(strict)));
    await startSecond(second, network({ vni: 11, port: { type: 'host', name: 'green' }, antiSpoof: 'strict' }));
    const [mine, others] = [await a.sniff('blue', { contains: MARK }), await a.sniff('green', { contains: MARK })];
    const inner = ethernet(0xffffffffffff, parseMac(MAC)!, 0x0800, ipv4(udp({ payload: MARK })));
    const frames = [11, VNI].map((vni) => Buffer.from([8, 0, 0, 0, 0, 0, vni, 0, ...inner]).toString('hex'));
    await b.exec([process.execPath, DATAGRAMS, 'train', second, '4789', ...frames]);
    await others.frame(() => others.frames.length > 0);
    await untilCounters(a, lab, 'one of the train', ({ networks }) => networks[0]!.counters.dropSpoofedSource === 1);
    expect(await mine.stop()).toEqual([]);
    expect(await others.stop()).toHaveLength(1);
    await a.ip(`address del ${second}/24 dev ${UNDERLAY_DEV}`);
  });

  it('out of where probes are taken what did not come by VXLAN’s port', async () => {
    await start();
    const stranger = '10.77.0.202';
    await b.ip(`address add ${stranger}/24 dev ${UNDERLAY_DEV}`);
    const sockets = (await a.exec(['ss', '-Hlun'])).matchAll(/\s0\.0\.0\.0:(\d+)\s/g);
    const [receiver] = [...sockets].map(([, port]) => Number(port)).filter((port) => port !== 4789);
    const probe = new DataView(new ArrayBuffer(PROBE_LENGTH));
    writeProbe(probe, 0, { kind: 'ask', size: PROBE_LENGTH, nonce: 1n, port: 4789, heldMicros: 0 });
    const bytes = new Uint8Array(probe.buffer);
    await b.send(a.v4, receiver!, [bytes, bytes], { from: stranger });
    await b.send(a.v4, 4789, [bytes, bytes, bytes], { from: stranger });
    const { agent } = await untilCounters(a, lab, 'three', (said) => said.agent.dropUnlistedProbe! >= 3);
    expect(agent.dropUnlistedProbe).toBe(3);
    await b.ip(`address del ${stranger}/24 dev ${UNDERLAY_DEV}`);
  });

  it('a table over IPv6 that takes datagrams without a checksum, and sends with one', async () => {
    await b.ip('link del vx');
    await b.ip(`link add vx type vxlan id ${VNI} local ${b.v6} dstport 4789 udp6zerocsumtx udp6zerocsumrx`);
    await b.exec(['bridge', 'fdb', 'append', '00:00:00:00:00:00', 'dev', 'vx', 'dst', a.v6]);
    await b.address('vx', '192.168.9.2/24');
    await start({ vtep: { address: a.v6 }, networks: [network({ vteps: [{ address: b.v6 }], macs: [] })] });
    expect(await a.link('blue')).toMatchObject({ mtu: 1430 });
    await passes();
    await b.transfer(a, '192.168.9.1', 2_000_000);
    await a.transfer(b, '192.168.9.2', 2_000_000);
    const vxlan = (await a.link(`ovx${VNI}`)).linkinfo as { info_data: object };
    expect(vxlan.info_data).toMatchObject({ udp_zero_csum6_rx: true, udp_zero_csum6_tx: false });
    // Nor does a stranger's datagram pass the filter in fragments of which the first, which is judged, has nothing of VXLAN.
    const stranger = await lab.site('frag');
    const outside = await a.sniff(UNDERLAY_DEV, { contains: MARK });
    const inside = await a.sniff('blue', { contains: MARK });
    const header = [8, 0, 0, 0, 0, 0, VNI, 0];
    const datagram = Buffer.of(...header, ...Array(6).fill(0xff), 2, 0, 0, 0, 0, 9, 0x88, 0xb5, ...MARK);
    await stranger.exec([process.execPath, FRAGMENTS, stranger.v6, a.v6, '4789', datagram.toString('hex')]);
    await outside.frame(() => outside.frames.length === 2);
    await passes();
    expect((await inside.stop()).length).toBe(0);
    await outside.stop();
  });
});
