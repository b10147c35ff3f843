/** Open vSwitch at a site, with its userspace ("netdev") data path, which has a VXLAN of its own: it needs no kernel module. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Site, UNDERLAY_DEV } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';

/** Programs that it needs; they are in the package `openvswitch-switch`. */
export const OPEN_VSWITCH_PROGRAMS = ['ovs-vswitchd', 'ovsdb-server', 'ovsdb-tool', 'ovs-vsctl'] as const;

const PHYSICAL = 'br-phy';

export interface OpenVswitchNetwork {
  /** The bridge's, which is the host's interface too. */
  readonly dev: string;
  readonly vni: number;
  /** The other VTEP. */
  readonly remote: string;
  readonly addresses: readonly string[];
  readonly mtu: number;
}

/**
 * Starts it in the site's namespace, with all that it writes in a folder of its own. The bridge that has the underlay's port has the
 * underlay's address too.
 * @returns what ends it and gives the underlay its address again.
 */
export async function startOpenVswitch(
  site: Site,
  folder: string,
  networks: readonly OpenVswitchNetwork[],
): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(folder, 'ovs-'));
  const env = { OVS_RUNDIR: home, OVS_LOGDIR: home, OVS_DBDIR: home };
  const db = `unix:${home}/db.sock`;
  await site.exec(['ovsdb-tool', 'create', `${home}/conf.db`, '/usr/share/openvswitch/vswitch.ovsschema'], { env });
  const server = site.spawn(['ovsdb-server', `${home}/conf.db`, `--remote=p${db}`, '--unixctl', `${home}/db.ctl`], {
    env,
  });
  const vsctl = (...args: string[]) => site.exec(['ovs-vsctl', `--db=${db}`, '--no-wait', ...args], { env });
  await until('ovsdb-server', async () => (await vsctl('init')) !== undefined);
  const switchd = site.spawn(['ovs-vswitchd', db, '--unixctl', `${home}/vswitchd.ctl`, '--disable-system'], { env });
  await vsctl(...bridge(PHYSICAL), '--', 'add-port', PHYSICAL, UNDERLAY_DEV);
  for (const { dev, vni, remote } of networks) {
    await vsctl(
      ...[...bridge(dev), '--', 'add-port', dev, `${dev}-vx`, '--', 'set', 'interface', `${dev}-vx`, 'type=vxlan'],
      ...[`options:remote_ip=${remote}`, `options:key=${vni}`],
    );
  }
  const { mtu } = await site.link(UNDERLAY_DEV);
  await site.link(PHYSICAL);
  await site.ip(
    `address del ${site.v4}/24 dev ${UNDERLAY_DEV}`,
    `address add ${site.v4}/24 dev ${PHYSICAL}`,
    `link set ${PHYSICAL} mtu ${mtu} up`,
  );
  for (const { dev, addresses, mtu: inner } of networks) {
    await site.address(dev, ...addresses);
    await vsctl('set', 'interface', dev, `mtu_request=${inner}`);
    await until(`the MTU of ${dev}`, async () => (await site.link(dev)).mtu === inner || undefined);
  }
  return async () => {
    await Promise.all([switchd.stop(), server.stop()]);
    for (const dev of [PHYSICAL, ...networks.map((it) => it.dev)]) {
      await site.ip(`link del ${dev}`).catch(() => undefined);
    }
    await site.ip(`address replace ${site.v4}/24 dev ${UNDERLAY_DEV}`);
  };
}

function bridge(name: string): string[] {
  return ['add-br', name, '--', 'set', 'bridge', name, 'datapath_type=netdev'];
}
