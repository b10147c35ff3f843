/** What the kernel forwards by, as people and tools are shown it. Pure. */
import type { FdbEntry, NetworkFdb, VtepAddress } from '../datapath/datapath.ts';
import type { Links } from './devices.ts';
import type { Forwarding } from './forwarding.ts';
import type { WantedNetwork } from './wanted-network.ts';

/** @param links for the names of ports. */
export function fdbOf(
  { settings }: WantedNetwork,
  { installed, local, learned }: Forwarding,
  links: Links,
): NetworkFdb {
  const names = new Map([...links].map(({ index, name }) => [index, name]));
  const entries: FdbEntry[] = [];
  for (const [mac, entry] of installed.macs) {
    if (entry.address !== '') entries.push({ mac, to: { vtep: addressOf(entry) }, origin: 'registry' });
  }
  for (const [mac, { index, ageSeconds }] of local) {
    entries.push({ mac, to: { port: names.get(index) ?? `index ${index}` }, origin: 'learned', ageSeconds });
  }
  for (const [mac, entry] of learned) {
    entries.push({ mac, to: { vtep: addressOf(entry) }, origin: 'learned', ageSeconds: entry.ageSeconds });
  }
  return { vni: settings.vni, name: settings.name, flood: [...installed.flood.values()].map(addressOf), entries };
}

function addressOf({ address, port }: VtepAddress): VtepAddress {
  return { address, port };
}
