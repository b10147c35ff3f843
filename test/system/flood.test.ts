/** Three sites in one network, two of them agents and one a kernel VTEP: head-end replication, split horizon, learning. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { config, startAgent } from './agents.ts';

const VNI = 77;
const MARK = Uint8Array.of(0xf1, 0x00, 0xd5, 0xed);

describeTapLab('two agents and a kernel VTEP in one network', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;
  let kernel: Site;

  beforeAll(async () => {
    lab = await createLab();
    [a, b, kernel] = (await lab.sites('a', 'b', 'kernel')) as [Site, Site, Site];
    await kernel.kernelVxlan({ dev: 'vx', vni: VNI, remotes: [a.v4, b.v4], addresses: ['192.168.9.3/24'] });
    await startAgent(a, config(a.v4, VNI, [b.v4, kernel.v4]), '192.168.9.1/24');
    await startAgent(b, config(b.v4, VNI, [a.v4, kernel.v4]), '192.168.9.2/24');
  });
  afterAll(() => lab.dispose());

  it('all reach each other', async () => {
    const pairs = [
      [a, '192.168.9.2'],
      [a, '192.168.9.3'],
      [b, '192.168.9.1'],
      [b, '192.168.9.3'],
      [kernel, '192.168.9.1'],
      [kernel, '192.168.9.2'],
    ] as const;
    for (const [from, to] of pairs) expect(await from.ping(to)).toMatchObject({ received: 5 });
  });

  it('carry a broadcast from any one to both others, once, and never back', async () => {
    const devs = [
      [a, 'tap', '192.168.9.1'],
      [b, 'tap', '192.168.9.2'],
      [kernel, 'vx', '192.168.9.3'],
    ] as const;
    for (const [from, , address] of devs) {
      const sniffers = await Promise.all(devs.map(([site, dev]) => site.sniff(dev, { contains: MARK })));
      await from.send('192.168.9.255', 9, [MARK], { from: address });
      // A ping after it, both ways round, so that what was to come has come.
      for (const [site] of devs) for (const [, , to] of devs) if (site !== from) await site.ping(to, { count: 1 });
      for (const [i, sniffer] of sniffers.entries()) {
        const frames = (await sniffer.stop()).map(({ direction }) => direction);
        expect({ site: devs[i]![0].name, frames }).toEqual({
          site: devs[i]![0].name,
          frames: devs[i]![0] === from ? ['out'] : ['in'],
        });
      }
    }
  });

  it('send known unicast to the one site that has the address', async () => {
    await a.ping('192.168.9.2');
    const sniffer = await kernel.sniff('underlay', { contains: MARK });
    await a.send('192.168.9.2', 9, [MARK, MARK, MARK]);
    await a.ping('192.168.9.3', { count: 1 });
    expect((await sniffer.stop()).filter(({ direction }) => direction === 'in')).toEqual([]);
  });
});
