/** `run`: a site of a gateway. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { VERSION } from '../../shared/version.ts';
import { WIREGUARD_PORT } from '../../src/contract/wireguard.ts';
import type { DatapathChoice } from '../config.ts';
import { type ClientOptions, createGatewayClient, publishWireguard } from '../control/client.ts';
import { KeyRing } from '../control/key-ring.ts';
import { openTableStore } from '../control/last-good.ts';
import type { Log } from '../control/log.ts';
import type { MetricsAddress } from '../control/metrics-server.ts';
import { Session } from '../control/session.ts';
import { openStateFolder, readMembership } from '../control/state-folder.ts';
import type { WireguardStatus } from '../control/status.ts';
import { after } from '../control/timer.ts';
import { watchOpener } from '../control/watch-socket.ts';
import { openWireguardKeys, saveWireguardKeys } from '../control/wireguard-keys.ts';
import { WireguardSite } from '../control/wireguard-site.ts';
import type { DscpMode } from '../datapath/forwarding-rules.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';
import { missingWireguard } from '../wireguard/device.linux.ts';
import type { EncryptedDatapath } from '../wireguard/encrypted-datapath.ts';
import { runAgentProcess } from './agent-process.ts';
import { openGateway } from './gateway.ts';
import { openByTransport } from './open-by-transport.ts';
import {
  chooseDatapath,
  chooseTunnelDatapath,
  openDatapath,
  openTunnelDatapath,
  removeTunnelLeft,
} from './open-datapath.ts';
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
  readonly wireguardPort?: number;
  readonly wireguardAddress?: string;
  readonly wireguardRotateDays?: number;
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
  const tunnelKind = chooseTunnelDatapath(flags.datapath, kind);
  const wireguardPort = flags.wireguardPort ?? WIREGUARD_PORT;
  const wireguardKeys = await openWireguardKeys(folder, wireguardPort, Date.now());
  const startedAt = new Date().toISOString();
  return runAgentProcess({
    folder,
    log,
    metrics: flags.metrics,
    keep: flags.keep,
    openDatapath: () =>
      openByTransport({
        keys: wireguardKeys,
        vtepAddress: vtep.address,
        identity: site,
        log,
        openPlain: () => openDatapath(kind, { vtep, identity: site, threads, rules, log }),
        removeLeft: () => removeTunnelLeft(site),
        openInner: (source) => openTunnelDatapath(tunnelKind, source, { identity: site, threads, rules, log }),
      }),
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
      const wireguard =
        missingWireguard() === null
          ? new WireguardSite({
              publish: (body) => publishWireguard(options, site, body),
              datapath: datapath.encrypted,
              keys: wireguardKeys,
              save: (keys) => saveWireguardKeys(folder, keys),
              port: wireguardPort,
              // An address of this host's is one that the others reach it by; else there is a NAT between, which the gateway sees.
              address: () =>
                flags.wireguardAddress ?? (findLinkByAddress(vtep.address) === undefined ? undefined : vtep.address),
              rotateMs: flags.wireguardRotateDays === undefined ? null : flags.wireguardRotateDays * 24 * 3600 * 1000,
              now: Date.now,
              random: Math.random,
              after,
              log,
            })
          : null;
      return {
        start: async () => {
          await session.start();
          wireguard?.start();
        },
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
            ...(wireguard && {
              wireguard: {
                ...wireguard.status(),
                datapath: tunnelKind,
                withoutSession: withoutSession(datapath.encrypted),
              },
            }),
            ...status,
          };
        },
        rotateKey: () => rotate(options, site, keys),
        ...(wireguard && { rotateWireguardKey: () => wireguard.rotate() }),
        stop: async () => {
          // First, so that a gateway that does not answer does not hold up the stop.
          options.transport.close();
          await wireguard?.stop();
          await session.stop();
        },
      };
    },
  });
}

function withoutSession(encrypted: EncryptedDatapath): WireguardStatus['withoutSession'] {
  return encrypted.withoutSession.map(({ address, endpoint }) => ({ address, endpoint }));
}
