/** What agents find out about the paths between them, of which each but one has something wrong with it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../agent/control/status.ts';
import type { PeerPath } from '../../agent/datapath/datapath.ts';
import type { Finding } from '../../agent/doctor/finding.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import type { Paths } from '../../src/contract/paths.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { datapathLacks } from './lacks.ts';
import { Overlay } from './overlay.ts';

describeTapLab('the paths between sites', () => {
  const lacks = datapathLacks();
  if (lacks === null) describe('are measured', measured);
  else describe.skip(`are measured [skipped, missing: ${lacks}]`, () => undefined);
});

/** The one who looks is carried by userspace, and its twin by the kernel: both see the same. */
function measured(): void {
  let lab: Lab;
  let overlay: Overlay;
  let looker: Site;
  let twin: Site;
  let narrow: Site;
  let walled: Site;
  let lossy: Site;
  let byHand: Site;

  beforeAll(async () => {
    lab = await createLab();
    overlay = new Overlay(lab);
    await overlay.start();
    const names = ['looker', 'twin', 'narrow', 'walled', 'lossy', 'byhand'];
    [looker, twin, narrow, walled, lossy, byHand] = (await lab.sites(...names)) as [Site, Site, Site, Site, Site, Site];
    // A link on the way, that says nothing of it.
    await lab.hub.ip('link set to-3 mtu 1400');
    await rules(walled, 'udp dport 4789 drop');
    await rules(lossy, 'udp dport 4789 numgen random mod 100 < 40 drop');
    await overlay.tenant('acme', 'blue');
    await overlay.call('POST', '/v1/tenants/acme/sites', {
      name: 'byhand',
      kind: 'static',
      vtep: { address: byHand.v4 },
    });
    await overlay.call('PUT', '/v1/tenants/acme/sites/byhand/networks/blue', { port: { type: 'none' } });
    const agents = [looker, twin, narrow, walled, lossy];
    await byHand.kernelVxlan({ dev: 'vx', vni: 4096, remotes: agents.map(({ v4 }) => v4) });
    await Promise.all(
      agents.map((site, i) =>
        overlay.join(
          'acme',
          site,
          { blue: `192.168.9.${i + 1}/24` },
          { type: 'host' },
          {
            datapath: site === twin || site === walled ? 'kernel' : 'userspace',
          },
        ),
      ),
    );
  });
  afterAll(() => lab?.dispose());

  /** What the host's own rules do with what comes in. */
  async function rules(site: Site, rule: string): Promise<void> {
    await site.exec(['nft', '-f', '-'], {
      input: `table ip host {\n chain input {\n type filter hook input priority 0;\n ${rule}\n }\n}\n`,
    });
  }

  async function statusOf(site: Site): Promise<AgentStatus> {
    const argv = [...AGENT_ARGV, 'status', '--json', '--state', overlay.stateOf(site)].join(' ');
    return JSON.parse(await site.exec(['sh', '-c', `${argv} || true`]));
  }

  /** Waits until the paths from a site are so. */
  async function untilPaths(
    from: Site,
    so: Readonly<Record<string, (path: PeerPath) => boolean>>,
  ): Promise<AgentStatus> {
    let last: unknown;
    return until(
      `paths from ${from.name}`,
      async () => {
        const status = await statusOf(from);
        last = status.peers?.map(({ path }) => path);
        const pathTo = (address: string) => status.peers?.find((peer) => peer.address === address)?.path;
        const well = Object.entries(so).filter(([address, is]) => {
          const path = pathTo(address);
          return path !== undefined && is(path);
        });
        return well.length === Object.keys(so).length ? status : undefined;
      },
      { timeoutMs: 45_000, everyMs: 500 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last, null, 1)}`);
    });
  }

  const isWell = ({ state, hears, mtu, lost }: PeerPath): boolean =>
    state === 'reachable' && hears && mtu === 1500 && lost === 0;
  const isNarrow = ({ state, carriesNeeded, mtu }: PeerPath): boolean =>
    state === 'reachable' && carriesNeeded === false && mtu !== undefined;
  const isLossy = ({ asked, lost }: PeerPath): boolean => asked >= 10 && lost >= 3;

  it.each([
    ['userspace', () => looker, () => twin],
    ['kernel', () => twin, () => looker],
  ])(
    'by the %s data path: round trip and MTU, who loses, who is walled in, and who never answers',
    async (_kind, from, other) => {
      const { peers } = await untilPaths(from(), {
        [other().v4]: isWell,
        [narrow.v4]: isNarrow,
        // It asks, and so is heard; what goes there is dropped.
        [walled.v4]: ({ state, hears }) => state === 'unreachable' && hears,
        [lossy.v4]: isLossy,
        [byHand.v4]: ({ state, hears }) => state === 'silent' && !hears,
      });
      const pathTo = (site: Site) => peers!.find(({ address }) => address === site.v4)!.path!;
      expect(pathTo(other()).rttMs).toBeGreaterThan(0);
      expect(pathTo(other()).rttMs).toBeLessThan(50);
      // A bridge's port lets a VLAN tag pass beyond its MTU.
      expect(pathTo(narrow).mtu).toBeGreaterThanOrEqual(1400);
      expect(pathTo(narrow).mtu).toBeLessThanOrEqual(1404);
    },
  );

  it('and who is walled in hears nobody, and so can’t know more than that', async () => {
    await untilPaths(walled, { [looker.v4]: ({ state, hears }) => state === 'silent' && !hears });
  });

  it('are shown by status, which says what to do about them, and of a static VTEP that nothing is wrong', async () => {
    const argv = [...AGENT_ARGV, 'status', '--state', overlay.stateOf(looker)];
    const text = await looker.exec(argv);
    const address = (site: Site) => site.v4.replaceAll('.', '\\.');
    expect(text).toMatch(new RegExp(`^${address(twin)}:4789 .* \\d+(\\.\\d\\d)? ms, 0% lost, MTU 1500$`, 'm'));
    expect(text).toMatch(new RegExp(`^${address(byHand)}:4789 .* no answer to probes \\(a static VTEP\\?\\)$`, 'm'));
    const wrong = text.slice(text.indexOf('WRONG'));
    expect(wrong).toMatch(
      /the path to 10\.77\.0\.3:4789 carries packets of up to 140\d bytes, and the networks need 1500: raise/,
    );
    expect(wrong).toContain('what goes to 10.77.0.4:4789 is lost, though what it sends comes here: let UDP 4789');
    expect(wrong).toMatch(/\d+ of the last \d+ probes to 10\.77\.0\.5:4789 were lost/);
    expect(wrong).not.toContain(byHand.v4);
    expect(wrong).not.toContain(twin.v4);
  });

  it('are told by the API as both ends see them', async () => {
    const told = (site: Site, other: Site) =>
      until(
        `both ends’ words of the paths from ${site.name}`,
        async () => {
          const { items } = await overlay.call<Paths>('GET', `/v1/tenants/acme/sites/${site.name}/paths`);
          const of = (name: string) => items.find((item) => item.site.name === name);
          const isTold = of(other.name)?.back?.mtu === 1500 && of('walled')?.there?.state === 'unreachable';
          const isWhole = of('walled')?.back !== undefined && of('byhand')?.there !== undefined;
          return isTold && isWhole && of('narrow')?.there?.carriesNeeded === false ? of : undefined;
        },
        { timeoutMs: 40_000 },
      );
    const [of] = await Promise.all([told(looker, twin), told(twin, looker)]);
    expect(of('twin')).toMatchObject({ there: { state: 'reachable', mtu: 1500 }, back: { state: 'reachable' } });
    expect(of('walled')).toMatchObject({ there: { state: 'unreachable', hears: true }, back: { hears: false } });
    expect(of('byhand')).toMatchObject({ site: { kind: 'static' }, there: { state: 'silent' } });
    expect(of('byhand')?.back).toBeUndefined();
  });

  it.each([
    ['userspace', () => looker],
    ['kernel', () => twin],
  ])('are looked at by doctor at a site of the %s data path, which finds each fault', async (_kind, at) => {
    const program = at().spawn([...AGENT_ARGV, 'doctor', '--json', '--state', overlay.stateOf(at())]);
    const { code } = await program.ended;
    expect(code).toBe(1);
    const { findings } = JSON.parse(program.lines.join('\n')) as { findings: readonly Finding[] };
    const bad = findings.filter(({ verdict }) => verdict !== 'pass');
    expect(bad.every(({ todo }) => todo)).toBe(true);
    const found = (check: string) => bad.filter((one) => one.check === check).map(({ says }) => says);
    expect(found('reachability')).toEqual([
      'what goes to 10.77.0.4:4789 is lost, though what it sends comes here (walled)',
    ]);
    expect(found('loss')).toEqual([expect.stringMatching(/probes to 10\.77\.0\.5:4789 were lost \(lossy\)$/)]);
    expect(found('path MTU').join()).toMatch(/the path to 10\.77\.0\.3:4789 carries .* \(narrow\)/);
    expect(findings.find(({ check }) => check === 'peers')?.says).toBe(
      '3 of 5 answer probes; static VTEPs, which don’t: 1',
    );
  });
}
