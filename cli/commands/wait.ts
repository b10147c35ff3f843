/** `network wait`: for scripts that go on only when every site forwards by what they changed. */
import { Command } from 'commander';
import * as v from 'valibot';
import { checked } from '../../shared/checked.ts';
import { Failure, oneLine } from '../../shared/failure.ts';
import { type Convergence, ConvergenceSchema } from '../../src/contract/convergence.ts';
import { NameSchema } from '../../src/contract/primitives.ts';
import { path } from '../api.ts';
import { checkedNumber, parseDuration } from '../flags.ts';
import type { Open } from '../session.ts';

interface WaitFlags {
  readonly revision?: number;
  readonly timeout: number;
}

const REVISION_MESSAGE = 'must be a revision: a whole number, 0 or more';
const RevisionSchema = v.pipe(v.number(REVISION_MESSAGE), v.integer(REVISION_MESSAGE), v.minValue(0, REVISION_MESSAGE));
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;
const NAMED_SITES = 5;

export function waitCommand(open: Open): Command {
  return new Command('wait')
    .description('wait until every site that carries the network has applied its changes')
    .argument('<network>', 'its name or id', checked(NameSchema))
    .option(
      '--revision <n>',
      'the changes up to this one; the network’s latest unless said',
      checkedNumber(RevisionSchema),
    )
    .option('--timeout <time>', 'how long to wait at most (default: 60s)', parseDuration, 60)
    .action(async (network: string, { revision, timeout }: WaitFlags) => {
      const { api, at, show, pause } = await open();
      const target = at() + path`/networks/${network}/convergence`;
      const end = Date.now() + timeout * 1000;
      // What is waited for is what was the latest when the wait began: changes that come meanwhile don't prolong it.
      let wanted = revision;
      for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
        const found = await api.get(target, ConvergenceSchema, { revision: wanted });
        wanted ??= found.revision;
        if (found.converged) return show(found, formatConverged);
        if (Date.now() + waitMs > end) throw new Failure('failed', describeBehind(found, timeout));
        await pause(waitMs);
      }
    });
}

function formatConverged({ revision, sites }: Convergence): string {
  return `In step with revision ${revision}: ${sites.length === 1 ? '1 site' : `${sites.length} sites`}.`;
}

function describeBehind({ revision, sites }: Convergence, seconds: number): string {
  const behind = sites.filter(({ inStep }) => !inStep).map(({ name, online }) => (online ? name : `${name} (offline)`));
  const more = behind.length > NAMED_SITES ? ` and ${behind.length - NAMED_SITES} more` : '';
  return oneLine(
    `not in step with revision ${revision} after ${seconds} s: ${behind.slice(0, NAMED_SITES).join(', ')}${more}`,
  );
}
