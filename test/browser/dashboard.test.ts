/** The dashboard in a real browser, in front of a real gateway and real agents in network namespaces. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forward } from '../../demo/forward.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { buildDashboard } from '../../tools/build-dashboard.ts';
import { describeBrowserLab } from '../lab/describe-lab.ts';
import { Overlay } from '../system/overlay.ts';
import { launchChromium } from './chromium.ts';
import { Visitor } from './visitor.ts';

describeBrowserLab('the dashboard', () => {
  let lab: Lab;
  let overlay: Overlay;
  let browser: Browser;
  let served: { readonly url: string; close(): void };
  let admin: Visitor;
  let adminKey = '';
  let [oslo, lima] = [] as unknown as [Site, Site];

  beforeAll(async () => {
    const [made, launched] = await Promise.all([createLab(), launchChromium(), buildDashboard()]);
    lab = made;
    browser = launched;
    overlay = new Overlay(lab);
    [oslo, lima] = (await lab.sites('oslo', 'lima')) as [Site, Site];
    await overlay.start();
    served = await forward(() => overlay.socketPath, 0);
    await overlay.tenant('acme');
    await overlay.tenant('other', 'theirs');
    admin = await Visitor.arrive(browser, served.url);
  });

  afterAll(async () => {
    await browser?.close();
    served?.close();
    await lab?.dispose();
  });

  const keyFor = async (tenant: string, role: 'admin' | 'viewer'): Promise<string> =>
    (
      await overlay.call<{ key: string }>('POST', `/v1/tenants/${tenant}/api-keys`, {
        name: `${role} of ${tenant}`,
        role,
      })
    ).key;

  it('refuses a wrong key in words, and lets a right one in', async () => {
    await admin.open('/t/acme/sites');
    await admin.page.getByLabel('API key').fill('olk_no_such_key');
    await admin.button('Sign in').click();
    await admin.page.getByRole('alert').waitFor();
    expect(await admin.page.getByLabel('API key').inputValue()).toBe('olk_no_such_key');
    // Chromium itself says in the console that a request was refused.
    admin.complaints.length = 0;
    adminKey = await keyFor('acme', 'admin');
    await admin.page.getByLabel('API key').fill(adminKey);
    await admin.button('Sign in').click();
    // Where one wanted to go.
    await admin.heading('Sites').waitFor();
    await admin.link('Overview').click();
    await admin.text('Begin here').waitFor();
    await admin.page.getByRole('status').getByText('Live').waitFor();
  });

  it('makes a network, and keeps what was typed where something is not right', async () => {
    await admin.link('New network').click();
    await admin.page.getByLabel('Name').fill('blue');
    await admin.page.getByLabel('Subnet').fill('10.20.0.1/24');
    await admin.button('Make the network').click();
    await admin.text('must be a subnet such as 10.20.0.0/24').waitFor();
    expect(await admin.page.getByLabel('Name').inputValue()).toBe('blue');
    admin.complaints.length = 0;
    await admin.page.getByLabel('Subnet').fill('10.20.0.0/24');
    await admin.button('Make the network').click();
    await admin.heading('blue').waitFor();
    await admin.text('No site carries it yet').waitFor();
  });

  it('shows a command that makes a host a site, and turns green when it is one', async () => {
    await admin.link('Sites').first().click();
    await admin.link('Add a site').first().click();
    await admin.page.getByLabel('Name').fill('oslo');
    await admin.page.getByLabel('VTEP address').fill(oslo.v4);
    await admin.page.getByLabel(/^blue/).check();
    await admin.text('The site reaches the gateway by another address').click();
    await admin.page.getByLabel('Gateway').fill(overlay.url);
    await admin.button('Make the command').click();
    await admin.text('Waiting for the host to join').waitFor();
    const [command = ''] = await admin.page.locator('.copyable code').allTextContents();
    expect(command).toMatch(/^npm run -s agent -- join .*--token olj_/);
    const pasted = command.replace('npm run -s agent --', AGENT_ARGV.join(' '));
    await oslo.exec(['sh', '-c', `${pasted} --state ${overlay.stateOf(oslo)}`]);
    await admin.text(`It joined as oslo, from ${oslo.v4}`).waitFor();
    await oslo.agent({ state: overlay.stateOf(oslo) });
    await admin.text('In step: it forwards by the latest changes').waitFor();
    await admin.link('Go to oslo').click();
    await admin.heading('oslo').waitFor();
    await admin.page.getByText('Interface blue0').waitFor();
  });

  it('attaches a site, and shows traffic while frames pass', async () => {
    await overlay.join('acme', lima, {});
    await admin.link('Networks').first().click();
    await admin.page.getByRole('table').getByRole('link', { name: 'blue' }).click();
    await admin.button('Attach a site').click();
    await admin.button('Attach').click();
    const row = admin.page.getByRole('table', { name: 'Sites' }).getByRole('row').filter({ hasText: 'lima' });
    await row.getByText('In step').waitFor();
    await oslo.address('blue0', '10.20.0.1/24');
    await lima.address('blue0', '10.20.0.2/24');
    const pings = lima.startPing('10.20.0.1', { intervalMs: 5, size: 1000 });
    await row
      .getByText(/bit\/s/)
      .first()
      .waitFor();
    await admin.page.getByRole('table', { name: 'MAC addresses' }).getByRole('cell', { name: '10.20.0.2' }).waitFor();
    await admin.link('Map').click();
    await admin.page.locator('.link.flowing').first().waitFor({ state: 'attached' });
    await admin.link(/^Site oslo/).waitFor();
    expect((await pings.stop()).received).toBeGreaterThan(0);
  });

  it('has the page’s address and its heading follow the way back and forth', async () => {
    await admin.link(/^Network blue/).click();
    await admin.heading('blue').waitFor();
    await admin.page.locator('h1:focus').waitFor();
    await admin.page.goBack();
    await admin.heading('Map').waitFor();
    await admin.page.keyboard.press('g');
    await admin.page.keyboard.press('s');
    await admin.heading('Sites').waitFor();
    await admin.page.keyboard.press('/');
    await admin.page.keyboard.type('lim');
    await admin.text(/^1 site$/).waitFor();
    expect(new URL(admin.page.url()).search).toBe('?search=lim');
    await admin.page.keyboard.press('Control+k');
    await admin.page.getByRole('combobox').fill('blue');
    await admin.page.keyboard.press('Enter');
    await admin.heading('blue').waitFor();
  });

  it('has a new network encrypted, and says so where it is shown', async () => {
    await admin.link('Networks').first().click();
    await admin.button('New network').click();
    await admin.page.getByLabel('Name').fill('sealed');
    await admin.page.getByLabel('Between sites').selectOption({ label: 'Encrypted, by WireGuard' });
    await admin.button('Make the network').click();
    await admin.heading('sealed').waitFor();
    await admin.text('WireGuard').waitFor();
    await admin.button('Edit').click();
    expect(await admin.page.getByLabel('Between sites').inputValue()).toBe('wireguard');
    await admin.button('Cancel').click();
    await admin.link('Networks').first().click();
    const row = admin.page.getByRole('table', { name: 'Networks' }).getByRole('row');
    await row.filter({ hasText: 'sealed' }).getByText('WireGuard').waitFor();
    await row.filter({ hasText: 'blue' }).getByText('Plain').waitFor();
    await overlay.call('DELETE', '/v1/tenants/acme/networks/sealed');
    await row.filter({ hasText: 'sealed' }).waitFor({ state: 'detached' });
    await admin.link('blue').first().click();
    await admin.heading('blue').waitFor();
  });

  it('says that it is disconnected, keeps what is typed, and catches up when the gateway is back', async () => {
    await admin.button('Edit').click();
    await admin.page.getByLabel('Description').fill('The blue one');
    await overlay.kill();
    await admin.page.getByRole('alert').getByText('Disconnected from the gateway').waitFor();
    await admin.button('Save').click();
    await admin.page.getByRole('dialog').getByRole('alert').waitFor();
    expect(await admin.page.getByLabel('Description').inputValue()).toBe('The blue one');
    await overlay.start();
    await overlay.call('PATCH', '/v1/tenants/acme/sites/lima', { where: 'Lima, Callao' });
    // Requests that found nobody are in the console, by Chromium's own word.
    await admin.page.getByRole('status').getByText('Live').waitFor();
    admin.complaints.length = 0;
    await admin.button('Save').click();
    await admin.text('The blue one').waitFor();
    await admin.link('Sites').first().click();
    await admin.text('Lima, Callao').waitFor();
  });

  it('asks to sign in above the page when the session was ended, and what was typed is still there', async () => {
    await admin.link('Networks').first().click();
    await admin.button('New network').click();
    await admin.page.getByLabel('Name').fill('half-typed');
    const sessions = '/v1/tenants/acme/sessions';
    const { items } = await overlay.call<{ items: readonly { id: string }[] }>('GET', sessions);
    await Promise.all(items.map(({ id }) => overlay.call('DELETE', `${sessions}/${id}`)));
    const asked = admin.page.getByRole('dialog', { name: 'Your session has ended' });
    await asked.getByLabel('API key').fill(adminKey);
    await asked.getByRole('button', { name: 'Sign in' }).click();
    await asked.waitFor({ state: 'detached' });
    expect(await admin.page.getByLabel('Name').inputValue()).toBe('half-typed');
    await admin.page.getByRole('status').getByText('Live').waitFor();
    await admin.button('Cancel').click();
    await admin.link('Sites').first().click();
    await admin.heading('Sites').waitFor();
    admin.complaints.length = 0;
  });

  it('lets a viewer look, and change nothing, by page or by API', async () => {
    const viewer = await Visitor.arrive(browser, served.url);
    await viewer.signIn(await keyFor('acme', 'viewer'));
    await viewer.heading('Overview').waitFor();
    for (const [page, action] of [
      ['/t/acme/networks/blue', 'Delete'],
      ['/t/acme/sites/oslo', 'Remove'],
      ['/t/acme/tokens', 'New token'],
    ] as const) {
      await viewer.open(page);
      await viewer.page.getByRole('table').first().or(viewer.text('No tokens yet')).first().waitFor();
      expect(await viewer.button(action).count(), `${action} on ${page}`).toBe(0);
    }
    expect(await viewer.ask('GET', '/v1/tenants/acme/networks/blue')).toBe(200);
    expect(viewer.complaints).toEqual([]);
    expect(await viewer.ask('DELETE', '/v1/tenants/acme/networks/blue')).toBe(403);
    expect(await viewer.ask('POST', '/v1/tenants/acme/join-tokens', {})).toBe(403);
    await viewer.leave();
  });

  it('shows a tenant nothing of another', async () => {
    const stranger = await Visitor.arrive(browser, served.url);
    await stranger.signIn(await keyFor('other', 'admin'));
    await stranger.link('Networks').click();
    await stranger.page.getByRole('table').getByRole('link', { name: 'theirs' }).waitFor();
    expect(await stranger.page.content()).not.toMatch(/blue|oslo|lima|acme/);
    for (const path of ['topology', 'networks/blue', 'sites/oslo', 'events', 'history', 'alerts']) {
      expect(await stranger.ask('GET', `/v1/tenants/acme/${path}`), path).toBe(404);
    }
    await stranger.open('/t/acme/networks');
    await stranger.page.getByRole('alert').getByText('There is no such thing here').first().waitFor();
    expect(await stranger.page.content()).not.toMatch(/blue|oslo|lima/);
    await stranger.leave();
  });

  it('has no serious fault of accessibility on any page, light or dark, wide or narrow', async () => {
    const operatorKey = overlay.operatorKey;
    const pages = [
      '',
      '/map',
      '/networks',
      '/networks/blue',
      '/networks?new=1',
      '/sites',
      '/sites/oslo',
      '/add-site',
      '/events',
      '/tokens',
      '/keys',
      '/usage',
    ].map((page) => `/t/acme${page}`);
    for (const [colours, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      const operator = await Visitor.arrive(browser, served.url, { colours, width });
      await operator.open('/');
      await operator.heading('Sign in').waitFor();
      expect(await operator.faults(), `sign in, ${colours}`).toEqual([]);
      await operator.signIn(operatorKey);
      for (const page of [...pages, '/operator/tenants', '/operator/pools', '/operator/vnis']) {
        await operator.open(page);
        await operator.heading(/./).waitFor();
        await operator.page.locator('.skeleton').first().waitFor({ state: 'detached' });
        expect(await operator.faults(), `${page}, ${colours}`).toEqual([]);
        expect(
          await operator.page.evaluate('document.documentElement.scrollWidth - innerWidth'),
          `${page} at ${width}`,
        ).toBeLessThanOrEqual(0);
      }
      expect(operator.complaints).toEqual([]);
      await operator.leave();
    }
  });

  it('detaches a site and deletes a network, and says before what that does', async () => {
    await admin.page.getByRole('table').getByRole('link', { name: 'lima' }).click();
    await admin.button('Detach blue').click();
    await admin.page.getByRole('dialog').getByText('Its interface blue0 goes').waitFor();
    await admin.button('Detach').click();
    await admin.text('It carries no network').waitFor();

    await admin.link('Networks').first().click();
    await admin.page.getByRole('table').getByRole('link', { name: 'blue' }).click();
    await admin.button('Delete').click();
    await admin.page
      .getByRole('dialog')
      .getByText(/^VNI \d+ rests until \d+ \w+ \d{4}, .*nobody can have it before\.$/)
      .waitFor();
    expect(await admin.button('Delete the network').isDisabled()).toBe(true);
    await admin.page.getByLabel('Type blue to go on').fill('blue');
    await admin.button('Delete the network').click();
    await admin.text('No networks yet').waitFor();
    await admin.link('Events').click();
    await admin.text(/deleted the network blue \(VNI \d+\)/).waitFor();
  });

  it('signs out for good, and nothing in the browser’s console was an error', async () => {
    await admin.button('Sign out').click();
    await admin.heading('Sign in').waitFor();
    expect(admin.complaints).toEqual([]);
    expect(await admin.ask('GET', '/v1/session')).toBe(401);
    await admin.leave();
  });
});
