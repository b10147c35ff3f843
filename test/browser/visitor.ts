/** Somebody in a browser, who notes whatever the page complains of. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';

/** Accessibility rules by their authors' own program, run in the page. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** A page that takes longer than this to show something has failed. */
const TIMEOUT_MS = 6000;

export class Visitor {
  readonly page: Page;
  /** Errors and warnings of the browser's console, scripts that failed, requests that went elsewhere. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #origin: string;

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context;
    this.page = page;
    this.#origin = origin;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`failed: ${error.message}`));
    page.on('request', (request) => {
      const { origin: to, protocol } = new URL(request.url());
      if (to !== origin && protocol !== 'blob:' && protocol !== 'data:') this.complaints.push(`asked ${request.url()}`);
    });
  }

  static async arrive(
    browser: Browser,
    origin: string,
    { width = 1280, height = 900, colours = 'light' as 'light' | 'dark' } = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: colours,
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(TIMEOUT_MS);
    return new Visitor(context, await context.newPage(), origin);
  }

  /** Opens a page by its address. */
  async open(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.#origin).href);
  }

  async signIn(key: string): Promise<void> {
    await this.open('/');
    await this.page.getByLabel('API key').fill(key);
    await this.button('Sign in').click();
    await this.page.locator('.sidebar').waitFor({ state: 'attached' });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' });
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole('link', { name, exact: typeof name === 'string' });
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { level: 1, name });
  }

  text(text: string | RegExp): Locator {
    return this.page.getByText(text);
  }

  /** Asks the gateway from within the page, as a script there could. @returns the answer's status. */
  ask(method: string, path: string, body?: object): Promise<number> {
    const init = {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    };
    return this.page.evaluate(
      `fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then((answer) => answer.status)`,
    );
  }

  /** @returns what is wrong with the page for people who can't see it well, or at all: serious faults, each in a line. */
  async faults(): Promise<string[]> {
    await this.page.evaluate(AXE);
    const violations: readonly {
      id: string;
      impact: string;
      nodes: readonly { html: string; failureSummary: string }[];
    }[] = await this.page.evaluate(
      'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
      );
  }

  leave(): Promise<void> {
    return this.#context.close();
  }
}
