/** A real gateway, one site that the kernel carries and one in userspace. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { datapathLacks } from './lacks.ts';
import { Overlay } from './overlay.ts';

const ARP_FOR_IPV4 = Uint8Array.of(0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01);

describeTapLab('a site that the kernel carries', () => {
  const lacks = datapathLacks();
  if (lacks === null) describe('with a gateway', behave);
  else describe.skip(`with a gateway [skipped, missing: ${lacks}]`, () => undefined);
});

function behave(): void {
  let lab: Lab;
  let overlay: Overlay;
  let kernel: Site;
  let userspace: Site;
  let station: Site;
  let agent: Program;

  beforeAll(async () => {
    lab = await createLab();
    overlay = new Overlay(lab);
    await overlay.start();
    [kernel, userspace] = (await lab.sites('kernel', 'userspace')) as [Site, Site];
    station = await lab.site('station');
    await overlay.tenant('acme', 'blue');
    agent = await overlay.join('acme', kernel, { blue: '192.168.9.1/24' }, { type: 'host' }, { datapath: 'kernel' });
    await overlay.join('acme', userspace, { blue: '192.168.9.2/24' });
    await overlay.converged('acme');
  });
  afterAll(() => lab.dispose());

  const addresses = async () => {
    const path = '/v1/tenants/acme/networks/blue/macs';
    const { items } = await overlay.call<{ items: { ip?: string; siteName: string }[] }>('GET', path);
    return items.map(({ ip, siteName }) => `${siteName} ${ip}`);
  };

  /** A station of its own namespace behind the site's bridge. */
  async function attachStation(address: string): Promise<void> {
    await kernel.ip(
      'link add vm-br type veth peer name vm',
      'link set vm-br master blue up',
      `link set vm netns ${station.namespace}`,
    );
    await station.address('vm', address);
  }

  it('announces the host itself by its address, and a station behind it by what it says in ARP', async () => {
    await attachStation('192.168.9.50/24');
    await until(
      'a ping from the station',
      async () => (await station.ping('192.168.9.2', { count: 1 })).received === 1,
    );
    await until('the host and the station in the registry', async () => {
      const known = await addresses();
      return known.includes('kernel 192.168.9.1') && known.includes('kernel 192.168.9.50');
    });
    await station.ip('link delete vm');
    await until('the station to be withdrawn', async () => !(await addresses()).includes('kernel 192.168.9.50'));
  });

  it('answers for the other site’s stations at home, from the registry', async () => {
    await overlay.call('PATCH', '/v1/tenants/acme/networks/blue', { arpSuppression: true });
    await until('the station in the registry', async () => (await addresses()).includes('userspace 192.168.9.2'));
    await overlay.converged('acme');
    const neighbors = await kernel.exec(['ip', 'neigh', 'show', 'dev', 'blue']);
    expect(neighbors).toMatch(/^192\.168\.9\.2 lladdr \S+ extern_learn NOARP/m);
    const sniffer = await userspace.sniff('underlay', { contains: ARP_FOR_IPV4 });
    await attachStation('192.168.9.51/24');
    expect(await station.ping('192.168.9.2', { count: 1 })).toMatchObject({ received: 1 });
    const asked = (await sniffer.stop()).filter(({ direction, bytes }) => direction === 'in' && bytes.length > 64);
    // What the other site asks in its turn comes out of it, not into it.
    expect(asked).toEqual([]);
    await station.ip('link delete vm');
  });

  it('lets the registry’s stations through strict anti-spoofing', async () => {
    await overlay.call('PATCH', '/v1/tenants/acme/networks/blue', { antiSpoof: 'strict' });
    await overlay.converged('acme');
    expect(await userspace.ping('192.168.9.1')).toMatchObject({ received: 5 });
    expect(await kernel.ping('192.168.9.2')).toMatchObject({ received: 5 });
  });

  it('forwards on while the gateway is away, also while its agent is killed and started again: no frame is lost', async () => {
    const ping = userspace.startPing('192.168.9.1', { intervalMs: 10 });
    await overlay.kill();
    agent.child.kill('SIGKILL');
    await agent.ended;
    agent = await kernel.agent({ state: overlay.stateOf(kernel), datapath: 'kernel' });
    expect(await kernel.ping('192.168.9.2')).toMatchObject({ received: 5 });
    const { sent, received } = await ping.stop();
    // The last of them may be under way.
    expect(sent - received).toBeLessThanOrEqual(1);
    const status = await kernel.exec([...AGENT_ARGV, 'fdb', '--state', overlay.stateOf(kernel)]);
    expect(status).toMatch(/10\.77\.0\.2:4789 {2}registry/);
  });
}
