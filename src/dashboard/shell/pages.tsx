/** Which page an address is. */
import type { ComponentChildren } from 'preact';
import { EventsPage } from '../events/events-page.tsx';
import { GatewayEventsPage } from '../events/gateway-events-page.tsx';
import { AccessPage } from '../keys/access-page.tsx';
import { MapPage } from '../map/map-page.tsx';
import { NetworkPage } from '../networks/network-page.tsx';
import { NetworksPage } from '../networks/networks-page.tsx';
import { PoolsPage } from '../operator/pools-page.tsx';
import { TenantsPage } from '../operator/tenants-page.tsx';
import { VniSpacePage } from '../operator/vni-space-page.tsx';
import { OverviewPage } from '../overview/overview-page.tsx';
import { match } from '../route/match.ts';
import { AddSitePage } from '../sites/add-site-page.tsx';
import { SitePage } from '../sites/site-page.tsx';
import { SitesPage } from '../sites/sites-page.tsx';
import { TokensPage } from '../tokens/tokens-page.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { UsagePage } from '../usage/usage-page.tsx';

type Draw = (params: Readonly<Record<string, string>>) => ComponentChildren;

const TENANT: readonly (readonly [pattern: string, draw: Draw])[] = [
  ['/t/:tenant', () => <OverviewPage />],
  ['/t/:tenant/map', () => <MapPage />],
  ['/t/:tenant/networks', () => <NetworksPage />],
  ['/t/:tenant/networks/:network', ({ network = '' }) => <NetworkPage name={network} />],
  ['/t/:tenant/sites', () => <SitesPage />],
  ['/t/:tenant/add-site', () => <AddSitePage />],
  ['/t/:tenant/sites/:site', ({ site = '' }) => <SitePage name={site} />],
  ['/t/:tenant/events', () => <EventsPage />],
  ['/t/:tenant/tokens', () => <TokensPage />],
  ['/t/:tenant/keys', () => <AccessPage />],
  ['/t/:tenant/usage', () => <UsagePage />],
];

const OPERATOR: readonly (readonly [pattern: string, draw: Draw])[] = [
  ['/operator/tenants', () => <TenantsPage />],
  ['/operator/pools', () => <PoolsPage />],
  ['/operator/vnis', () => <VniSpacePage />],
  ['/operator/events', () => <GatewayEventsPage />],
];

export function Pages({ path, isOperator }: { readonly path: string; readonly isOperator: boolean }) {
  for (const [pattern, draw] of isOperator ? [...TENANT, ...OPERATOR] : TENANT) {
    const params = match(pattern, path);
    // By address, so that a page never shows what another was doing.
    if (params !== null) return <div key={path}>{draw(params)}</div>;
  }
  if (path === '/' || path === '/sign-in') return null;
  return (
    <Page title="No such page">
      <Empty icon="search" title="There is nothing at this address">
        The link may be old, or mistyped. The menu leads to everything that is there.
      </Empty>
    </Page>
  );
}
