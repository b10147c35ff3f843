/** `npm run bench:dashboard`: what the page weighs, and how soon it can be used. `--write` keeps it in bench/README.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext } from 'playwright-core';
import { buildDashboard, DASHBOARD } from '../../tools/build-dashboard.ts';
import { launchChromium } from '../browser/chromium.ts';
import { OPERATOR_KEY, type Seeded, seedGateway, TENANT } from '../browser/seeded-gateway.ts';
import { Visitor } from '../browser/visitor.ts';
import { manySites, NETWORKS, SITES } from '../browser/world.ts';
import { describeMachine, formatMarkdown, type Line, median, quantile, writePart } from './report.ts';

const ROUNDS = 7;
const MACS = 100_000;

await buildDashboard();
const browser = await launchChromium();
const lines: Line[] = [...weights()];

const company = await seedGateway({ networks: NETWORKS, sites: SITES, hours: 24 });
lines.push([
  'overview usable, 12 sites',
  'from opening the address, nothing cached: median',
  ms(median(await openings(browser, company))),
  '1 s',
  '0.5 s',
]);
await fillTable(company);
const { loadedMs, frames } = await scrolling(browser, company);
lines.push([`MAC table of ${MACS.toLocaleString('en')} rows`, 'page usable', ms(loadedMs), '1 s', '0.5 s']);
lines.push([
  `MAC table of ${MACS.toLocaleString('en')} rows`,
  'frame while scrolling: median, p99',
  `${ms(median(frames))}, ${ms(quantile(frames, 0.99))}`,
  '50 ms',
  '17 ms',
]);
await company.stop();

const chain = await seedGateway({ ...manySites(500), hours: 0 });
lines.push([
  'overview usable, 500 sites',
  'from opening the address, nothing cached: median',
  ms(median(await openings(browser, chain))),
  '1 s',
  '0.5 s',
]);
await chain.stop();
await browser.close();

const table = formatMarkdown([['what', 'measured as', 'result', 'first', 'then'], ...lines]);
const text = `${describeMachine()}, Chromium ${browser.version()}\n\n${table}`;
console.log(text);
if (process.argv.includes('--write')) writePart(new URL('../../bench/README.md', import.meta.url), 'dashboard', text);

function weights(): Line[] {
  const assets = join(DASHBOARD, 'assets');
  const html = readFileSync(join(DASHBOARD, 'index.html'), 'utf8');
  const sizes = readdirSync(assets).map((name) => ({
    name,
    bytes: gzipSync(readFileSync(join(assets, name)), { level: 9 }).length,
  }));
  const kilobytes = (ending: string, isFirst: boolean): string => {
    const found = sizes.filter(({ name }) => name.endsWith(ending) && (!isFirst || html.includes(name)));
    return `${(found.reduce((sum, { bytes }) => sum + bytes, 0) / 1000).toFixed(1)} kB`;
  };
  return [
    ['first view', 'script, gzip', kilobytes('.js', true), '100 kB', '50 kB'],
    ['with charts and map', 'script, gzip', kilobytes('.js', false), '', ''],
    ['first view', 'styles, gzip', kilobytes('.css', true), '', ''],
  ];
}

/** @returns how long it took each time until the overview could be used, in ms. */
async function openings(of: Browser, { url }: Seeded): Promise<number[]> {
  const times: number[] = [];
  const signedIn = await Visitor.arrive(of, url);
  await signedIn.signIn(OPERATOR_KEY);
  const cookies = await signedIn.page.context().cookies();
  await signedIn.leave();
  for (let round = 0; round < ROUNDS; round++) {
    // A new context has nothing in its cache.
    const context: BrowserContext = await of.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addCookies(cookies);
    const page = await context.newPage();
    const from = performance.now();
    await page.goto(`${url}/t/${TENANT}`, { waitUntil: 'commit' });
    await page.locator('.tile').first().waitFor();
    times.push(performance.now() - from);
    await context.close();
  }
  return times;
}

function fillTable({ hear }: Seeded): Promise<void> {
  const macOf = (i: number): string =>
    `02:00:00:${(i | 0x1000000)
      .toString(16)
      .slice(1)
      .replace(/(..)(..)(..)/, '$1:$2:$3')}`;
  return hear(
    'oslo-dc',
    'tills',
    Array.from({ length: MACS }, (_, i) => macOf(i)),
  );
}

/** Scrolls through the table for some seconds, a screen at a time. @returns the time of each frame, in ms. */
async function scrolling(
  of: Browser,
  { url }: Seeded,
): Promise<{ readonly loadedMs: number; readonly frames: number[] }> {
  const visitor = await Visitor.arrive(of, url);
  await visitor.signIn(OPERATOR_KEY);
  const from = performance.now();
  await visitor.open(`/t/${TENANT}/networks/tills`);
  await visitor.page.getByRole('cell', { name: '02:00:00:00:00:00', exact: true }).waitFor();
  const loadedMs = performance.now() - from;
  const frames = await visitor.page.evaluate<number[]>(`new Promise((resolve) => {
    const frames = [];
    let last = performance.now();
    const step = (now) => {
      frames.push(now - last);
      last = now;
      scrollBy(0, 700);
      if (frames.length < 600) requestAnimationFrame(step);
      else resolve(frames);
    };
    requestAnimationFrame(step);
  })`);
  await visitor.leave();
  return { loadedMs, frames };
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
