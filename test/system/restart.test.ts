/** An agent that stops, is killed and comes back: only its own site notices. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import type { Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { config } from './agents.ts';

const VNI = 31;
const TRANSFER_BYTES = 10_000_000;

describeTapLab('three agents in one network', () => {
  let lab: Lab;
  let sites: [Site, Site, Site];

  const start = (site: Site): Promise<Program> => {
    const peers = sites.filter((it) => it !== site).map(({ v4 }) => v4);
    return site.agent({ config: config(site.v4, VNI, peers) });
  };
  const hostOf = (site: Site): string => `192.168.31.${site.v4.split('.')[3]}`;

  beforeAll(async () => {
    lab = await createLab();
    sites = (await lab.sites('a', 'b', 'c')) as [Site, Site, Site];
  });
  afterAll(() => lab.dispose());

  it('lose nothing of each other’s while the third stops, is killed, makes way for a restart, and starts again', async () => {
    const [a, b, c] = sites;
    const programs = await Promise.all(sites.map(start));
    for (const site of sites) await site.address('tap', `${hostOf(site)}/24`);
    for (const to of [b, c]) await until('all to be there', async () => (await a.ping(hostOf(to))).received === 5);

    let third = programs[2]!;
    for (const end of ['SIGTERM', 'SIGKILL', 'SIGUSR2'] as const) {
      const pings = [a.startPing(hostOf(b)), b.startPing(hostOf(a))];
      third.child.kill(end);
      const [transferred] = await Promise.all([a.transfer(b, hostOf(b), TRANSFER_BYTES), third.ended]);
      third = await start(c);
      // The host's address stays on a device that an agent left, killed or for a restart, and goes with one that was removed.
      if (end === 'SIGTERM') await c.address('tap', `${hostOf(c)}/24`);
      await until('the third to be back', async () => (await c.ping(hostOf(a), { count: 1 })).received === 1);
      expect(transferred.bytes).toBe(TRANSFER_BYTES);
      for (const ping of pings) {
        const { sent, received } = await ping.stop();
        expect(sent).toBeGreaterThan(20);
        expect(received).toBe(sent);
      }
    }
  });
});
