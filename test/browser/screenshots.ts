/** `npm run screenshots`: pictures of every page into docs/images, light and dark, wide and narrow. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { buildDashboard } from '../../tools/build-dashboard.ts';
import { launchChromium } from './chromium.ts';
import { toPalette } from './palette-png.ts';
import { OPERATOR_KEY, type Seeded, seedGateway, TENANT } from './seeded-gateway.ts';
import { Visitor } from './visitor.ts';
import { manySites, NETWORKS, SITES } from './world.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images', import.meta.url));
const SCREENS = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
const COLOURS = ['light', 'dark'] as const;

/** What is photographed: the address, and what has to be there before it is. */
const PAGES: readonly (readonly [name: string, path: string, until: string])[] = [
  ['overview', `/t/${TENANT}`, '.tile .value:has-text("bit/s")'],
  ['map', `/t/${TENANT}/map`, '.link.flowing'],
  ['networks', `/t/${TENANT}/networks`, 'td:has-text("bit/s")'],
  ['network', `/t/${TENANT}/networks/tills`, 'td:has-text("bit/s")'],
  ['new-network', `/t/${TENANT}/networks?new=1`, 'dialog'],
  ['sites', `/t/${TENANT}/sites`, 'td:has-text("bit/s")'],
  ['site', `/t/${TENANT}/sites/oslo-dc`, 'td:has-text("bit/s")'],
  ['add-site', `/t/${TENANT}/add-site`, '.form'],
  ['events', `/t/${TENANT}/events`, 'td'],
  ['tokens', `/t/${TENANT}/tokens`, 'td'],
  ['access', `/t/${TENANT}/keys`, 'td'],
  ['usage', `/t/${TENANT}/usage`, '.u-legend'],
  ['tenants', '/operator/tenants', 'td'],
  ['pools', '/operator/pools', 'td'],
  ['vni-space', '/operator/vnis', '.pool-bar'],
];

mkdirSync(FOLDER, { recursive: true });
await buildDashboard();
const browser = await launchChromium();
let bytes = 0;

const company = await seedGateway({ networks: NETWORKS, sites: SITES, hours: 24, offline: ['molde'], isLived: true });
for (const colours of COLOURS) {
  for (const screen of ['desktop', 'phone'] as const) await photograph(browser, company, colours, screen);
}
await company.stop();

const chain = await seedGateway({ ...manySites(500), hours: 0, offline: ['shop-017', 'shop-040'] });
for (const colours of COLOURS) {
  const visitor = await Visitor.arrive(browser, chain.url, { ...SCREENS.desktop, colours });
  await visitor.signIn(OPERATOR_KEY);
  await visitor.open(`/t/${TENANT}/map`);
  await visitor.page.locator('.link.flowing').nth(40).waitFor({ state: 'attached', timeout: 40_000 });
  await take(visitor, `map-of-500-${colours}-desktop`);
  await visitor.leave();
}
await chain.stop();
await browser.close();
console.log(`${(bytes / 1e6).toFixed(1)} MB in ${FOLDER}`);

async function photograph(
  of: Browser,
  { url }: Seeded,
  colours: (typeof COLOURS)[number],
  screen: keyof typeof SCREENS,
): Promise<void> {
  const visitor = await Visitor.arrive(of, url, { ...SCREENS[screen], colours });
  await visitor.open('/');
  await visitor.heading('Sign in').waitFor();
  await take(visitor, `sign-in-${colours}-${screen}`);
  await visitor.signIn(OPERATOR_KEY);
  for (const [name, path, until] of PAGES) {
    await visitor.open(path);
    await visitor.page.locator(until).first().waitFor({ state: 'attached' });
    await visitor.page.locator('.skeleton').first().waitFor({ state: 'detached' });
    if ((await visitor.page.locator('.chart').count()) > 0) await visitor.page.locator('.u-legend').waitFor();
    await take(visitor, `${name}-${colours}-${screen}`);
  }
  if (visitor.complaints.length > 0) throw new Error(visitor.complaints.join('\n'));
  await visitor.leave();
}

async function take(visitor: Visitor, name: string): Promise<void> {
  const png = toPalette(await visitor.page.screenshot());
  bytes += png.length;
  writeFileSync(`${FOLDER}/${name}.png`, png);
}
