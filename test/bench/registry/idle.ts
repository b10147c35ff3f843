/** What a site costs in which nothing happens, and what a thousand of them cost a month. */
import type { CallCosts } from './calls.ts';
import { Fleet } from './fleet.ts';

/** How many seconds of an idle agent's life pass in one: few enough that the seconds it grants a keepalive are time enough here. */
const RATE = 40;
const SETTLING_MS = 1000;

/** Calls of one idle site in an hour, by what is called. */
export interface IdleHour {
  readonly pulls: number;
  readonly heartbeats: number;
  readonly sockets: number;
}

export function requestsOf({ pulls, heartbeats, sockets }: IdleHour): number {
  return pulls + heartbeats + sockets;
}

/** @param sites how many live through the hour side by side; the result is of one. */
export async function idleHour(sites: number): Promise<IdleHour> {
  const fleet = await Fleet.start();
  try {
    for (const agent of await fleet.prepare(sites)) await agent.join();
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    fleet.clock.run(RATE);
    const before = { ...fleet.heard };
    await new Promise((resolve) => setTimeout(resolve, (3600 / RATE) * 1000));
    const { pulls, heartbeats, sockets } = fleet.heard;
    return {
      pulls: (pulls - before.pulls) / sites,
      heartbeats: (heartbeats - before.heartbeats) / sites,
      sockets: (sockets - before.sockets) / sites,
    };
  } finally {
    await fleet.stop();
  }
}

/** List prices in dollars per million, and how many millions a month the paid plan has in it (developers.cloudflare.com). */
const PRICES = {
  requests: { dollars: 0.3, included: 10 },
  objectRequests: { dollars: 0.15, included: 1 },
  rowsRead: { dollars: 0.001, included: 25_000 },
  rowsWritten: { dollars: 1, included: 50 },
} as const;

export type Resource = keyof typeof PRICES;
const HOURS_PER_MONTH = 730;
const HOUSEKEEPINGS_PER_HOUR = 60;

export interface Bill {
  /** Millions a month. */
  readonly used: Readonly<Record<Resource, number>>;
  /** Dollars a month at list prices: of all that is used, and of what the plan doesn't have in it. */
  readonly listed: number;
  readonly beyondPlan: number;
}

/** A month of so many idle sites, by what their calls cost a store. */
export function monthOf(sites: number, hour: IdleHour, calls: CallCosts): Bill {
  const siteHours = sites * HOURS_PER_MONTH;
  const housekeepings = HOURS_PER_MONTH * HOUSEKEEPINGS_PER_HOUR;
  const { 'nothing new': pull, heartbeat, 'housekeeping, nothing due': housekeeping } = calls;
  const rows = (kind: 'read' | 'written'): number =>
    siteHours * (hour.pulls * pull[kind] + hour.heartbeats * heartbeat[kind]) + housekeepings * housekeeping[kind];
  const used: Record<Resource, number> = {
    requests: (siteHours * requestsOf(hour) + housekeepings) / 1e6,
    objectRequests: (siteHours * hour.sockets) / 1e6,
    rowsRead: rows('read') / 1e6,
    rowsWritten: rows('written') / 1e6,
  };
  const resources = Object.keys(PRICES) as Resource[];
  const sum = (charge: (resource: Resource) => number): number =>
    resources.reduce((total, resource) => total + charge(resource) * PRICES[resource].dollars, 0);
  return {
    used,
    listed: sum((resource) => used[resource]),
    beyondPlan: sum((resource) => Math.max(0, used[resource] - PRICES[resource].included)),
  };
}
