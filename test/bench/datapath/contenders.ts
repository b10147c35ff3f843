import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from '../../../demo/lab/program.ts';
import { type Site, UNDERLAY_DEV } from '../../../demo/lab/site.ts';
import { OPEN_VSWITCH_PROGRAMS, startOpenVswitch } from '../../lab/open-vswitch.ts';
import { ADDRESSES, type Contender } from './contender.ts';
import { kernelEncrypted, overlaneEncrypted } from './encrypted.ts';

const VNI = 50;
const MTU = 1450;
const KERNEL = 'kernel VXLAN';
const KERNEL_IN_BRIDGE = 'kernel VXLAN in a bridge';

async function pair(a: Site, b: Site, start: (site: Site, peer: Site, i: number) => Promise<Program[]>) {
  const programs = (await Promise.all([start(a, b, 0), start(b, a, 1)])).flat();
  return async (): Promise<void> => {
    await Promise.all(programs.map((program) => program.stop()));
  };
}

/** No overlay at all: what the wire gives. */
const wire: Contender = {
  name: 'no overlay',
  against: KERNEL,
  needs: [],
  async start(a, b) {
    await a.address(UNDERLAY_DEV, `${ADDRESSES[0]}/24`);
    await b.address(UNDERLAY_DEV, `${ADDRESSES[1]}/24`);
    return {
      devs: [UNDERLAY_DEV, UNDERLAY_DEV],
      stop: async () => {
        await a.ip(`address del ${ADDRESSES[0]}/24 dev ${UNDERLAY_DEV}`);
        await b.ip(`address del ${ADDRESSES[1]}/24 dev ${UNDERLAY_DEV}`);
      },
    };
  },
};

/** As a person sets it up: a device alone, or in a bridge, which takes other ports beside it. */
const kernel = (name: string, isInBridge: boolean): Contender => ({
  name,
  against: isInBridge ? KERNEL : null,
  needs: [],
  async start(a, b) {
    const dev = isInBridge ? 'bench-vx' : 'bench';
    for (const [i, site] of [a, b].entries()) {
      const addresses = [`${ADDRESSES[i]}/24`];
      await site.kernelVxlan({
        dev,
        vni: VNI,
        remotes: [[b, a][i]!.v4],
        mtu: MTU,
        addresses: isInBridge ? [] : addresses,
      });
      if (!isInBridge) continue;
      await site.ip('link add bench type bridge', `link set ${dev} master bench`);
      await site.address('bench', ...addresses);
    }
    return {
      devs: ['bench', 'bench'],
      stop: async () => {
        for (const site of [a, b]) for (const each of new Set([dev, 'bench'])) await site.ip(`link del ${each}`);
      },
    };
  },
});

/** The table has the stations, as a registry would: each host's own. */
const overlane = (name: string, datapath: 'userspace' | 'kernel'): Contender => ({
  name,
  against: datapath === 'kernel' ? KERNEL_IN_BRIDGE : KERNEL,
  needs: [],
  async start(a, b, folder) {
    const config = (site: Site, peer: Site, macs: readonly string[]) => ({
      vtep: { address: site.v4 },
      networks: [
        {
          vni: VNI,
          mtu: MTU,
          port: { type: 'host', name: 'bench' },
          vteps: [{ address: peer.v4 }],
          macs: macs.map((mac) => ({ mac, address: peer.v4 })),
        },
      ],
    });
    const programs = new Map<Site, Program>();
    const stop = await pair(a, b, async (site, peer, i) => {
      const program = await site.agent({ config: config(site, peer, []), datapath });
      programs.set(site, program);
      await site.address('bench', `${ADDRESSES[i]}/24`);
      return [program];
    });
    for (const [site, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      const mac = String((await peer.link('bench')).address);
      await writeFile(join(folder, `${site.name}.json`), JSON.stringify(config(site, peer, [mac])));
      programs.get(site)!.child.kill('SIGHUP');
      await programs.get(site)!.line(/was read again/);
    }
    return { devs: ['bench', 'bench'], stop };
  },
});

const openVswitch: Contender = {
  name: 'Open vSwitch, userspace',
  against: KERNEL,
  needs: OPEN_VSWITCH_PROGRAMS,
  async start(a, b, folder) {
    const stops = await Promise.all(
      (
        [
          [a, b],
          [b, a],
        ] as const
      ).map(([site, peer], i) =>
        startOpenVswitch(site, folder, [
          { dev: 'bench', vni: VNI, remote: peer.v4, addresses: [`${ADDRESSES[i]}/24`], mtu: MTU },
        ]),
      ),
    );
    return { devs: ['bench', 'bench'], stop: async () => void (await Promise.all(stops.map((stop) => stop()))) };
  },
};

const tinc: Contender = {
  name: 'tinc, no cipher',
  against: KERNEL,
  needs: ['tincd'],
  async start(a, b, folder) {
    const homes = [await mkdtemp(join(folder, 'tinc-')), await mkdtemp(join(folder, 'tinc-'))] as const;
    const names = ['left', 'right'] as const;
    for (const [i, site] of [a, b].entries()) {
      const home = homes[i]!;
      await mkdir(join(home, 'hosts'), { recursive: true });
      await writeFile(
        join(home, 'tinc.conf'),
        `Name = ${names[i]}\nMode = switch\nDeviceType = tap\nInterface = bench\nAddressFamily = ipv4\nConnectTo = ${names[1 - i]}\n`,
      );
      const host = `Address = ${site.v4}\nCipher = none\nDigest = none\nCompression = 0\nIndirectData = no\n`;
      await writeFile(join(home, 'hosts', names[i]!), host);
      await site.exec(['sh', '-c', `tincd -c ${home} -K 1024 < /dev/null`]);
    }
    await a.exec([
      'sh',
      '-c',
      `cp ${homes[0]}/hosts/left ${homes[1]}/hosts/; cp ${homes[1]}/hosts/right ${homes[0]}/hosts/`,
    ]);
    const stop = await pair(a, b, async (site, _, i) => {
      const program = site.spawn(['tincd', '-c', homes[i]!, '-D', `--pidfile=${homes[i]}/pid`]);
      await site.address('bench', `${ADDRESSES[i]}/24`);
      await site.ip('link set bench mtu 1400');
      return [program];
    });
    return { devs: ['bench', 'bench'], stop };
  },
};

const fastd: Contender = {
  name: 'fastd, null method',
  against: KERNEL,
  needs: ['fastd'],
  async start(a, b, folder) {
    const keys = await Promise.all(
      [a, b].map(async (site) => {
        const said = await site.exec(['fastd', '--machine-readable', '--generate-key']);
        const secret = said.trim().split('\n')[0]!;
        const file = join(folder, `fastd-${site.name}.key`);
        await writeFile(file, `secret "${secret}";\n`);
        const shown = await site.exec(['fastd', '--machine-readable', '--show-key', '--config', file]);
        return { secret, open: shown.trim() };
      }),
    );
    const stop = await pair(a, b, async (site, peer, i) => {
      const file = join(folder, `fastd-${site.name}.conf`);
      await writeFile(
        file,
        `mode tap; interface "bench"; method "null"; mtu 1400; bind ${site.v4}:10000; secret "${keys[i]!.secret}";
         peer "other" { key "${keys[1 - i]!.open}"; remote ${peer.v4}:10000; }\n`,
      );
      const program = site.spawn(['fastd', '--config', file]);
      await site.address('bench', `${ADDRESSES[i]}/24`);
      return [program];
    });
    return { devs: ['bench', 'bench'], stop };
  },
};

export const CONTENDERS: readonly Contender[] = [
  wire,
  kernel(KERNEL, false),
  kernel(KERNEL_IN_BRIDGE, true),
  overlane('Overlane kernel', 'kernel'),
  overlane('Overlane', 'userspace'),
  openVswitch,
  tinc,
  fastd,
];

/** Over WireGuard, but for the last. */
export const ENCRYPTED_CONTENDERS: readonly Contender[] = [
  kernelEncrypted,
  overlaneEncrypted('Overlane', 'userspace'),
  overlaneEncrypted('Overlane, kernel', 'kernel'),
  overlane('Overlane, not encrypted', 'userspace'),
];
