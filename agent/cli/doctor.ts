/** `doctor`: looks at all that an agent needs, and says what to do. */
import { join } from 'node:path';
import { formatColumns } from '../../shared/columns.ts';
import { Failure, reasonOf } from '../../shared/failure.ts';
import type { Paths } from '../../src/contract/paths.ts';
import { askPaths, createGatewayClient } from '../control/client.ts';
import { KeyRing } from '../control/key-ring.ts';
import { openTableStore } from '../control/last-good.ts';
import { askLocalApi } from '../control/local-api.ts';
import { checkSocketPath, type Membership, readMembership, SOCKET_FILE } from '../control/state-folder.ts';
import type { AgentStatus } from '../control/status.ts';
import { checkEncryption } from '../doctor/encryption.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkGateway } from '../doctor/gateway.ts';
import { checkHost } from '../doctor/host.ts';
import { checkPaths } from '../doctor/paths.ts';
import { checkRunning } from '../doctor/running.ts';
import { checkUnderlay } from '../doctor/underlay.ts';
import { missingWireguard } from '../wireguard/device.linux.ts';
import { EXIT_FAILED, EXIT_OK } from './exit-code.ts';
import { openGateway } from './gateway.ts';
import { wrongBesidePaths } from './what-is-wrong.ts';

export interface DoctorFlags {
  readonly state: string;
  readonly json: boolean;
}

/** @returns 0 where nothing failed. */
export async function runDoctor({ state, json }: DoctorFlags, print: (text: string) => void): Promise<number> {
  const findings = await look(state);
  print(json ? JSON.stringify({ findings }, null, 2) : format(findings));
  return findings.some(({ verdict }) => verdict === 'fail') ? EXIT_FAILED : EXIT_OK;
}

async function look(folder: string): Promise<Finding[]> {
  const host = checkHost();
  const membership = await readMembership(folder).catch(failureOf);
  if (membership instanceof Failure) return [...host, notJoined(membership)];
  const joined: Finding = {
    check: 'membership',
    verdict: 'pass',
    says: `site ${membership.name} of tenant ${membership.tenant}`,
  };
  const status = await statusOf(folder);
  const table = await openTableStore(folder, membership.site, () => undefined).load();
  const { site, vtep } = membership;
  const networks = [...(table?.networks.values() ?? [])].map(({ header }) => header);
  const now = Date.now();
  const isNeeded = networks.some(({ transport }) => transport === 'wireguard');
  const { findings, paths } = await gatewayOf(folder, membership, table?.cursor ?? null);
  return [
    ...host,
    joined,
    ...checkRunning(status, status === null ? [] : wrongBesidePaths(status, now), now),
    ...checkUnderlay({ vtep, site, networks, isRunning: status !== null }),
    ...checkPaths(status?.peers ?? [], paths),
    ...checkEncryption({ missing: missingWireguard(), isNeeded, status }),
    ...findings,
  ];
}

interface GatewaySays {
  readonly findings: readonly Finding[];
  readonly paths: Paths['items'];
}

async function gatewayOf(folder: string, membership: Membership, cursor: string | null): Promise<GatewaySays> {
  try {
    const { privateKey } = (await KeyRing.open(folder)).current;
    const connection = await openGateway(membership);
    try {
      const { origin, clock } = connection;
      const options = { ...connection, privateKey };
      const client = createGatewayClient(options, membership.site);
      const findings = await checkGateway({ origin, client, cursor, clockAheadMs: () => clock.now() - Date.now() });
      const isThere = findings.some(({ check, verdict }) => check === 'gateway' && verdict === 'pass');
      const told = isThere ? await askPaths(options, membership.site) : null;
      // An older gateway has no such answer: then this end's own word must do.
      return { findings, paths: told?.kind === 'told' ? told.items : [] };
    } finally {
      connection.transport.close();
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { findings: [{ check: 'gateway', verdict: 'fail', says: error.message, todo: 'join again' }], paths: [] };
  }
}

/** @returns what the agent that runs says, or null where none does. */
async function statusOf(folder: string): Promise<AgentStatus | null> {
  checkSocketPath(folder);
  const status = await askLocalApi(join(folder, SOCKET_FILE), '/status').catch(failureOf);
  return status instanceof Failure ? null : status;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}

function notJoined(failure: Failure): Finding {
  return { check: 'membership', verdict: 'fail', says: reasonOf(failure), todo: 'overlane-agent join' };
}

function format(findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ verdict, check, says, todo }) => [
    [verdict, check, says],
    ...(todo === undefined ? [] : [['', '', `→ ${todo}`]]),
  ]);
  const failed = findings.filter(({ verdict }) => verdict === 'fail').length;
  const warned = findings.filter(({ verdict }) => verdict === 'warn').length;
  return `${formatColumns(rows)}\n\n${failed} failed, ${warned} to look at, of ${findings.length} checks`;
}
