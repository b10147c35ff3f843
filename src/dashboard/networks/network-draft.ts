/** A network as it is being typed, and as the gateway takes it. */
import type { Network } from '../../contract/networks.ts';

/** The contract's `DEFAULT_MTU`, which a test holds it to. */
export const FIRST_MTU = 1450;

export interface NetworkDraft {
  readonly name: string;
  readonly vni: string;
  readonly mtu: string;
  readonly subnet: string;
  readonly description: string;
  readonly flood: Network['flood'];
  readonly antiSpoof: Network['antiSpoof'];
  readonly multicastGroup: string;
  readonly arpSuppression: boolean;
  /** Empty: as the tenant has it. */
  readonly transport: Network['transport'] | '';
}

export function networkDraft(network?: Network): NetworkDraft {
  return {
    name: network?.name ?? '',
    vni: network === undefined ? '' : String(network.vni),
    mtu: String(network?.mtu ?? FIRST_MTU),
    subnet: network?.subnet ?? '',
    description: network?.description ?? '',
    flood: network?.flood ?? 'headend',
    antiSpoof: network?.antiSpoof ?? 'vtep',
    multicastGroup: network?.multicastGroup ?? '',
    arpSuppression: network?.arpSuppression ?? false,
    transport: network?.transport ?? '',
  };
}

/** What to send: all that was filled in for a new one, what is another than before for one that is there. */
export function networkBody(draft: NetworkDraft, network?: Network): Record<string, unknown> {
  const body: Record<string, unknown> = {
    name: draft.name.trim(),
    mtu: numberOf(draft.mtu),
    subnet: draft.subnet.trim() || null,
    description: draft.description.trim() || null,
    flood: draft.flood,
    multicastGroup: draft.flood === 'multicast' ? draft.multicastGroup.trim() || null : null,
    antiSpoof: draft.antiSpoof,
    arpSuppression: draft.arpSuppression,
    transport: draft.transport || null,
  };
  if (network === undefined) {
    if (draft.vni.trim() !== '') body.vni = numberOf(draft.vni);
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  }
  const before = networkBody(networkDraft(network));
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== (before[name] ?? null)));
}

/** What isn't a number is sent as it was typed: the gateway says what would be right. */
export function numberOf(text: string): number | string {
  const trimmed = text.trim().replaceAll(/[ ,_]/g, '');
  return /^\d+$/.test(trimmed) ? Number(trimmed) : text;
}
