/** What is not well in a tenant, out of its rows as they are. */
import { ALERT_KINDS, type Alerts } from '../contract/alerts.ts';
import type { SiteKind } from '../contract/sites.ts';
import { siteStatusOf } from './site-status.ts';
import { type Standing, stepOf } from './standing.ts';

export type Alert = Alerts['items'][number];

interface Thing {
  readonly id: string;
  readonly name: string;
}

export interface AlertSite extends Thing {
  readonly kind: SiteKind;
  readonly disabled: boolean;
  readonly hash: number;
  readonly lastSeen: number | null;
  readonly onlineUntil: number | null;
  readonly behindSince: number | null;
}

export interface AlertNetwork extends Thing {
  readonly digest: number;
  readonly macs: number;
}

export interface FrozenMac {
  readonly mac: string;
  readonly networkId: string;
  readonly siteId: string;
  readonly frozenAt: number;
  readonly frozenUntil: number;
}

export interface AlertRows {
  readonly sites: readonly AlertSite[];
  readonly networks: readonly AlertNetwork[];
  readonly attachments: readonly (Standing & { readonly siteId: string; readonly networkId: string })[];
  readonly frozen: readonly FrozenMac[];
  readonly usage: readonly { readonly of: string; readonly used: number; readonly limit: number }[];
  readonly macsLimit: number;
}

/** A change takes a moment on its way: only who is behind for longer is. */
const BEHIND_MS = 15_000;

/** @returns all of them, the worst kinds first. Of a site that is offline nothing else is said: it can't be helped until it is back. */
export function alertsOf(rows: AlertRows, now: number): Alert[] {
  const sites = new Map(rows.sites.map((site) => [site.id, site]));
  const networks = new Map(rows.networks.map((network) => [network.id, network]));
  const isOffline = (site: AlertSite): boolean => siteStatusOf(site, now) === 'offline';
  return [
    ...rows.sites.filter(isOffline).map(offline),
    ...rows.frozen.map((mac) => frozen(mac, networks, sites)),
    ...rows.attachments.flatMap((one) => {
      const [site, network] = [sites.get(one.siteId), networks.get(one.networkId)];
      return site === undefined || network === undefined || isOffline(site) ? [] : ofStanding(one, site, network, now);
    }),
    ...rows.usage.filter(isNear).map(({ of, used, limit }) => quota(`${used} of ${limit} ${of}`)),
    ...rows.networks
      .map((network) => ({ network, used: network.macs, limit: rows.macsLimit }))
      .filter(isNear)
      .map(({ network, used, limit }) => quota(`${used} of ${limit} MAC addresses`, network)),
  ].toSorted((a, b) => ALERT_KINDS.indexOf(a.kind) - ALERT_KINDS.indexOf(b.kind));
}

function offline(site: AlertSite): Alert {
  const detail =
    'It does not answer. What it carries goes on by its last good table, where only the way to here is cut.';
  return { kind: 'site_offline', site: nameOf(site), ...sinceOf(site.lastSeen), detail };
}

function frozen(mac: FrozenMac, networks: ReadonlyMap<string, Thing>, sites: ReadonlyMap<string, Thing>): Alert {
  const [network, site] = [networks.get(mac.networkId), sites.get(mac.siteId)];
  return {
    kind: 'mac_frozen',
    ...(site === undefined ? {} : { site: nameOf(site) }),
    ...(network === undefined ? {} : { network: nameOf(network) }),
    mac: mac.mac,
    ...sinceOf(mac.frozenAt),
    detail: `It moved too often: it is at two places, or in a loop. It stays where it is until ${timeOf(mac.frozenUntil)}.`,
  };
}

function ofStanding(one: Standing, site: AlertSite, network: AlertNetwork, now: number): Alert[] {
  const at = { site: nameOf(site), network: nameOf(network) };
  const reported = sinceOf(site.lastSeen);
  const alerts: Alert[] = [];
  const { said } = one;
  switch (stepOf(one, site, network.digest)) {
    case 'error':
      alerts.push({ kind: 'network_error', ...at, ...reported, detail: said?.error ?? '' });
      break;
    case 'differs': {
      const detail =
        'All changes are applied, and the table is still not the registry’s: the agent is about to pull all of it.';
      alerts.push({ kind: 'digest_mismatch', ...at, ...reported, detail });
      break;
    }
    case 'behind':
      if (site.behindSince !== null && site.behindSince <= now - BEHIND_MS) {
        const detail = `It has applied revision ${said?.revision} of ${one.revision}.`;
        alerts.push({ kind: 'behind', ...at, ...sinceOf(site.behindSince), detail });
      }
  }
  if (one.isLive && said !== null && said.heldRemovals !== null) {
    const detail = `${said.heldRemovals} peers would go, and nobody asked for that: it goes on with them until it is told so again.`;
    alerts.push({ kind: 'removal_held', ...at, ...reported, detail });
  }
  return alerts;
}

function isNear({ used, limit }: { readonly used: number; readonly limit: number }): boolean {
  return used > 0 && used * 10 >= limit * 9;
}

function quota(detail: string, network?: Thing): Alert {
  return {
    kind: 'quota_near',
    ...(network === undefined ? {} : { network: nameOf(network) }),
    detail: `${detail} are in use.`,
  };
}

function nameOf({ id, name }: Thing): Thing {
  return { id, name };
}

function sinceOf(time: number | null): { since?: string } {
  return time === null ? {} : { since: timeOf(time) };
}

function timeOf(time: number): string {
  return new Date(time).toISOString();
}
