/** What every data path promises, on sites of either and on both together: they speak the same VXLAN, so a fleet may mix them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import type { Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { concat } from '../agent/bytes.ts';
import { ethernet, ipv4, udp } from '../agent/frames.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { untilCounters, VXLAN_PORT } from './agents.ts';
import { datapathLacks } from './lacks.ts';

type Kind = 'userspace' | 'kernel';

const BLUE = 901;
const RED = 902;
const STRICT = 903;
const NOBODYS = 904;
const DATAGRAMS = fileURLToPath(new URL('./datagrams.ts', import.meta.url));
const TRANSFER_BYTES = 4_000_000;
const MARK = Uint8Array.of(0xba, 0x5e, 0xd0, 0x0d);
const BROADCAST = 0xffffffffffff;
const GHOST = 0x02_00_00_00_00_99;

describeTapLab('three sites', () => {
  for (const kinds of [
    ['kernel', 'kernel', 'kernel'],
    ['userspace', 'userspace', 'userspace'],
    ['kernel', 'userspace', 'kernel'],
  ] as const) {
    const lacks = kinds.includes('kernel' as never) ? datapathLacks() : null;
    const title = `of which the first is carried by the ${kinds[0]} and the second by the ${kinds[1]}`;
    if (lacks !== null) describe.skip(`${title} [skipped, missing: ${lacks}]`, () => undefined);
    else describe(title, () => behave(kinds));
  }
});

function behave(kinds: readonly [Kind, Kind, Kind]): void {
  let lab: Lab;
  let sites: [Site, Site, Site];
  let stranger: Site;
  const agents: Program[] = [];

  beforeAll(async () => {
    lab = await createLab();
    sites = (await lab.sites('a', 'b', 'c')) as [Site, Site, Site];
    stranger = await lab.site('stranger');
    for (const i of [0, 1, 2]) await start(i);
  });
  afterAll(() => lab.dispose());

  /** Blue and red at all three; a strict one, whose MACs the table does not have, at the first two. */
  function tableOf(i: number, antiSpoof: 'vtep' | 'strict' = 'vtep') {
    const peers = sites.filter((_, j) => j !== i).map(({ v4 }) => ({ address: v4 }));
    const port = (name: string) => ({ type: 'host', name });
    return {
      vtep: { address: sites[i]!.v4 },
      networks: [
        { vni: BLUE, port: port('blue'), vteps: peers, antiSpoof },
        { vni: RED, port: port('red'), vteps: peers },
        ...(i < 2
          ? [{ vni: STRICT, port: port('strict'), vteps: [{ address: sites[1 - i]!.v4 }], antiSpoof: 'strict' }]
          : []),
      ],
    };
  }

  async function start(i: number): Promise<void> {
    agents[i] = await sites[i]!.agent({ config: tableOf(i), datapath: kinds[i]! });
    await sites[i]!.ip(
      `address replace 192.168.9.${i + 1}/24 dev blue`,
      `address replace fd09::${i + 1}/64 dev blue nodad`,
      `address replace 192.168.10.${i + 1}/24 dev red`,
      ...(i < 2 ? [`address replace 192.168.11.${i + 1}/24 dev strict`] : []),
    );
  }

  it('answer each other’s ARP, neighbour solicitations and pings', async () => {
    for (const [i, site] of sites.entries()) {
      for (const j of [1, 2, 3].filter((n) => n !== i + 1)) {
        expect(await site.ping(`192.168.9.${j}`, { count: 2 })).toMatchObject({ received: 2 });
        expect(await site.ping(`fd09::${j}`, { count: 2 })).toMatchObject({ received: 2 });
      }
    }
  });

  it('carry pings as large as the MTU, and TCP both ways over IPv4 and IPv6, byte for byte', async () => {
    const [a, b] = sites;
    expect(await a.ping('192.168.9.2', { size: 1450 - 28, count: 2 })).toMatchObject({ received: 2 });
    expect(await b.ping('fd09::1', { size: 1450 - 48, count: 2 })).toMatchObject({ received: 2 });
    await a.transfer(b, '192.168.9.2', TRANSFER_BYTES);
    await b.transfer(a, '192.168.9.1', TRANSFER_BYTES);
    await a.transfer(b, 'fd09::2', TRANSFER_BYTES);
    await b.transfer(a, 'fd09::1', TRANSFER_BYTES);
  });

  it('carry a broadcast from any one to both others, once, and never back, nor into another network', async () => {
    for (const [i, from] of sites.entries()) {
      const blue = await Promise.all(sites.map((site) => site.sniff('blue', { contains: MARK })));
      const red = await Promise.all(sites.map((site) => site.sniff('red', { contains: MARK })));
      await from.send('192.168.9.255', 9, [MARK], { from: `192.168.9.${i + 1}` });
      // A ping after it, so that what was to come has come.
      for (const j of [1, 2, 3].filter((n) => n !== i + 1)) {
        await from.ping(`192.168.9.${j}`, { count: 1 });
        await from.ping(`192.168.10.${j}`, { count: 1 });
      }
      for (const [j, sniffer] of blue.entries()) {
        const directions = (await sniffer.stop()).map(({ direction }) => direction);
        expect({ at: j, directions }).toEqual({ at: j, directions: [i === j ? 'out' : 'in'] });
      }
      for (const sniffer of red) expect((await sniffer.stop()).length).toBe(0);
    }
  });

  /** A frame that the host behind the agent would see if it were let through. */
  const frame = ethernet(BROADCAST, GHOST, 0x0800, ipv4(udp({ payload: MARK })));

  it('drop and count what an unlisted VTEP sends, whichever network it names', async () => {
    for (const i of [0, 1]) {
      const site = sites[i]!;
      const sniffer = await site.sniff('blue', { contains: MARK });
      await stranger.send(site.v4, VXLAN_PORT, [vxlan(BLUE, frame), vxlan(BLUE, frame)], { from: stranger.v4 });
      await untilCounters(site, lab, 'strangers', (said) => counterOf(said, BLUE, 'dropUnlistedVtep') === 2);
      expect((await sniffer.stop()).length).toBe(0);
    }
  });

  it('take from a listed VTEP the frames of its own networks only', async () => {
    const [a, , c] = sites;
    const blue = await a.sniff('blue', { contains: MARK });
    const strict = await a.sniff('strict', { contains: MARK });
    await c.send(a.v4, VXLAN_PORT, [vxlan(STRICT, frame), vxlan(BLUE, frame)], { from: c.v4 });
    await blue.frame(() => true);
    await blue.stop();
    expect((await strict.stop()).length).toBe(0);
    await untilCounters(a, lab, 'one', (said) => counterOf(said, STRICT, 'dropUnlistedVtep') === 1);
  });

  it('judge each datagram of a train that comes whole, as one from the same machine does', async () => {
    const [a, , c] = sites;
    const blue = await a.sniff('blue', { contains: MARK });
    const strict = await a.sniff('strict', { contains: MARK });
    // The kernel tells a VTEP that is not a strict network's from a spoofed source only where it stands first.
    const dropped = (said: Counters) =>
      counterOf(said, STRICT, 'dropUnlistedVtep') + counterOf(said, STRICT, 'dropSpoofedSource');
    const before = dropped(await untilCounters(a, lab, 'any', () => true));
    // The first is what c may send, or of a network that a does not carry.
    for (const vnis of [
      [BLUE, STRICT, BLUE],
      [NOBODYS, STRICT],
    ]) {
      const train = vnis.map((vni) => Buffer.from(vxlan(vni, frame)).toString('hex'));
      await c.exec([process.execPath, DATAGRAMS, 'train', a.v4, String(VXLAN_PORT), ...train]);
    }
    await untilCounters(a, lab, 'two more', (said) => dropped(said) === before + 2);
    await blue.frame(() => true);
    expect((await blue.stop()).length).toBe(2);
    expect((await strict.stop()).length).toBe(0);
  });

  it('with strict anti-spoofing drop and count a source that the registry does not have there', async () => {
    const [a, b] = sites;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const sniffer = await to.sniff('strict', { contains: MARK });
      await from.send(to.v4, VXLAN_PORT, [vxlan(STRICT, frame)], { from: from.v4 });
      await untilCounters(to, lab, 'a spoofed source', (said) => counterOf(said, STRICT, 'dropSpoofedSource') >= 1);
      expect((await sniffer.stop()).length).toBe(0);
    }
  });

  it('count what passes, by network and by peer', async () => {
    const [a] = sites;
    const read = async () => (await untilCounters(a, lab, 'any', () => true)).networks.find(({ vni }) => vni === BLUE)!;
    const before = (await read()).counters;
    await a.ping('192.168.9.2', { count: 5 });
    await untilCounters(a, lab, 'five frames each way', (said) => {
      const passed = (name: string) => counterOf(said, BLUE, name) - before[name]!;
      return passed('vtepTxFrames') >= 5 && passed('vtepRxFrames') >= 5 && passed('vtepTxBytes') >= 5 * 98;
    });
  });

  it('adopt what stands after kill -9, and pass frames again; the kernel’s never cease to', async () => {
    for (const i of [0, 1]) {
      const [other] = sites.filter((_, j) => j === 2);
      const ping = other!.startPing(`192.168.9.${i + 1}`, { intervalMs: 10 });
      const index = (await sites[i]!.link('blue')).ifindex;
      agents[i]!.child.kill('SIGKILL');
      await agents[i]!.ended;
      agents[i] = await sites[i]!.agent({ config: tableOf(i), datapath: kinds[i]! });
      await until('a ping to pass', async () => (await other!.ping(`192.168.9.${i + 1}`, { count: 1 })).received === 1);
      const { sent, received } = await ping.stop();
      expect((await sites[i]!.link('blue')).ifindex).toBe(index);
      expect(sent).toBeGreaterThan(10);
      // The last of them may be under way.
      if (kinds[i] === 'kernel') expect(sent - received).toBeLessThanOrEqual(1);
    }
  });

  it('cease to carry a network that leaves the table, and keep the other', async () => {
    const { vtep, networks } = tableOf(1);
    const file = join(lab.folder, 'b.json');
    await writeFile(file, JSON.stringify({ vtep, networks: networks.filter(({ vni }) => vni !== BLUE) }));
    agents[1]!.child.kill('SIGHUP');
    await until('the interface to go', async () => !(await sites[1].exec(['ip', '-o', 'link'])).includes(' blue'));
    expect(await sites[0].ping('192.168.9.2', { count: 1, timeoutMs: 200 })).toMatchObject({ received: 0 });
    expect(await sites[0].ping('192.168.10.2', { count: 2 })).toMatchObject({ received: 2 });
  });

  it('leave nothing behind when they are stopped', async () => {
    for (const [i, site] of sites.entries()) {
      expect(await agents[i]!.stop()).toMatchObject({ code: 0 });
      const links = await site.exec(['ip', '-o', 'link']);
      expect(links.split('\n').map((line) => line.split(':')[1]!.trim().split('@')[0])).toEqual(['lo', 'underlay']);
      if (kinds[i] === 'kernel') expect(await site.exec(['nft', 'list', 'ruleset'])).toBe('');
    }
  });
}

type Counters = Awaited<ReturnType<typeof untilCounters>>;

function counterOf(said: Counters, vni: number, name: string): number {
  return said.networks.find((network) => network.vni === vni)?.counters[name] ?? 0;
}

function vxlan(vni: number, inner: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(8, 0, 0, 0, vni >>> 16, (vni >>> 8) & 0xff, vni & 0xff, 0), inner);
}
