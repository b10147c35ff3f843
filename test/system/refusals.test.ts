/** What the agent lacks, said in one line: a capability, a device, a port. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { config, startAgent } from './agents.ts';

describeTapLab('an agent', () => {
  let lab: Lab;
  let site: Site;
  let argv: string[];

  beforeAll(async () => {
    lab = await createLab();
    site = await lab.site('a');
    const file = join(lab.folder, 'refused.json');
    await writeFile(file, JSON.stringify(config(site.v4, 9, ['10.77.0.9'])));
    argv = [...AGENT_ARGV, 'run', '--datapath', 'userspace', '--config', file];
  });
  afterAll(() => lab.dispose());

  it('without CAP_NET_ADMIN says so', async () => {
    const agent = site.spawn(['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', ...argv]);
    await agent.line(/can't make the interface tap: run as root or with CAP_NET_ADMIN/);
    await agent.stop();
  });

  it('without /dev/net/tun says what to do', async () => {
    const hidden = `mount -t tmpfs none /dev/net && exec "$0" "$@"`;
    const agent = site.spawn(['unshare', '--mount', 'sh', '-c', hidden, ...argv]);
    await agent.line(/\/dev\/net\/tun is missing: load the tun module/);
    await agent.stop();
  });

  it('whose UDP port is taken ends, and names who may have it', async () => {
    await site.ip('link add taken type vxlan id 1 dstport 4789', 'link set taken up');
    const agent = site.spawn(argv);
    expect(await agent.ended).toMatchObject({ code: 1 });
    expect(agent.lines.join('\n')).toMatch(
      /^overlane-agent: UDP port 4789 is in use, by another agent or by a kernel vxlan/m,
    );
    await site.ip('link del taken');
  });

  it('leaves an interface alone that it did not make, and says whose name it is', async () => {
    await site.ip('link add tap type bridge');
    const agent = site.spawn(argv);
    await agent.line(/an interface named tap is there already and was not made for this network/);
    expect(await site.link('tap')).toMatchObject({ linkinfo: { info_kind: 'bridge' } });
    await site.ip('link del tap');
    expect(await agent.stop()).toMatchObject({ code: 0 });
  });

  it('leaves an interface alone that took the name of its own, which was renamed', async () => {
    const agent = site.spawn(argv);
    await agent.line(/running/);
    await site.ip(
      'link set tap down',
      'link set tap name renamed',
      'link set renamed up',
      'link add tap mtu 1234 type bridge',
    );
    agent.child.kill('SIGHUP');
    await agent.line(/was read again/);
    expect(await site.link('tap')).toMatchObject({ mtu: 1234, operstate: 'DOWN' });
    await site.ip('link del tap');
    expect(await agent.stop()).toMatchObject({ code: 0 });
    await expect(site.link('renamed', 100)).rejects.toThrow();
  });

  it('puts its port back into a bridge that was made anew', async () => {
    const other = await lab.site('b');
    await other.ip('link add br0 type bridge');
    const bridged = config(other.v4, 9, [site.v4]);
    await other.agent({
      config: { ...bridged, networks: [{ ...bridged.networks[0]!, port: { type: 'bridge', name: 'br0' } }] },
    });
    const inBridge = async () => (await other.exec(['ip', 'link', 'show', 'master', 'br0'])).includes('ovl9');
    await until('the port in the bridge', inBridge);
    await other.ip('link del br0', 'link add br0 type bridge');
    await until('the port in the new bridge', inBridge);
  });

  it('is not disturbed by a second one on the same configuration, which is refused', async () => {
    const running = await startAgent(site, config(site.v4, 9, ['10.77.0.9']));
    const second = site.spawn([
      ...AGENT_ARGV,
      'run',
      '--datapath',
      'userspace',
      '--config',
      join(lab.folder, 'a.json'),
    ]);
    expect(await second.ended).toMatchObject({ code: 1 });
    expect(second.lines.join('\n')).toMatch(/another agent runs on/);
    expect(running.isRunning).toBe(true);
  });
});
