/** Builds what the demo shows: a gateway, a tenant with two networks, and four sites that joined. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Site as SiteRecord } from '../src/contract/sites.ts';
import { type Call, createApi } from './api.ts';
import { AGENT_ARGV, type Site } from './lab/site.ts';
import { until } from './lab/until.ts';
import { createLab, type Lab } from './lab.ts';

const GATEWAY = fileURLToPath(new URL('../src/hosts/node.ts', import.meta.url));
const GATEWAY_PORT = 8787;
export const TENANT = 'acme';
/** Both networks have it: what keeps them apart is not the addresses. */
export const SUBNET = '192.168.10.0/24';

/** Which networks each site carries; `blue` comes out on the interface `blue0`. */
export const SITES = {
  oslo: ['blue'],
  lima: ['blue'],
  kyoto: ['blue', 'green'],
  quito: ['green'],
} as const satisfies Record<string, readonly ('blue' | 'green')[]>;
export type SiteName = keyof typeof SITES;
export const SITE_NAMES = Object.keys(SITES) as SiteName[];

export interface World {
  readonly lab: Lab;
  readonly sites: Readonly<Record<SiteName, Site>>;
}

export interface Operator {
  readonly call: Call;
  /** Where agents reach the gateway. */
  readonly url: string;
}

/** Starts the gateway at the middle of the underlay, and serves it on the Unix socket at `socketPath` as well. */
export async function startGateway(lab: Lab, socketPath: string, keyPath: string): Promise<Operator> {
  const { hub } = lab;
  const key = randomBytes(32).toString('hex');
  await writeFile(keyPath, `${key}\n`, { mode: 0o600 });
  const gateway = hub.spawn([process.execPath, GATEWAY], {
    env: {
      HOST: hub.v4,
      PORT: String(GATEWAY_PORT),
      OVERLANE_DATA: join(lab.folder, 'gateway'),
      OVERLANE_OPERATOR_KEY: key,
    },
  });
  await new Promise<void>((resolve, reject) => {
    const relay = { do: 'relay', path: socketPath, to: hub.v4, port: GATEWAY_PORT } as const;
    hub.probe.start(relay, () => resolve()).result.catch(reject);
  });
  const call = createApi(socketPath, key);
  const healthy = until('the gateway to be ready', async () => {
    await call('GET', '/healthz');
    return true;
  });
  const ended = gateway.ended.then(() => Promise.reject(gateway.failure('ended')));
  await Promise.race([healthy, ended]);
  return { call, url: `http://${hub.v4}:${GATEWAY_PORT}` };
}

export async function makeTenant({ call }: Operator): Promise<void> {
  await call('POST', '/v1/tenants', { slug: TENANT, name: 'Acme Ltd' });
  for (const name of ['blue', 'green']) {
    await call('POST', `/v1/tenants/${TENANT}/networks`, { name, subnet: SUBNET });
  }
}

/** Enrols each site by a join token that attaches it to its first network; a second one is attached over the API. */
export async function joinSites({ call, url }: Operator, { lab, sites }: World): Promise<void> {
  const tokens = { blue: await joinToken(call, 'blue'), green: await joinToken(call, 'green') };
  await Promise.all(
    SITE_NAMES.map(async (name) => {
      const [first, ...others] = SITES[name];
      const site = sites[name];
      const join = ['join', '--gateway', url, '--name', name, '--state', stateOf(lab, name), '--vtep-address', site.v4];
      await site.exec([...AGENT_ARGV, ...join, '--allow-plain-http'], {
        env: { OVERLANE_JOIN_TOKEN: tokens[first] },
      });
      for (const network of others) {
        const path = `/v1/tenants/${TENANT}/sites/${name}/networks/${network}`;
        await call('PUT', path, { port: portOf(network) });
      }
    }),
  );
}

export async function startAgents({ lab, sites }: World): Promise<void> {
  await Promise.all(SITE_NAMES.map((name) => sites[name].agent({ state: stateOf(lab, name) })));
}

/** Waits until the registry has heard from every site that it forwards by the newest table. */
export async function converge({ call }: Operator): Promise<readonly SiteRecord[]> {
  const look = async (): Promise<readonly SiteRecord[] | undefined> => {
    const { items } = await call<{ items: readonly SiteRecord[] }>('GET', `/v1/tenants/${TENANT}/sites`);
    const current = items.flatMap(({ networks }) => networks.map(({ lag, digestMatch }) => lag === 0 && digestMatch));
    return items.length === SITE_NAMES.length && current.every(Boolean) ? items : undefined;
  };
  return until('every site to forward by the newest table', look, { timeoutMs: 40_000, everyMs: 50 });
}

/** Gives the host side of every port its overlay address: .1 for the first site, .2 for the second, … */
export async function giveAddresses({ sites }: World): Promise<void> {
  await Promise.all(
    SITE_NAMES.map((name) => {
      const first = SITES[name][0];
      return sites[name].address(`${first}0`, `${overlayAddress(name)}/24`);
    }),
  );
  // Kyoto's end of green has no address of its own, and there Linux must not answer ARP for those of its other interfaces.
  await sites.kyoto.exec(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/green0/arp_ignore']);
}

export function overlayAddress(name: SiteName): string {
  return SUBNET.replace(/0\/24$/, String(SITE_NAMES.indexOf(name) + 1));
}

/** @returns a key of the tenant's that may change its things: to sign in to the dashboard with. */
export async function keyFor({ call }: Operator): Promise<string> {
  const path = `/v1/tenants/${TENANT}/api-keys`;
  return (await call<{ key: string }>('POST', path, { name: 'Demo', role: 'admin' })).key;
}

/** @returns a token by which every site may join with this network. */
export async function joinToken(call: Call, network: string): Promise<string> {
  const path = `/v1/tenants/${TENANT}/join-tokens`;
  const body = { maxUses: SITE_NAMES.length, networks: [{ network, port: portOf(network) }] };
  return (await call<{ token: string }>('POST', path, body)).token;
}

function portOf(network: string): { readonly type: 'host'; readonly name: string } {
  return { type: 'host', name: `${network}0` };
}

function stateOf(lab: Lab, name: SiteName): string {
  return join(lab.folder, name);
}

export async function createWorld(): Promise<World> {
  const lab = await createLab();
  const made = await lab.sites(...SITE_NAMES);
  return { lab, sites: Object.fromEntries(made.map((site) => [site.name, site])) as Record<SiteName, Site> };
}
