import { readFileSync } from 'node:fs';

const PACKAGE = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** What this agent says it is, to the gateway and to people. */
export const VERSION = PACKAGE.version;
