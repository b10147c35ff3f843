/** `run`: a site of a gateway. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { VERSION } from '../../shared/version.ts';
import type { DatapathChoice } from '../config.ts';
import { type ClientOptions, createGatewayClient } from '../control/client.ts';
import { KeyRing } from '../control/key-ring.ts';
import { openTableStore } from '../control/last-good.ts';
import type { Log } from '../control/log.ts';
import type { MetricsAddress } from '../control/metrics-server.ts';
import { Session } from '../control/session.ts';
import { openStateFolder, readMembership } from '../control/state-folder.ts';
import { after } from '../control/timer.ts';
import { watchOpener } from '../control/watch-socket.ts';
import type { DscpMode } from '../datapath/forwarding-rules.ts';
import { runAgentProcess } from './agent-process.ts';
import { openGateway } from './gateway.ts';
import { chooseDatapath, openDatapath } from './open-datapath.ts';
import { rotate } from './rotate-key.ts';
import { defaultThreads } from './threads.ts';

export interface RunFlags {
  readonly state: string;
  readonly datapath: DatapathChoice;
  readonly keep: boolean;
  readonly allowPlainHttp: boolean;
  readonly ca?: string;
  readonly metrics?: MetricsAddress;
  readonly dscp?: DscpMode;
  readonly clampMss?: boolean;
  /** How many threads forward; by the cores unless said. */
  readonly threads?: number;
}

/** @throws Failure where it can't start. */
export async function runSite(flags: RunFlags, uid: number, log: Log): Promise<number> {
  const folder = await openStateFolder(flags.state, uid);
  const membership = await readMembership(folder);
  const { gateway, site, name, tenant, vtep } = membership;
  const allowPlainHttp = membership.allowPlainHttp || flags.allowPlainHttp;
  const caPath = flags.ca === undefined ? membership.caPath : resolve(flags.ca);
  const keys = await KeyRing.open(folder);
  const options: ClientOptions = {
    ...(await openGateway({ gateway, allowPlainHttp, caPath })),
    get privateKey() {
      return keys.current.privateKey;
    },
    get nextKey() {
      return keys.next;
    },
  };
  const { threads = defaultThreads(availableParallelism()) } = flags;
  const rules = { dscp: flags.dscp, clampMss: flags.clampMss };
  const kind = chooseDatapath(flags.datapath, rules, log);
  const startedAt = new Date().toISOString();
  return runAgentProcess({
    folder,
    log,
    metrics: flags.metrics,
    openDatapath: () => openDatapath(kind, { vtep, identity: site, threads, rules, keep: flags.keep, log }),
    control: (datapath) => {
      const session = new Session({
        client: createGatewayClient(options, site),
        watch: watchOpener(options, site),
        datapath,
        site,
        store: openTableStore(folder, site, log),
        version: VERSION,
        now: Date.now,
        random: Math.random,
        after,
        log,
      });
      return {
        start: () => session.start(),
        hangup: () => void session.pullNow(),
        status: () => {
          const { contact, ...status } = session.status();
          return {
            version: VERSION,
            startedAt,
            datapath: kind,
            vtep,
            site: { id: site, name, tenant },
            gateway: { url: gateway, ...contact },
            ...status,
          };
        },
        rotateKey: () => rotate(options, site, keys),
        stop: async () => {
          // First, so that a gateway that does not answer does not hold up the stop.
          options.transport.close();
          await session.stop();
        },
      };
    },
  });
}
