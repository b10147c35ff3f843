/** How an agent stands, for people and their tools: the answer of `/status` on the agent's socket. */
import { formatDigest } from '../../src/contract/digest.ts';
import type { PortSpec } from '../../src/contract/port.ts';
import type { ApplyReport } from '../datapath/datapath.ts';
import type { Held } from './hold.ts';
import type { LastGood } from './merge.ts';
import type { PeerStatus } from './peer-status.ts';

/** Times are RFC 3339, UTC. */
export interface AgentStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly datapath: 'userspace' | 'kernel';
  readonly vtep: { readonly address: string | null; readonly port: number };
  /** Absent where the table is in a file. */
  readonly site?: { readonly id: string; readonly name: string; readonly tenant: string };
  readonly gateway?: { readonly url: string } & Contact;
  /** Absent where the table is in a file, or this host has no WireGuard. */
  readonly wireguard?: WireguardStatus;
  /** True where the gateway tells of changes as they happen; absent where the table is in a file. */
  readonly watching?: boolean;
  /** True where the gateway answers and every network is carried as the table says. */
  readonly inStep: boolean;
  readonly table: { readonly cursor: string; readonly changedAt: string } | null;
  readonly networks: readonly NetworkStatus[];
  readonly peers?: readonly PeerStatus[];
}

export interface WireguardStatus {
  /** What peers send to, in base64. */
  readonly publicKey: string;
  /** UDP. */
  readonly port: number;
  /** Where the gateway tells peers that it is; null where it was not said yet, or nobody knows. */
  readonly address: string | null;
  /** While the site moves from one key to another: the other one, and how many peers have to follow. */
  readonly moving?: { readonly publicKey: string; readonly waitingFor: number | null };
  /** Why the gateway has not taken it, in one line. */
  readonly error?: string;
  /** What carries encrypted networks. */
  readonly datapath: AgentStatus['datapath'];
  /** Sites that there is no session with, by where each is within the tunnel and on the underlay. */
  readonly withoutSession: readonly {
    readonly address: string;
    /** Null where nobody knows: only that site can begin. */
    readonly endpoint: { readonly address: string; readonly port: number } | null;
  }[];
}

export interface Contact {
  /** `starting` until the first try ended. */
  readonly state: 'starting' | 'reachable' | 'unreachable' | 'refused';
  /** When this state began. */
  readonly since: string;
  readonly lastContactAt?: string;
  /** Why it is not reachable, in one line. */
  readonly error?: string;
}

export interface NetworkStatus {
  readonly vni: number;
  readonly name: string;
  readonly transport: string;
  readonly port: PortSpec;
  /** In force on the port; the table's where the network is not carried. */
  readonly mtu: number;
  readonly peers: number;
  readonly macs: number;
  readonly revision: number;
  readonly digest: string;
  readonly inStep: boolean;
  /** How many peers would go by what the gateway said last, which is held until it says so again. */
  readonly heldRemovals?: number;
  readonly error?: string;
}

/** @param outage why nothing at all is carried as the table says, where that is so. */
export function networkStatuses(
  table: LastGood | null,
  report: ApplyReport,
  outage: string | null,
  held: Held = new Map(),
): NetworkStatus[] {
  const networks = [...(table?.networks.values() ?? [])].sort((a, b) => a.header.vni - b.header.vni);
  return networks.map(({ header, vteps, macs, digest }) => {
    const heldRemovals = held.get(header.vni)?.size;
    const doubt =
      heldRemovals === undefined
        ? undefined
        : `${heldRemovals} of ${vteps.size} peers would go: held until the gateway says it again`;
    const error = outage ?? report.errors.get(header.vni) ?? doubt;
    return {
      vni: header.vni,
      name: header.name,
      transport: header.transport ?? 'plain',
      port: header.port,
      mtu: report.mtus.get(header.vni) ?? header.mtu,
      peers: vteps.size,
      macs: macs.size,
      revision: header.revision,
      digest: formatDigest(digest),
      inStep: error === undefined,
      ...(heldRemovals === undefined ? {} : { heldRemovals }),
      ...(error === undefined ? {} : { error }),
    };
  });
}
