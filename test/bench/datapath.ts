/**
 * `npm run bench:datapath [-- --encrypted] [--rounds N] [--only NAME,…] [--quick] [--write]`: how fast frames pass, beside what we compare with, in
 * one run.
 *
 * Two namespaces with one veth pair between them; every round starts each contender in turn and takes it away again, so that all see
 * the same machine. Medians over the rounds; the ratio to the kernel's VXLAN is what counts, since machines differ.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { enter } from '../../demo/lab/enter.ts';
import { missingForLab, missingForTap } from '../../demo/lab/missing.ts';

const missing = missingForLab() ?? missingForTap();
if (missing !== null) {
  process.stderr.write(`The bench can't run here. Missing: ${missing}\n`);
  process.exit(1);
}
const { child, leave } = enter(fileURLToPath(new URL('./datapath/inside.ts', import.meta.url)), process.argv.slice(2));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave);
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
