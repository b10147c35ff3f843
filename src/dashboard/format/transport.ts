/** How frames of a network go from site to site. */
import type { Network } from '../../contract/networks.ts';
import type { Topology } from '../../contract/topology.ts';

export const TRANSPORT_WORDS: Readonly<Record<Network['transport'], string>> = {
  plain: 'Plain',
  wireguard: 'WireGuard',
};

export const TRANSPORT_MEANINGS: Readonly<Record<Network['transport'], string>> = {
  plain: 'Who can read the underlay can read its frames.',
  wireguard: 'Its frames are encrypted between sites.',
};

/** True where a site carries nothing of a network, which must be encrypted, since it can't. */
export function isBlind(
  site: Topology['sites'][number],
  network: { readonly transport?: Network['transport'] | undefined },
): boolean {
  return network.transport === 'wireguard' && site.encrypts === false;
}
