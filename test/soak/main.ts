/**
 * `npm run soak [-- --minutes N] [--seed S]`: three agents and a kernel VTEP under full load while peers come and go, in namespaces of
 * their own. At the end counters must add up, nothing may have leaked, and no flow may be stuck.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { enter } from '../../demo/lab/enter.ts';
import { missingForLab, missingForTap } from '../../demo/lab/missing.ts';

const missing = missingForLab() ?? missingForTap();
if (missing !== null) {
  process.stderr.write(`The soak can't run here. Missing: ${missing}\n`);
  process.exit(1);
}
const { child, leave } = enter(fileURLToPath(new URL('./inside.ts', import.meta.url)), process.argv.slice(2));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave);
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
