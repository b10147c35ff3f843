/**
 * `run --config FILE`: the table in a file, for sites without a gateway.
 *
 * Peers have no site ids here, so a peer is named by its VTEP, `address:port`. A MAC of the table names the VTEP behind which it is
 * by its address. Fields that this version could not honour are errors, as unknown ones are.
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { errorCode, Failure } from '../shared/failure.ts';
import { describeFaults } from '../shared/faults.ts';
import { digestOf, formatDigest } from '../src/contract/digest.ts';
import { DEFAULT_MTU } from '../src/contract/networks.ts';
import { InterfaceNameSchema } from '../src/contract/port.ts';
import {
  MacSchema,
  MtuSchema,
  NameSchema,
  UdpPortSchema,
  UnicastIpSchema,
  VniSchema,
  VXLAN_PORT,
} from '../src/contract/primitives.ts';
import { AntiSpoofSchema, type MacRow, type NetworkTable, type Snapshot, type Vtep } from '../src/contract/table.ts';
import { DSCP_MODES, type ForwardingRules } from './datapath/forwarding-rules.ts';

export const DATAPATHS = ['userspace', 'kernel', 'auto'] as const;
export type DatapathChoice = (typeof DATAPATHS)[number];

const VtepConfigSchema = v.strictObject({ address: UnicastIpSchema, port: v.optional(UdpPortSchema, VXLAN_PORT) });

const NetworkConfigSchema = v.strictObject({
  vni: VniSchema,
  name: v.optional(NameSchema),
  mtu: v.optional(MtuSchema, DEFAULT_MTU),
  port: v.variant(
    'type',
    [
      v.strictObject({ type: v.literal('host'), name: InterfaceNameSchema }),
      v.strictObject({ type: v.literal('bridge'), name: InterfaceNameSchema }),
    ],
    'must be {"type": "host", "name": …} or {"type": "bridge", "name": …}',
  ),
  flood: v.optional(v.picklist(['headend', 'none'], 'must be "headend" or "none"'), 'headend'),
  antiSpoof: v.optional(AntiSpoofSchema, 'vtep'),
  vteps: v.array(VtepConfigSchema, 'must be a list of {"address", "port"}'),
  macs: v.optional(
    v.array(
      v.strictObject({
        mac: MacSchema,
        ip: v.optional(UnicastIpSchema),
        /** Of the VTEP that it is behind; with its port where two VTEPs share the address. */
        address: UnicastIpSchema,
        port: v.optional(UdpPortSchema),
      }),
      'must be a list of {"mac", "address"}',
    ),
    [],
  ),
});

const THREADS_MESSAGE = 'must be a whole number from 1 to 16';
/** How many threads forward. */
export const ThreadsSchema = v.pipe(
  v.number(THREADS_MESSAGE),
  v.integer(THREADS_MESSAGE),
  v.minValue(1, THREADS_MESSAGE),
  v.maxValue(16, THREADS_MESSAGE),
);

const ConfigSchema = v.strictObject({
  vtep: v.strictObject({ address: v.optional(UnicastIpSchema), port: v.optional(UdpPortSchema, VXLAN_PORT) }),
  datapath: v.optional(v.picklist(DATAPATHS, 'must be "userspace", "kernel" or "auto"'), 'auto'),
  dscp: v.optional(v.picklist(DSCP_MODES, 'must be "zero" or "copy"'), 'zero'),
  clampMss: v.optional(v.boolean('must be true or false'), false),
  threads: v.optional(ThreadsSchema),
  networks: v.array(NetworkConfigSchema, 'must be a list of networks'),
});
type NetworkConfig = v.InferOutput<typeof NetworkConfigSchema>;

export interface Config {
  /** What this site takes VXLAN on; address null for all of the host's. */
  readonly vtep: { readonly address: string | null; readonly port: number };
  readonly datapath: DatapathChoice;
  /** How many forward, where it says so. */
  readonly threads: number | null;
  readonly rules: ForwardingRules;
  readonly table: Snapshot;
}

/** @throws Failure that names the file and every bad field. */
export async function readConfig(path: string, revision: number): Promise<Config> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('configuration', `--config ${path} can't be read (${errorCode(error)})`, error);
  }
  const parsed = parseConfig(text, revision);
  if (parsed.kind === 'config') return parsed.config;
  throw new Failure('configuration', `--config ${path}: ${parsed.faults.join('; ')}`);
}

export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

/** @param revision which reading this is: 1 for the first. It is the table's revision. */
export function parseConfig(text: string, revision: number): ParsedConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { kind: 'faults', faults: [`is not JSON: ${error instanceof Error ? error.message : ''}`] };
  }
  const parsed = v.safeParse(ConfigSchema, json);
  if (!parsed.success) return { kind: 'faults', faults: describeFaults(parsed.issues) };
  const { vtep, datapath, dscp, clampMss, threads = null, networks } = parsed.output;
  const own = { address: vtep.address ?? null, port: vtep.port };
  const faults = contradictions(own, networks);
  if (faults.length > 0) return { kind: 'faults', faults };
  const table: Snapshot = {
    kind: 'snapshot',
    cursor: `config:${revision}`,
    networks: networks.map((network) => tableOf(network, revision)),
  };
  return { kind: 'config', config: { vtep: own, datapath, rules: { dscp, clampMss }, threads, table } };
}

/** What each field allows, but not all of them together. */
function contradictions(own: Config['vtep'], networks: readonly NetworkConfig[]): string[] {
  const faults: string[] = [];
  const seen = new Map<string, string>();
  const once = (key: string, path: string): void => {
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else faults.push(`${path}: is the same as ${first}`);
  };
  for (const [i, network] of networks.entries()) {
    const path = `networks.${i}`;
    once(`vni ${network.vni}`, `${path}.vni`);
    if (network.port.type === 'host') once(`host ${network.port.name}`, `${path}.port.name`);
    for (const [j, vtep] of network.vteps.entries()) {
      once(`vtep ${i} ${siteOf(vtep)}`, `${path}.vteps.${j}`);
      if (own.address === null) continue;
      if (siteOf(vtep) === `${own.address}:${own.port}`) {
        faults.push(`${path}.vteps.${j}: is this site's own VTEP; list the others only`);
      } else if (vtep.address.includes(':') !== own.address.includes(':')) {
        faults.push(`${path}.vteps.${j}.address: must be of the same family, IPv4 or IPv6, as vtep.address`);
      }
    }
    for (const [j, mac] of network.macs.entries()) {
      once(`mac ${i} ${mac.mac}`, `${path}.macs.${j}.mac`);
      const matches = vtepsOf(network, mac).length;
      if (matches === 0) faults.push(`${path}.macs.${j}.address: must be the address of one of the network's vteps`);
      if (matches > 1) faults.push(`${path}.macs.${j}.port: must say which of the ${matches} vteps of that address`);
    }
  }
  return faults;
}

function tableOf(network: NetworkConfig, revision: number): NetworkTable {
  const vteps: Vtep[] = network.vteps.map((vtep) => ({ site: siteOf(vtep), ...vtep }));
  const macs: MacRow[] = network.macs.map((entry) => ({
    mac: entry.mac,
    ...(entry.ip === undefined ? {} : { ip: entry.ip }),
    site: siteOf(vtepsOf(network, entry)[0]!),
    seq: 0,
    sticky: true,
  }));
  const name = network.name ?? `vni-${network.vni}`;
  return {
    vni: network.vni,
    network: name,
    name,
    mtu: network.mtu,
    port: network.port,
    flood: network.flood,
    antiSpoof: network.antiSpoof,
    arpSuppression: false,
    revision,
    digest: formatDigest(digestOf({ vteps, macs })),
    vteps,
    macs,
  };
}

function vtepsOf({ vteps }: NetworkConfig, mac: NetworkConfig['macs'][number]): NetworkConfig['vteps'] {
  return vteps.filter(({ address, port }) => address === mac.address && (mac.port ?? port) === port);
}

function siteOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address}:${port}`;
}
