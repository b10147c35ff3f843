/** What is the kernel data path's own: the devices, entries and rules that it keeps in the kernel, whatever happens to them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import type { Lab } from '../../demo/lab.ts';
import { describeKernelDatapath, kernelSites, MAC, VNI } from './kernel-sites.ts';

/** As `bridge -j fdb` says it. */
interface BridgeEntry {
  readonly ifname: string;
  readonly mac: string;
  readonly flags: readonly string[];
  readonly state?: string;
  readonly master?: string;
  readonly dst?: string;
  readonly port?: number;
}

const CHURN = fileURLToPath(new URL('./kernel-churn.ts', import.meta.url));

describeKernelDatapath('keeps in the kernel', () => {
  let lab: Lab;
  let a: Site;
  let b: Site;
  const { running, network, config, start, reload, fdb, rules, passes } = kernelSites((...sites) => {
    [lab, a, b] = sites;
  });

  it('a vxlan device that learns nothing and never fragments, and an entry for each station, in both tables', async () => {
    await start();
    const link = await a.link(`ovx${VNI}`);
    expect(link).toMatchObject({
      master: 'blue',
      linkinfo: {
        info_data: { id: VNI, local: a.v4, port: 4789, learning: false, df: 'set' },
        info_slave_data: { learning: false },
      },
    });
    const entries = await fdb();
    expect(entries).toContain(`${MAC} sticky master blue static`);
    expect(entries).toContain(`${MAC} dst ${b.v4} self sticky static`);
    expect(entries).toContain(`00:00:00:00:00:00 dst ${b.v4} self permanent`);
    await passes();
  });

  it('no stale entry of what went while the agent was down', async () => {
    const first = await start(
      config(
        network({ vteps: [{ address: b.v4 }, { address: '10.77.0.77' }] }),
        network({ vni: 10, port: { type: 'host', name: 'old' }, macs: [] }),
      ),
    );
    first.child.kill('SIGKILL');
    await first.ended;
    await a.exec([
      'bridge',
      'fdb',
      'add',
      '02:00:00:00:00:98',
      'dev',
      `ovx${VNI}`,
      'dst',
      '10.77.0.77',
      'self',
      'master',
      'extern_learn',
      'dynamic',
    ]);
    await start(config(network({ macs: [] })));
    const entries = (await fdb()).filter((line) => line.includes('dst') || line.includes('extern_learn'));
    expect(entries).toEqual([`00:00:00:00:00:00 dst ${b.v4} self permanent`]);
    expect(await a.exec(['ip', '-o', 'link'])).not.toMatch(/old|ovx10/);
    expect(await rules()).not.toContain('0x0a4d004d');
  });

  it('nothing of the address that its own VTEP had before, though that agent was killed', async () => {
    const restarted = async (vtep: string, peer: string) => {
      const agent = await start({
        vtep: { address: vtep },
        networks: [network({ vteps: [{ address: peer }], macs: [] })],
      });
      const { linkinfo } = (await a.link(`ovx${VNI}`)) as { linkinfo: { info_data: Record<string, unknown> } };
      expect(linkinfo.info_data.local ?? linkinfo.info_data.local6).toBe(vtep);
      expect((await rules()).match(/^table \S+/gm)).toEqual([`table ${vtep === a.v6 ? 'ip6' : 'ip'}`, 'table netdev']);
      const { ifindex } = await a.link('blue');
      agent.child.kill('SIGKILL');
      await agent.ended;
      return ifindex;
    };
    await a.ip('address add 10.77.0.201/24 dev underlay');
    const first = await restarted(a.v4, b.v4);
    expect(await restarted('10.77.0.201', b.v4)).toBe(first);
    expect(await restarted(a.v6, b.v6)).toBe(first);
    await a.ip('address del 10.77.0.201/24 dev underlay');
  });

  it('the address of a VTEP that moved, and no other; nothing of a network that went', async () => {
    const agent = await start();
    const other = await lab.site('c');
    await reload(agent, config(network({ vteps: [{ address: other.v4 }], macs: [{ mac: MAC, address: other.v4 }] })));
    const entries = (await fdb()).filter((line) => line.includes('dst'));
    expect(entries.sort()).toEqual([
      `00:00:00:00:00:00 dst ${other.v4} self permanent`,
      `${MAC} dst ${other.v4} self sticky static`,
    ]);
    expect(await rules()).toMatch(/elements = .*chain vni9/s);
    await reload(agent, config());
    expect(await rules()).not.toMatch(/elements|chain vni/);
  });

  it('its devices, entries and rules and no others, though somebody deletes and adds them', async () => {
    await start();
    await passes();
    await a.ip(`link del ovx${VNI}`);
    await passes();
    await a.exec(['bridge', 'fdb', 'del', MAC, 'dev', `ovx${VNI}`, 'self', 'master']);
    await a.exec(['bridge', 'fdb', 'del', '00:00:00:00:00:00', 'dev', `ovx${VNI}`, 'dst', b.v4, 'self']);
    await until('the entries to be back', async () => {
      const entries = await fdb();
      return [
        `${MAC} sticky master blue static`,
        `${MAC} dst ${b.v4} self sticky static`,
        `00:00:00:00:00:00 dst ${b.v4} self permanent`,
      ].every((line) => entries.includes(line));
    });
    const dev = ['dev', `ovx${VNI}`];
    for (const stray of [
      ['add', '02:00:00:00:00:77', ...dev, 'dst', '10.77.0.77', 'self', 'permanent'],
      ['add', '02:00:00:00:00:78', ...dev, 'master', 'static'],
      ['append', '00:00:00:00:00:00', ...dev, 'dst', '10.77.0.78', 'self', 'permanent'],
      ['replace', MAC, ...dev, 'dst', '10.77.0.79', 'self', 'static', 'sticky'],
    ])
      await a.exec(['bridge', 'fdb', ...stray]);
    await until('the strays to be gone', async () => {
      const entries = (await fdb()).filter((line) => /dst|static/.test(line)).sort();
      return (
        entries.join() ===
        [
          `00:00:00:00:00:00 dst ${b.v4} self permanent`,
          `${MAC} dst ${b.v4} self sticky static`,
          `${MAC} sticky master blue static`,
        ].join()
      );
    });
    await a.ip(`link set ovx${VNI} down`);
    await passes();
    await a.ip(`link set ovx${VNI} mtu 900`, `link set ovx${VNI} nomaster`);
    await until('the device to be mended', async () => {
      const { master, mtu } = await a.link(`ovx${VNI}`);
      return master === 'blue' && mtu === 65_535;
    });
    await a.exec(['nft', 'flush', 'ruleset']);
    await until('the rules to be back', async () => /table ip overlane-.*table netdev overlane-/s.test(await rules()));
    await a.ip('link del blue');
    await until('the bridge to be back', async () => (await a.link('blue', 100)).operstate === 'UP');
    await a.ip('address replace 192.168.9.1/24 dev blue');
    await passes();
  });

  it('what stands on a stop for a restart, which forwards on and is taken over without the loss of a frame', async () => {
    const first = await start();
    await passes();
    const { ifindex } = await a.link(`ovx${VNI}`);
    const ping = b.startPing('192.168.9.1', { intervalMs: 5 });
    first.child.kill('SIGUSR2');
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await b.ping('192.168.9.1')).toMatchObject({ received: 5 });
    const second = await start();
    const { sent, received } = await ping.stop();
    // The last of them may be under way.
    expect(sent - received).toBeLessThanOrEqual(1);
    expect((await a.link(`ovx${VNI}`)).ifindex).toBe(ifindex);
    await second.stop();
    expect(await rules()).toBe('');
  });

  it('nothing when userspace takes over, and the other way round, which is what auto does', async () => {
    const first = await start(undefined, { flags: ['--keep'] });
    await first.stop();
    const userspace = await start(undefined, { datapath: 'userspace' });
    expect(await a.link('blue')).toMatchObject({ linkinfo: { info_kind: 'tun' } });
    expect(await a.exec(['ip', '-o', 'link'])).not.toContain(`ovx${VNI}`);
    expect(await rules()).toBe('');
    await passes();
    userspace.child.kill('SIGKILL');
    await userspace.ended;
    await start(undefined, { datapath: 'auto' });
    expect(await a.link('blue')).toMatchObject({ linkinfo: { info_kind: 'bridge' } });
    await passes();
  });

  it('nothing of an agent that was killed, once the host is cleared of it; of one that runs, all', async () => {
    const agent = await start();
    const argv = [...AGENT_ARGV, 'clear', '--config', join(lab.folder, `${a.name}.json`)];
    await expect(a.exec(argv)).rejects.toThrow(/the agent runs.*stop it first/);
    agent.child.kill('SIGKILL');
    await agent.ended;
    expect(await a.exec(['ip', '-o', 'link'])).toMatch(/ovx.*blue|blue.*ovx/s);
    await a.exec(argv);
    expect(await a.exec(['ip', '-o', 'link'])).not.toMatch(/ovx|blue/);
    expect(await rules()).toBe('');
  });

  it('a port that answers what is too large for the underlay: a station behind it is told by ICMP', async () => {
    await start();
    const station = await lab.site('station');
    await a.ip(
      'link add vm-br type veth peer name vm',
      'link set vm-br master blue up',
      `link set vm netns ${station.namespace}`,
    );
    await station.address('vm', '192.168.9.50/24');
    expect(await station.ping('192.168.9.2', { size: 1450 - 28, count: 1 })).toMatchObject({ received: 1 });
    await station.ping('192.168.9.2', { size: 1500 - 28, count: 1, timeoutMs: 200 }).catch(() => undefined);
    expect(await station.exec(['ip', 'route', 'get', '192.168.9.2'])).toContain('mtu 1450');
  });

  it('a bridge of the host’s as it was, with the network in it while the agent runs', async () => {
    await a.ip(
      'link add br0 address 02:00:00:00:00:b0 type bridge',
      'link set br0 up',
      'address add 192.168.9.1/24 dev br0',
    );
    const agent = await start(config(network({ port: { type: 'bridge', name: 'br0' } })));
    expect(await a.link(`ovx${VNI}`)).toMatchObject({ master: 'br0' });
    await passes();
    await agent.stop();
    expect(await a.link('br0')).toMatchObject({ address: '02:00:00:00:00:b0', mtu: 1500 });
    expect(await a.exec(['ip', 'neigh', 'show', 'dev', 'br0'])).not.toContain('extern_learn');
  });

  it('nothing in a bridge that the network left for one that is not there', async () => {
    await a.ip('link add br0 type bridge', 'link set br0 up');
    const inBridge = (name: string) => config(network({ port: { type: 'bridge', name } }));
    const agent = await start(inBridge('br0'));
    expect(await a.link(`ovx${VNI}`)).toMatchObject({ master: 'br0' });
    await reload(agent, inBridge('br1'));
    expect(await a.exec(['ip', '-o', 'link'])).not.toContain(`ovx${VNI}`);
    await reload(agent, inBridge('br0'));
    expect(await a.link(`ovx${VNI}`)).toMatchObject({ master: 'br0' });
    await a.ip('address add 192.168.9.1/24 dev br0');
    await passes();
    const lines = agent.lines.length;
    const says = (text: string) =>
      until(text, () => agent.lines.slice(lines).some((line) => line.includes(`VNI ${VNI} is ${text}`)));
    await a.ip('link del br0');
    await says('not carried: there is no bridge named br0');
    await a.ip('link add br0 type bridge');
    await says('carried now');
  });

  it('no mark on a device of somebody’s that has the name as an alternative one, nor touches it later', async () => {
    await a.ip('link add theirs type veth peer name theirs2', 'link property add dev theirs altname blue');
    const agent = await a.agent({ config: config(network()), datapath: 'kernel' });
    running.push(agent);
    expect(agent.lines.join('\n')).toContain('VNI 9 is not carried: theirs has the name blue already');
    await reload(agent, config(network()));
    await agent.stop();
    expect(await a.link('theirs')).not.toHaveProperty('ifalias');
  });

  it('what it can of a table of which some can’t be carried, with a line for each that says what to do', async () => {
    await a.ip(
      'link add taken type bridge',
      'link add other type vxlan id 13 dstport 4789 local 10.77.0.1',
      'link add ovx14 type bridge',
    );
    const host = (vni: number, name: string) => network({ vni, port: { type: 'host', name }, macs: [] });
    const started = await start(
      config(
        network(),
        host(10, 'taken'),
        network({ vni: 11, port: { type: 'bridge', name: 'nobridge' }, macs: [] }),
        network({ vni: 12, port: { type: 'bridge', name: 'underlay' }, macs: [] }),
        host(13, 'p13'),
        host(14, 'p14'),
      ),
    );
    const said = started.lines.join('\n');
    expect(said).toContain(
      'VNI 10 is not carried: an interface named taken is there already and was not made for this network: remove it or choose another name',
    );
    expect(said).toContain(
      'VNI 11 is not carried: there is no bridge named nobridge: make it, or attach with another port',
    );
    expect(said).toContain('VNI 12 is not carried: underlay is no bridge but veth');
    expect(said).toContain(
      'VNI 13 is not carried: VNI 13 is carried on UDP port 4789 by other already, which this agent did not make: remove that device',
    );
    expect(said).toContain(
      'VNI 14 is not carried: an interface named ovx14 is there already and was not made by this agent: remove it',
    );
    await passes();
    await a.ip('link add nobridge type bridge');
    await until('the network in the new bridge', async () => (await a.link('ovx11', 100)).master === 'nobridge');
    expect(await a.link('taken')).not.toHaveProperty('ifalias');
  });

  it('nothing without CAP_NET_ADMIN, which it says in one line, and auto is userspace then', async () => {
    await writeFile(join(lab.folder, 'a.json'), JSON.stringify(config(network())));
    const without = [
      'setpriv',
      '--bounding-set=-net_admin',
      '--inh-caps=-net_admin',
      ...AGENT_ARGV,
      'run',
      '--config',
      join(lab.folder, 'a.json'),
    ];
    const kernel = a.spawn([...without, '--datapath', 'kernel']);
    await kernel.line(/VNI 9 is not carried: .*run as root or with CAP_NET_ADMIN/);
    await kernel.stop();
    const auto = a.spawn([...without, '--datapath', 'auto']);
    await auto.line(/carrying frames in userspace, since the kernel's data path lacks CAP_NET_ADMIN/);
    await auto.stop();
  });

  it('no more than the port takes of a UDP port that another program has', async () => {
    await a.ip('link add theirs type vxlan id 77 dstport 4789 local 10.77.0.1 gbp', 'link set theirs up');
    const agent = await start();
    expect(agent.lines.join('\n')).toContain(
      'VNI 9 is not carried: UDP port 4789 is in use, by another agent or by a vxlan device with other settings',
    );
    await a.ip('link del theirs');
    await reload(agent, config(network()));
    await a.ip('address replace 192.168.9.1/24 dev blue');
    await passes();
  });

  it('10,000 entries that are changed at random 1,000 times just as the table ends', async () => {
    const seed = String(Date.now() % 100_000);
    const wanted = JSON.parse(await b.exec([process.execPath, CHURN, b.v4, seed])) as string[];
    const dumped = JSON.parse(await b.exec(['bridge', '-j', 'fdb'])) as readonly BridgeEntry[];
    const found = dumped
      .filter(({ ifname, state, dst }) => ifname.startsWith('ovx') && (state !== 'permanent' || dst !== undefined))
      .map(({ ifname, mac, dst, port, master, flags }) => {
        const to = dst === undefined ? master : `${dst}${port === undefined ? '' : ` ${port}`}`;
        return `${ifname} ${mac} ${to}${flags.includes('sticky') ? ' sticky' : ''}`;
      });
    expect({ seed, found: found.sort() }).toEqual({ seed, found: wanted });
    expect(found.length).toBeGreaterThan(10_000);
  });
});
