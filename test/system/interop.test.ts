/**
 * Our agent against the kernel's VXLAN, with the kernel's offloads left on: over veth its frames arrive with checksums incomplete and
 * as TCP segments of up to 64 KiB, and "everything but ping fails" is the field's classic.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { config, startAgent } from './agents.ts';

const VNI = 4242;
const TRANSFER_BYTES = 20_000_000;
const ADDRESSES = { a: ['192.168.9.1/24', 'fd09::1/64'], b: ['192.168.9.2/24', 'fd09::2/64'] } as const;

describeTapLab('an agent and the kernel’s VXLAN', () => {
  for (const family of ['v4', 'v6'] as const) {
    for (const mtu of [family === 'v4' ? 1450 : 1430, 8930]) {
      describe(`over IP${family} with an MTU of ${mtu} inside`, () => {
        let lab: Lab;
        let agent: Site;
        let kernel: Site;

        beforeAll(async () => {
          lab = await createLab({ underlay: 'veth', mtu: mtu < 1500 ? 1500 : 9000 });
          [agent, kernel] = (await lab.sites('a', 'b')) as [Site, Site];
          const peer = { dev: 'vx', vni: VNI, remotes: [agent[family]], addresses: ADDRESSES.b, mtu };
          await kernel.kernelVxlan(peer);
          await startAgent(agent, config(agent[family], VNI, [kernel[family]], mtu), ...ADDRESSES.a);
        });
        afterAll(() => lab.dispose());

        it('answer each other’s ARP, neighbour solicitations and pings', async () => {
          expect(await agent.ping('192.168.9.2')).toMatchObject({ received: 5 });
          expect(await kernel.ping('192.168.9.1')).toMatchObject({ received: 5 });
          expect(await agent.ping('fd09::2')).toMatchObject({ received: 5 });
          expect(await kernel.ping('fd09::1')).toMatchObject({ received: 5 });
        });

        it('carry a ping as large as the MTU', async () => {
          expect(await agent.ping('192.168.9.2', { size: mtu - 28 })).toMatchObject({ received: 5 });
          expect(await kernel.ping('fd09::1', { size: mtu - 48 })).toMatchObject({ received: 5 });
        });

        it('carry 20 MB of TCP each way over IPv4 and IPv6, byte for byte', async () => {
          await agent.transfer(kernel, '192.168.9.2', TRANSFER_BYTES);
          await kernel.transfer(agent, '192.168.9.1', TRANSFER_BYTES);
          await agent.transfer(kernel, 'fd09::2', TRANSFER_BYTES);
          await kernel.transfer(agent, 'fd09::1', TRANSFER_BYTES);
        });
      });
    }
  }
});
