/** What the pictures show: a company with shops and depots, as it might be. */

export interface SeedNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly description: string;
  readonly vni?: number;
  /** Bits a second that a site sends there on a busy afternoon. */
  readonly bits: number;
}

export const NETWORKS: readonly SeedNetwork[] = [
  { name: 'tills', subnet: '10.20.0.0/16', description: 'Card terminals and tills of all shops', bits: 4e6 },
  { name: 'voice', subnet: '10.30.0.0/16', description: 'Phones, and the exchange in Oslo', bits: 9e5 },
  { name: 'cameras', subnet: '10.40.0.0/16', description: 'Cameras; recorded in Bergen', bits: 3.8e7 },
  {
    name: 'storage',
    subnet: '10.50.0.0/24',
    description: 'Replication between the two data centres',
    vni: 7100,
    bits: 8.2e8,
  },
  { name: 'lab', subnet: '2001:db8:7::/64', description: 'Trials of the network team', bits: 2e5 },
];

export interface SeedSite {
  readonly name: string;
  readonly where: string;
  readonly networks: readonly string[];
}

const SHOP = ['tills', 'voice', 'cameras'];

export const SITES: readonly SeedSite[] = [
  { name: 'oslo-dc', where: 'Oslo, Ulven hall 2', networks: [...SHOP, 'storage', 'lab'] },
  { name: 'bergen-dc', where: 'Bergen, Kokstad', networks: ['cameras', 'storage', 'lab'] },
  { name: 'trondheim', where: 'Trondheim, Solsiden', networks: SHOP },
  { name: 'stavanger', where: 'Stavanger, Arkaden', networks: SHOP },
  { name: 'tromso', where: 'Tromsø, Storgata', networks: SHOP },
  { name: 'bodo', where: 'Bodø, Glasshuset', networks: SHOP },
  { name: 'drammen', where: 'Drammen depot', networks: ['tills', 'cameras'] },
  { name: 'hamar', where: 'Hamar, CC', networks: SHOP },
  { name: 'alesund', where: 'Ålesund, Kremmergaarden', networks: ['tills', 'voice'] },
  { name: 'kristiansand', where: 'Kristiansand, Sandens', networks: SHOP },
  { name: 'molde', where: 'Molde, Amfi', networks: SHOP },
  { name: 'harstad', where: 'Harstad, Kanebogen', networks: ['tills', 'voice'] },
];

/** How much of its most a network carries at that time of day, from 0 to 1. @param at milliseconds since 1970. */
export function busyness(at: number, site: number): number {
  const hour = (at / 3_600_000) % 24;
  const day = Math.max(0, Math.sin(((hour - 6) / 15) * Math.PI));
  const ripple = 0.5 + 0.5 * Math.sin(at / 1_700_000 + site * 1.7) * Math.cos(at / 620_000 + site);
  return 0.08 + 0.62 * (hour > 6 && hour < 21 ? day : 0) + 0.3 * ripple * (0.3 + 0.7 * day);
}

/** @returns so many sites in as many networks as that takes, for the map. */
export function manySites(count: number): {
  readonly networks: readonly SeedNetwork[];
  readonly sites: readonly SeedSite[];
} {
  const regions = Math.max(2, Math.round(count / 25));
  const networks = Array.from({ length: regions + 2 }, (_, i) => ({
    name: i === 0 ? 'backbone' : i === 1 ? 'voice' : `region-${i - 1}`,
    subnet: `10.${i + 1}.0.0/16`,
    description: '',
    bits: 1e6,
  }));
  const sites = Array.from({ length: count }, (_, i) => ({
    name: `shop-${String(i + 1).padStart(3, '0')}`,
    where: '',
    networks: [`region-${(i % regions) + 1}`, ...(i % 9 === 0 ? ['backbone'] : []), ...(i % 14 === 3 ? ['voice'] : [])],
  }));
  return { networks, sites };
}
