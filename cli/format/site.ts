import { formatAge } from '../../shared/format-age.ts';
import { formatPort } from '../../shared/format-port.ts';
import { formatVtep } from '../../shared/format-vtep.ts';
import type { Attachment, Site } from '../../src/contract/sites.ts';
import type { TunnelEnd } from '../../src/contract/wireguard.ts';
import { type Columns, formatFacts, formatLabels, formatTable } from './table.ts';

type SiteNetwork = Site['networks'][number];

/** @param now milliseconds since 1970. */
export function siteColumns(now: number): Columns<Site> {
  return [
    ['NAME', ({ name }) => name],
    ['STATUS', ({ status }) => status],
    ['KIND', ({ kind }) => kind],
    ['VTEP', ({ vtep }) => formatVtep(vtep)],
    ['NETWORKS', ({ networks }) => networks.length],
    ['IN STEP', formatInStep],
    ['SEEN', ({ lastSeenAt }) => formatSeen(lastSeenAt, now)],
    ['VERSION', ({ version }) => version],
    ['LABELS', ({ labels }) => formatLabels(labels)],
  ];
}

/** The site, and a line for each network that it carries. */
export function formatSite(site: Site, now: number): string {
  const facts = formatFacts([
    ['site', site.name],
    ['id', site.id],
    ['kind', site.kind],
    ['status', site.status],
    ['vtep', formatVtep(site.vtep)],
    ['wireguard', site.wireguard?.map(formatTunnelEnd).join(', ')],
    ['version', site.version],
    ['seen', formatSeen(site.lastSeenAt, now)],
    ['labels', Object.keys(site.labels).length === 0 ? undefined : formatLabels(site.labels)],
    ['where', site.where],
    ['created', site.createdAt],
  ]);
  return site.networks.length === 0 ? `${facts}\n\nno networks` : `${facts}\n\n${formatTable(site.networks, NETWORKS)}`;
}

export function formatAttachment({ vni, port, revision }: Attachment, site: string, network: string): string {
  return formatFacts([
    ['site', site],
    ['network', network],
    ['vni', vni],
    ['port', formatPort(port)],
    ['revision', revision],
  ]);
}

const NETWORKS: Columns<SiteNetwork> = [
  ['NETWORK', ({ name }) => name],
  ['VNI', ({ vni }) => vni],
  ['PORT', ({ port }) => formatPort(port)],
  ['TRANSPORT', ({ transport }) => transport],
  ['REVISION', ({ revision }) => revision],
  ['APPLIED', ({ appliedRevision }) => appliedRevision],
  ['LAG', ({ lag }) => lag],
  ['DIGEST', ({ digestMatch }) => (digestMatch === undefined ? undefined : digestMatch ? 'same' : 'differs')],
  ['ERROR', ({ error }) => error],
];

function formatTunnelEnd({ publicKey, endpoint }: TunnelEnd): string {
  return endpoint === null ? publicKey : `${publicKey} at ${formatVtep(endpoint)}`;
}

/** Of the networks whose tables the site's agent is given. */
function formatInStep({ kind, networks }: Site): string | undefined {
  if (kind === 'static' || networks.length === 0) return undefined;
  const inStep = networks.filter(({ lag, digestMatch }) => lag === 0 && digestMatch === true);
  return inStep.length === networks.length ? 'yes' : `${inStep.length} of ${networks.length}`;
}

function formatSeen(lastSeenAt: string | undefined, now: number): string | undefined {
  return lastSeenAt === undefined ? undefined : `${formatAge(lastSeenAt, now)} ago`;
}
