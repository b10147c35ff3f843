/** `run --config FILE`: a site without a gateway, by the table in the file. `SIGHUP` reads it again. */
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Failure, reasonOf } from '../../shared/failure.ts';
import { VERSION } from '../../shared/version.ts';
import { type Config, type DatapathChoice, readConfig } from '../config.ts';
import { FileSession } from '../control/file-session.ts';
import type { Log } from '../control/log.ts';
import type { MetricsAddress } from '../control/metrics-server.ts';
import { configStateFolder, openStateFolder } from '../control/state-folder.ts';
import { after } from '../control/timer.ts';
import type { DscpMode } from '../datapath/forwarding-rules.ts';
import { runAgentProcess } from './agent-process.ts';
import { chooseDatapath, openDatapath } from './open-datapath.ts';
import { defaultThreads } from './threads.ts';

export interface RunConfigFlags {
  readonly config: string;
  /** Where the lock and the socket go; a private folder of the system's temporary one unless said. */
  readonly state?: string;
  readonly datapath?: DatapathChoice;
  readonly keep: boolean;
  readonly metrics?: MetricsAddress;
  readonly dscp?: DscpMode;
  readonly clampMss?: boolean;
  /** How many threads forward; by the cores unless said. */
  readonly threads?: number;
}

/** @throws Failure where it can't start. */
export async function runConfig(flags: RunConfigFlags, uid: number, log: Log): Promise<number> {
  const first = await readConfig(flags.config, 1);
  const folder = await openStateFolder(flags.state ?? (await configStateFolder(flags.config, uid)), uid);
  const { vtep } = first;
  const identity = await configIdentity(flags.config);
  const rules = { dscp: flags.dscp ?? first.rules.dscp, clampMss: flags.clampMss ?? first.rules.clampMss };
  const threads = flags.threads ?? first.threads ?? defaultThreads(availableParallelism());
  const kind = chooseDatapath(flags.datapath ?? first.datapath, rules, log);
  const startedAt = new Date().toISOString();
  return runAgentProcess({
    folder,
    log,
    metrics: flags.metrics,
    keep: flags.keep,
    openDatapath: () =>
      openDatapath(kind, {
        vtep,
        identity,
        threads,
        rules,
        log,
      }),
    control: (datapath) => {
      const session = new FileSession({ datapath, now: Date.now, after, log });
      let reading = 1;
      async function readAgain(): Promise<void> {
        try {
          const config = await readConfig(flags.config, ++reading);
          checkUnchanged(first, config);
          await session.apply(config.table);
          log('info', 'the configuration was read again');
        } catch (error) {
          log('error', `the configuration in force stays: ${reasonOf(error)}`);
        }
      }
      return {
        start: () => session.apply(first.table),
        hangup: () => void readAgain(),
        status: () => ({ version: VERSION, startedAt, datapath: kind, vtep, ...session.status() }),
        stop: () => session.stop(),
      };
    },
  });
}

/** Who an agent without a gateway is: by its configuration's path, so that what it left is known whatever address its VTEP has meanwhile. */
export async function configIdentity(config: string): Promise<string> {
  return createHash('sha256')
    .update(await realpath(config))
    .digest('hex')
    .slice(0, 16);
}

function checkUnchanged(first: Config, config: Config): void {
  for (const [what, of] of [
    ['vtep', ({ vtep }: Config) => [vtep.address, vtep.port]],
    ['dscp', ({ rules }: Config) => rules.dscp],
    ['clampMss', ({ rules }: Config) => rules.clampMss],
    ['threads', ({ threads }: Config) => threads],
  ] as const) {
    if (JSON.stringify(of(first)) === JSON.stringify(of(config))) continue;
    throw new Failure('configuration', `${what} can be changed only by a restart`);
  }
}
