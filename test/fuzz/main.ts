/**
 * `npm run fuzz [-- --minutes N] [--seed S] [--only WORDS]`: the properties of `npm test` for as long as you like, in turn, each time
 * with a new seed drawn from the first. What fails is said with the seed that shows it again at once.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { PROPERTIES } from './properties.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() & 0x7fff_ffff) },
    only: { type: 'string', default: '' },
  },
});
const properties = PROPERTIES.filter(({ name }) => name.includes(options.only));
const end = performance.now() + Number(options.minutes) * 60_000;
const runs = new Map<string, number>();
const failed = new Set<string>();
let seed = Number(options.seed);
console.log(`fuzzing ${properties.length} properties, from seed ${seed}`);
for (let round = 0; round === 0 || performance.now() < end; round++, seed = (seed + 1) & 0x7fff_ffff) {
  for (const { name, runs: numRuns, property } of properties) {
    if (failed.has(name)) continue;
    const result = await fc.check(property(), { numRuns, seed });
    runs.set(name, (runs.get(name) ?? 0) + result.numRuns);
    if (!result.failed) continue;
    failed.add(name);
    console.log(`FAILED: ${name}\n  npm run fuzz -- --minutes 0 --seed ${seed} --only '${name}'`);
    console.log(`${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}`.slice(0, 20_000));
  }
}
for (const [name, count] of runs)
  console.log(`${String(count).padStart(9)} ${failed.has(name) ? 'FAILED ' : ''}${name}`);
process.exitCode = failed.size === 0 ? 0 : 1;
