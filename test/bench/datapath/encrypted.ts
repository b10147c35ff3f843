/** VXLAN over WireGuard: ours, and the kernel's set up by hand, both by the same `wireguard-go`. */
import { createConnection } from 'node:net';
import { newWireguardKey } from '../../../agent/control/wireguard-keys.ts';
import { formatIdentity, formatPeerChanges } from '../../../agent/wireguard/uapi.ts';
import type { Program } from '../../../demo/lab/program.ts';
import { until } from '../../../demo/lab/until.ts';
import { Overlay } from '../../system/overlay.ts';
import { ADDRESSES, type Contender } from './contender.ts';

const KERNEL = 'kernel VXLAN';
const VNI = 50;
const PORT = 51_830;
/** WireGuard over IPv4 leaves so much of 1500, and VXLAN over IPv6 in it so much of that. */
const TUNNEL_MTU = 1440;
const INNER_MTU = 1370;
const WIREGUARD = ['wireguard-go'];

let overlay: Overlay | undefined;

/** Encryption is the registry's to ask for, so a gateway is there too, which has nothing to do while frames pass. */
export const overlaneEncrypted = (name: string, datapath: 'userspace' | 'kernel'): Contender => ({
  name,
  against: KERNEL,
  needs: WIREGUARD,
  async start(a, b, _folder, lab) {
    overlay ??= new Overlay(lab, a);
    await overlay.start();
    const tenant = `bench-${datapath}-${Date.now()}`;
    await overlay.tenant(tenant);
    await overlay.call('POST', `/v1/tenants/${tenant}/networks`, { name: 'bench', transport: 'wireguard' });
    const programs: Program[] = [];
    for (const [i, site] of [a, b].entries()) {
      await site.exec(['rm', '-rf', overlay.stateOf(site)]);
      programs.push(await overlay.join(tenant, site, { bench: `${ADDRESSES[i]}/24` }, undefined, { datapath }));
    }
    await overlay.converged(tenant);
    return {
      devs: ['bench', 'bench'],
      stop: async () => {
        await Promise.all(programs.map((program) => program.stop()));
        await overlay?.stop();
      },
    };
  },
});

export const kernelEncrypted: Contender = {
  name: KERNEL,
  against: null,
  needs: WIREGUARD,
  async start(a, b) {
    const ends = [a, b].map((site, i) => ({ site, key: newWireguardKey(PORT, 0), address: `fd00:50::${i + 1}` }));
    const programs = await Promise.all(
      ends.map(async ({ site, key, address }, i) => {
        const name = `wgbench${site.name}`;
        const program = site.spawn(['env', 'WG_PROCESS_FOREGROUND=1', ...WIREGUARD, name]);
        const peer = ends[1 - i]!;
        const endpoint = { address: peer.site.v4, port: PORT };
        await until('wireguard-go to answer', () => ask(name, formatIdentity(key.privateKey, PORT)));
        const set = [{ publicKey: peer.key.publicKey, address: peer.address, endpoint }];
        await ask(name, formatPeerChanges({ set, remove: [] }));
        await site.address(name, `${address}/64`);
        await site.ip(`link set ${name} mtu ${TUNNEL_MTU}`);
        const addresses = [`${ADDRESSES[i]}/24`];
        await site.kernelVxlan({
          dev: 'bench',
          vni: VNI,
          local: address,
          remotes: [peer.address],
          addresses,
          mtu: INNER_MTU,
        });
        return program;
      }),
    );
    return {
      devs: ['bench', 'bench'],
      stop: async () => {
        for (const site of [a, b]) await site.ip('link del bench');
        await Promise.all(programs.map((program) => program.stop()));
      },
    };
  },
};

function ask(name: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(`/var/run/wireguard/${name}.sock`);
    socket.once('connect', () => socket.write(request));
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
