/** How a gateway behaves, whichever host it is on: one suite, run on each. Every test makes a tenant of its own. */
import { afterAll, beforeAll, describe } from 'vitest';
import type { Host } from './host.ts';
import { CLIENT_ID, CLIENT_SECRET, Issuer } from './issuer.ts';
import { type Settings, testSettings } from './settings.ts';
import { badInput } from './suite/bad-input.ts';
import { contract } from './suite/contract.ts';
import { convergence } from './suite/convergence.ts';
import { credentials } from './suite/credentials.ts';
import { dashboard } from './suite/dashboard.ts';
import { encryption } from './suite/encryption.ts';
import { enrolment } from './suite/enrolment.ts';
import { events } from './suite/events.ts';
import { http } from './suite/http.ts';
import { idempotency } from './suite/idempotency.ts';
import { isolation } from './suite/isolation.ts';
import { live } from './suite/live.ts';
import { macReports } from './suite/mac-reports.ts';
import { macs } from './suite/macs.ts';
import { members } from './suite/members.ts';
import { networks } from './suite/networks.ts';
import { oidc } from './suite/oidc.ts';
import { overview } from './suite/overview.ts';
import { paths } from './suite/paths.ts';
import { sessions } from './suite/sessions.ts';
import { sites } from './suite/sites.ts';
import { tables } from './suite/tables.ts';
import { tenants } from './suite/tenants.ts';
import { vniPools } from './suite/vni-pools.ts';
import { watching } from './suite/watch.ts';

/** @param start starts a gateway with these settings. */
export function gatewaySuite(name: string, start: (settings: Settings) => Promise<Host>): void {
  let running: Host | undefined;
  let issuer: Issuer | undefined;
  const host = () => running!;

  describe(name, () => {
    beforeAll(async () => {
      issuer = await Issuer.start();
      running = await start({
        ...testSettings,
        OVERLANE_OIDC_ISSUER: issuer.url,
        OVERLANE_OIDC_CLIENT_ID: CLIENT_ID,
        OVERLANE_OIDC_CLIENT_SECRET: CLIENT_SECRET,
        OVERLANE_OPERATORS: 'boss@example.com, the-boss',
      });
    });
    afterAll(async () => {
      await running?.close();
      issuer?.close();
    });

    describe('http', () => http(host));
    describe('dashboard', () => dashboard(host));
    describe('tenants and keys', () => tenants(host));
    describe('networks and VNIs', () => networks(host));
    describe('VNI pools', () => vniPools(host));
    describe('sites and attachments', () => sites(host));
    describe('enrolment', () => enrolment(host));
    describe('contract', () => contract(host));
    describe('credentials', () => credentials(host));
    describe('sessions', () => sessions(host));
    describe('identity provider', () => oidc(host, () => issuer!));
    describe('members', () => members(host));
    describe('overview', () => overview(host));
    describe('looking', () => live(host));
    describe('tables', () => tables(host));
    describe('encryption', () => encryption(host));
    describe('paths between sites', () => paths(host));
    describe('events and usage', () => events(host));
    describe('watching', () => watching(host));
    describe('idempotency keys', () => idempotency(host));
    describe('MAC addresses that agents report', () => macReports(host));
    describe('MAC addresses', () => macs(host));
    describe('convergence', () => convergence(host));
    describe('isolation', () => isolation(host));
    describe('bad input', () => badInput(host));
  });
}
