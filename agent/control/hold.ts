/**
 * When to doubt the gateway: an update that takes away more than half of a network's peers, and more than one, without saying that somebody
 * asked for it, is not put in force until a snapshot has said the same again. What can be behind it is a database restored from an old
 * backup, or an operator's slip; to go on by the old table for one more pull costs little, to go dark by mistake a lot.
 *
 * The update is held as a whole: updates are in order, and it is for one pull.
 */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { LastGood } from './merge.ts';

/** The sites whose removal is held, by VNI: of networks in which nothing is, nothing. */
export type Held = ReadonlyMap<number, ReadonlySet<string>>;

/**
 * @param table in force
 * @param update that follows it, or is a snapshot
 * @param before what is held since the last update, which a snapshot may confirm
 * @returns what is to be held: empty where the update may be put in force.
 */
export function removalsToHold(table: LastGood, update: TableUpdate, before: Held): Held {
  const held = new Map<number, ReadonlySet<string>>();
  let isDoubtful = false;
  for (const [vni, removed] of removals(table, update)) {
    const peers = table.networks.get(vni)!.vteps.size;
    if (removed.size <= 1 || removed.size * 2 <= peers) continue;
    held.set(vni, removed);
    isDoubtful ||= !(update.kind === 'snapshot' && removed.isSubsetOf(before.get(vni) ?? NONE));
  }
  return isDoubtful ? held : new Map();
}

const NONE: ReadonlySet<string> = new Set();

/** The peers that go though nobody asked for it, by VNI. */
function removals(table: LastGood, update: TableUpdate): Map<number, ReadonlySet<string>> {
  const removed = new Map<number, ReadonlySet<string>>();
  if (update.kind === 'snapshot') {
    const next = new Map(update.networks.map((network) => [network.vni, network]));
    for (const [vni, { header, vteps }] of table.networks) {
      const network = next.get(vni);
      const stays = network?.network === header.network ? new Set(network.vteps.map(({ site }) => site)) : NONE;
      removed.set(vni, new Set(vteps.keys()).difference(stays));
    }
    return removed;
  }
  for (const { vni, vteps, gone, intended } of update.networks) {
    const known = table.networks.get(vni)?.vteps;
    if (known === undefined || gone === undefined || intended) continue;
    const set = new Set(vteps.map(({ site }) => site));
    removed.set(vni, new Set(gone.vteps.filter((site) => known.has(site) && !set.has(site))));
  }
  if (update.intended !== true) {
    for (const vni of update.goneNetworks ?? []) {
      removed.set(vni, new Set(table.networks.get(vni)?.vteps.keys()));
    }
  }
  return removed;
}
