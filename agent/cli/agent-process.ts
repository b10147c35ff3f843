/** An agent as a process: one per state folder, stopped by a signal, asked through its socket, ended by a dead data path. */
import { join } from 'node:path';
import { Failure, reasonOf } from '../../shared/failure.ts';
import { type LocalHandlers, serveLocalApi } from '../control/local-api.ts';
import type { Log } from '../control/log.ts';
import { formatAgentMetrics } from '../control/metrics.ts';
import { type MetricsAddress, serveMetrics } from '../control/metrics-server.ts';
import { peerStatuses } from '../control/peer-status.ts';
import { LOCK_FILE, SOCKET_FILE } from '../control/state-folder.ts';
import type { AgentStatus } from '../control/status.ts';
import { after } from '../control/timer.ts';
import type { Datapath } from '../datapath/datapath.ts';
import { tryLockFile } from '../sys/lock.linux.ts';
import { sendUnixDatagram } from '../sys/unix-datagram.linux.ts';
import { captureStream } from './capture-stream.ts';
import { EXIT_FAILED, EXIT_OK } from './exit-code.ts';
import { openServiceManager } from './service-manager.ts';
import { statusLine } from './status-line.ts';

/** What drives the data path: a gateway's session or a file's. */
export interface AgentControl {
  /** Resolves when the table that is at hand is in force. */
  start(): Promise<void>;
  status(): AgentStatus;
  /** Where there is a gateway to give the site another key. @returns the new public key. @throws Failure where it can't be had. */
  rotateKey?(): Promise<string>;
  /** Begins to go over to another WireGuard key. @returns it. @throws Failure where there is no WireGuard. */
  rotateWireguardKey?(): Promise<string>;
  /** `SIGHUP`. */
  hangup(): void;
  stop(): Promise<void>;
}

export interface AgentProcessOptions<D extends Datapath = Datapath> {
  /** Open: see `openStateFolder`. */
  readonly folder: string;
  readonly log: Log;
  /** Whatever stops it, leave what it made for the next start; false unless said. */
  readonly keep?: boolean;
  /** Where Prometheus is served, if anywhere. */
  readonly metrics?: MetricsAddress | undefined;
  readonly openDatapath: () => Promise<D>;
  readonly control: (datapath: D) => AgentControl;
  /** Where a service manager says how it is to be told. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * @returns the exit code: 0 after a signal, 1 where the data path died, so that a service manager starts it again.
 * @throws Failure where it can't start.
 */
export async function runAgentProcess<D extends Datapath>({
  folder,
  log,
  metrics,
  keep = false,
  openDatapath,
  control,
  env = process.env,
}: AgentProcessOptions<D>): Promise<number> {
  const lock = tryLockFile(join(folder, LOCK_FILE));
  if (lock === null) throw new Failure('failed', `another agent runs on the state folder ${folder}`);
  let agent: AgentControl | null = null;
  let isKept = keep;
  const signals = listenForSignals(() => agent?.hangup());
  try {
    const datapath = await openDatapath();
    const died = new Promise<Error>((resolve) => datapath.onFailure(resolve));
    try {
      const running = control(datapath);
      agent = running;
      const server = await serveLocalApi(join(folder, SOCKET_FILE), handlersOf(agent, datapath), {
        '/capture': captureStream(datapath, () => running.status()),
      });
      const manager = openServiceManager({
        env,
        pid: process.pid,
        send: sendUnixDatagram,
        after,
        alive: () => datapath.retry(),
        status: () => statusLine(running.status()),
      });
      const figures =
        metrics &&
        (await serveMetrics(metrics, () =>
          formatAgentMetrics(running.status(), datapath.counters(), datapath.paths()),
        ));
      try {
        await agent.start();
        log('info', 'running');
        manager.ready();
        const end = await Promise.race([signals.stop, died]);
        if (end instanceof Error) log('error', `the data path died: ${reasonOf(end)}`);
        else log('info', `stopping: ${end}`);
        isKept ||= end === KEEPING_SIGNAL;
        return end instanceof Error ? EXIT_FAILED : EXIT_OK;
      } finally {
        manager.stopping();
        await agent.stop();
        await figures?.close();
        await server.close();
      }
    } finally {
      await datapath.stop({ keep: isKept });
    }
  } finally {
    signals.dispose();
    lock.release();
  }
}

function handlersOf(agent: AgentControl, datapath: Datapath): LocalHandlers {
  return {
    '/status': async () => ({ ...agent.status(), peers: peerStatuses(datapath.counters(), datapath.paths()) }),
    '/rotate-key': async () => {
      if (agent.rotateKey === undefined) throw new Failure('configuration', 'an agent that runs by a file has no key');
      return { publicKey: await agent.rotateKey() };
    },
    '/rotate-wireguard-key': async () => {
      if (agent.rotateWireguardKey === undefined) throw new Failure('configuration', 'this agent has no WireGuard key');
      return { publicKey: await agent.rotateWireguardKey() };
    },
    '/fdb': async () => ({ networks: await datapath.fdb() }),
    '/counters': async () => {
      const counters = datapath.counters();
      const networks = [...counters.networks].sort(([a], [b]) => a - b);
      return {
        agent: counters.agent,
        networks: networks.map(([vni, { totals, peers }]) => ({ vni, counters: totals, peers })),
      };
    },
  };
}

/** Stops, and leaves what the agent made: it is about to be started again. */
const KEEPING_SIGNAL = 'SIGUSR2';

/** The first signal stops in order; a second one, from somebody who can't wait, ends the process. */
function listenForSignals(onHangup: () => void): { readonly stop: Promise<NodeJS.Signals>; dispose(): void } {
  let isStopping = false;
  let resolve: (signal: NodeJS.Signals) => void = () => {};
  const stop = new Promise<NodeJS.Signals>((settle) => {
    resolve = settle;
  });
  const onStop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(EXIT_FAILED);
    isStopping = true;
    resolve(signal);
  };
  const stopping: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', KEEPING_SIGNAL];
  for (const signal of stopping) process.on(signal, onStop);
  process.on('SIGHUP', onHangup);
  return {
    stop,
    dispose: () => {
      for (const signal of stopping) process.off(signal, onStop);
      process.off('SIGHUP', onHangup);
    },
  };
}
