/**
 * `npm run bench:kernel [-- --rounds N] [--networks N] [--macs N] [--write]`: how long the kernel data path takes to put a table in force, beside
 * `ip -batch` and `bridge -batch` with the same devices and entries, in one run. How fast frames pass is `bench:datapath`.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { enter } from '../../demo/lab/enter.ts';
import { missingForLab } from '../../demo/lab/missing.ts';

const missing = missingForLab();
if (missing !== null) {
  process.stderr.write(`The bench can't run here. Missing: ${missing}\n`);
  process.exit(1);
}
const { child, leave } = enter(fileURLToPath(new URL('./kernel/inside.ts', import.meta.url)), process.argv.slice(2));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave);
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
