/** Real agents of a real gateway: what the registry says is what frames do, and what it can't say changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { VXLAN_PORT } from './agents.ts';
import { Overlay } from './overlay.ts';

const MARK = Uint8Array.of(0xde, 0x7a, 0xc4, 0xed);

describeTapLab('sites of a gateway', () => {
  let lab: Lab;
  let overlay: Overlay;
  let a: Site;
  let b: Site;
  let c: Site;
  let agentA: Program;
  let agentB: Program;

  beforeAll(async () => {
    lab = await createLab();
    overlay = new Overlay(lab);
    await overlay.start();
    [a, b, c] = (await lab.sites('a', 'b', 'c')) as [Site, Site, Site];
    await overlay.tenant('acme', 'blue');
    await overlay.tenant('rival', 'blue');
    agentA = await overlay.join('acme', a, { blue: '192.168.9.1/24' });
    agentB = await overlay.join('acme', b, { blue: '192.168.9.2/24' });
    await overlay.join('rival', c, { blue: '192.168.9.3/24' });
    await overlay.converged('acme');
    await overlay.converged('rival');
  });
  afterAll(() => lab.dispose());

  /** Waits until a ping gets through, or until none does. */
  async function untilPing(from: Site, to: string, answered: boolean): Promise<void> {
    await until(
      `${from.name} ${answered ? 'to reach' : 'not to reach'} ${to}`,
      async () => {
        const { received } = await from.ping(to, { count: 1, timeoutMs: 200 });
        return received > 0 === answered;
      },
      { timeoutMs: 20_000 },
    );
  }

  it('of one tenant reach each other; another tenant’s site with the same subnet is neither seen nor heard', async () => {
    expect(await a.ping('192.168.9.2')).toMatchObject({ received: 5 });
    expect(await a.ping('192.168.9.3', { count: 2, timeoutMs: 200 })).toMatchObject({ received: 0 });
    // Even a frame with the right VNI, from the rival's VTEP, is not let in.
    const { vni } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/blue');
    const header = Uint8Array.of(8, 0, 0, 0, vni >>> 16, (vni >>> 8) & 0xff, vni & 0xff, 0);
    const frame = Uint8Array.of(...header, ...Array(6).fill(0xff), 2, 0, 0, 0, 0, 9, 0x88, 0xb5, ...MARK);
    await until('a to count the drop', async () => {
      await c.send(a.v4, VXLAN_PORT, [frame], { from: c.v4 });
      return (await counter(a, vni, 'dropUnlistedVtep')) > 0;
    });
  });

  async function counter(site: Site, vni: number, name: string): Promise<number> {
    const said = await site.exec([...AGENT_ARGV, 'counters', '--json', '--state', overlay.stateOf(site)]);
    const { networks } = JSON.parse(said) as { networks: { vni: number; counters: Record<string, number> }[] };
    return networks.find((network) => network.vni === vni)?.counters[name] ?? 0;
  }

  it('learn of each other’s stations from the registry: ARP is answered at home, and nothing is flooded for it', async () => {
    const macs = async () => {
      const path = '/v1/tenants/acme/networks/blue/macs';
      return (await overlay.call<{ items: { ip?: string }[] }>('GET', path)).items.map(({ ip }) => ip);
    };
    await overlay.call('PATCH', '/v1/tenants/acme/networks/blue', { arpSuppression: true });
    await b.ping('192.168.9.1', { count: 1 });
    await until('the station in the registry', async () => (await macs()).includes('192.168.9.2'));
    await overlay.converged('acme');
    const { vni } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/blue');
    const arp = Uint8Array.of(0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01);
    const sniffer = await b.sniff('underlay', { contains: arp });
    const before = await counter(a, vni, 'neighborsAnswered');
    await a.ip('neighbour flush dev blue');
    expect(await a.ping('192.168.9.2', { count: 3 })).toMatchObject({ received: 3 });
    expect(await counter(a, vni, 'neighborsAnswered')).toBeGreaterThan(before);
    // By its target: a may still be asking for c, which it pinged in vain a moment ago.
    const target = Buffer.of(192, 168, 9, 2);
    const asks = (inner: Uint8Array) => Buffer.from(inner).includes(target);
    const asked = (await sniffer.stop()).filter(
      ({ direction, bytes }) => direction === 'in' && asks(bytes.subarray(64)),
    );
    expect(asked).toEqual([]);
  });

  describe('while the gateway is away', () => {
    it('carry traffic without a pause, also after an agent was killed and started again, addresses and all', async () => {
      const intervalMs = 20;
      const timeoutMs = 500;
      const stream = b.startPing('192.168.9.1', { intervalMs, timeoutMs });
      await overlay.kill();
      expect(await a.ping('192.168.9.2', { count: 20 })).toMatchObject({ received: 20 });
      const killedAt = performance.now();
      agentA.child.kill('SIGKILL');
      await agentA.ended;
      agentA = await a.agent({ state: overlay.stateOf(a) });
      const restartMs = performance.now() - killedAt;
      // The interface and its address stood all the while: nobody gave it one again.
      await untilPing(a, '192.168.9.2', true);
      expect(await b.ping('192.168.9.1', { count: 20 })).toMatchObject({ received: 20 });
      const { sent, received } = await stream.stop();
      // Only what was on its way during the restart itself is lost.
      expect(sent - received).toBeLessThanOrEqual((restartMs + timeoutMs) / intervalMs);
    });

    it('say in their status that it can’t be reached, and that the table is the last good one', async () => {
      const status = await a.exec([
        'sh',
        '-c',
        `${[...AGENT_ARGV, 'status', '--state', overlay.stateOf(a)].join(' ')} || true`,
      ]);
      expect(status).toMatch(/can't be reached|unreachable|away/i);
      expect(status).toContain('blue');
    });

    it('learn what was changed meanwhile once it is back', async () => {
      await overlay.start({ hidden: true });
      await overlay.call('PATCH', '/v1/tenants/acme/networks/blue', { mtu: 1400 });
      await overlay.kill();
      expect(await a.link('blue')).toMatchObject({ mtu: 1450 });
      await overlay.start();
      for (const site of [a, b]) {
        const shrunk = async () => (await site.link('blue')).mtu === 1400;
        await until(`the new MTU at ${site.name}`, shrunk, { timeoutMs: 60_000 });
      }
      await overlay.converged('acme');
    });
  });

  it('detached are no longer sent to, nor taken frames from, after the next pull; attached again they are', async () => {
    await overlay.call('DELETE', '/v1/tenants/acme/sites/b/networks/blue');
    await untilPing(a, '192.168.9.2', false);
    const { vni } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/blue');
    await until(
      'a to have no peer',
      async () => {
        const fdb = await a.exec([...AGENT_ARGV, 'fdb', '--json', '--state', overlay.stateOf(a)]);
        return !fdb.includes(b.v4);
      },
      { timeoutMs: 20_000 },
    );
    const sniffer = await b.sniff('underlay', {
      contains: Uint8Array.of(8, 0, 0, 0, vni >>> 16, (vni >>> 8) & 0xff, vni & 0xff, 0),
    });
    await a.ping('192.168.9.2', { count: 3, timeoutMs: 100 });
    const before = await counter(a, vni, 'dropUnlistedVtep');
    const frame = Uint8Array.of(
      8,
      0,
      0,
      0,
      vni >>> 16,
      (vni >>> 8) & 0xff,
      vni & 0xff,
      0,
      ...Array(6).fill(0xff),
      2,
      0,
      0,
      0,
      0,
      9,
      8,
      0,
    );
    await b.send(a.v4, VXLAN_PORT, [frame], { from: b.v4 });
    await until('a to count the drop', async () => (await counter(a, vni, 'dropUnlistedVtep')) === before + 1);
    expect((await sniffer.stop()).filter(({ direction }) => direction === 'in')).toEqual([]);

    const isGone = () =>
      b.exec(['ip', 'link', 'show', 'blue']).then(
        () => false,
        () => true,
      );
    await until('the interface at b to go', isGone, { timeoutMs: 20_000 });
    await overlay.call('PUT', '/v1/tenants/acme/sites/b/networks/blue', { port: { type: 'host', name: 'blue' } });
    await until('the interface at b', async () => (await b.link('blue', 20_000)) !== undefined, { timeoutMs: 20_000 });
    await b.address('blue', '192.168.9.2/24');
    await untilPing(a, '192.168.9.2', true);
  });

  it('deleted are dropped by their peers after the next pull', async () => {
    await overlay.call('DELETE', '/v1/tenants/acme/sites/b');
    await untilPing(a, '192.168.9.2', false);
    await agentB.line(/refused|unauthenticated|unknown/i, 20_000);
  });

  it('remove what they made when they are stopped', async () => {
    expect(await agentA.stop()).toMatchObject({ code: 0 });
    await expect(a.exec(['ip', 'link', 'show', 'blue'])).rejects.toThrow(/does not exist/);
  });
});

describeTapLab('a site whose network comes out on a bridge', () => {
  it('says that the bridge is missing, carries the network once it is there, and connects what is in it', async () => {
    await using lab = await createLab();
    const overlay = new Overlay(lab);
    await overlay.start();
    const [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    await overlay.tenant('acme', 'blue');
    await overlay.join('acme', b, { blue: '192.168.9.2/24' });
    const agent = await overlay.join('acme', a, { blue: '' }, { type: 'bridge', name: 'br0' });
    await agent.line(/there is no bridge named br0/);
    // A host behind the bridge, by a veth pair whose other end stays in the same namespace.
    await a.ip('link add br0 type bridge', 'link set br0 up', 'address add 192.168.9.1/24 dev br0');
    await until(
      'the port in the bridge',
      async () => (await a.exec(['ip', 'link', 'show', 'master', 'br0'])).includes('ovl'),
      {
        timeoutMs: 60_000,
      },
    );
    await overlay.converged('acme');
    await until(
      'a ping through the bridge',
      async () => (await b.ping('192.168.9.1', { count: 1, timeoutMs: 300 })).received > 0,
    );
    expect(await a.ping('192.168.9.2')).toMatchObject({ received: 5 });
    await a.transfer(b, '192.168.9.2', 5_000_000);

    // A host behind the bridge, with an MTU of its own that is more than the network's: it is told, and transfers pass all the same.
    await a.ip(
      'link add host type veth peer name host-br',
      'link set host-br master br0 up',
      'address flush dev br0',
      'address add 192.168.9.1/24 dev host',
      'link set host up',
    );
    expect(await a.link('host')).toMatchObject({ mtu: 1500 });
    await until(
      'the host behind the bridge',
      async () => (await a.ping('192.168.9.2', { count: 1, timeoutMs: 300 })).received > 0,
    );
    await a.transfer(b, '192.168.9.2', 2_000_000);
    const { received } = await a.ping('192.168.9.2', { count: 5, size: 1472, timeoutMs: 300 });
    expect(received).toBeGreaterThan(0);
  });
});
