/** `join`: makes this host a site of a tenant. Run again with the same state folder, it finds the same site. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { describeFaults } from '../../shared/faults.ts';
import { formatVtep } from '../../shared/format-vtep.ts';
import { packagedUnitPath, unitOf, unitPath } from '../../shared/service/service.ts';
import { VERSION } from '../../shared/version.ts';
import { type Enroll, EnrollSchema } from '../../src/contract/agent.ts';
import { enrollSite } from '../control/client.ts';
import { readOrCreateIdentity } from '../control/identity.ts';
import { LOCK_FILE, openStateFolder, writeMembership } from '../control/state-folder.ts';
import { AGENT_SERVICE } from '../service/unit.ts';
import { tryLockFile } from '../sys/lock.linux.ts';
import { EXIT_OK } from './exit-code.ts';
import { openGateway } from './gateway.ts';

export interface JoinFlags {
  readonly gateway: string;
  readonly token: string;
  readonly name: string;
  readonly state: string;
  readonly vtepAddress?: string;
  readonly vtepPort: number;
  readonly allowPlainHttp: boolean;
  readonly ca?: string;
}

/** @throws Failure */
export async function joinSite(flags: JoinFlags, uid: number, print: (line: string) => void): Promise<number> {
  // All that can be checked is checked before anything is made.
  const caPath = flags.ca === undefined ? null : resolve(flags.ca);
  const { gateway, allowPlainHttp } = flags;
  const connection = await openGateway({ gateway, allowPlainHttp, caPath });
  const request = checkRequest(flags);
  const folder = await openStateFolder(flags.state, uid);
  const lock = tryLockFile(join(folder, LOCK_FILE));
  if (lock === null) throw new Failure('failed', `an agent runs on the state folder ${folder}: stop it before joining`);
  try {
    const { publicKey, privateKey } = await readOrCreateIdentity(folder);
    const answer = await enrollSite({ ...connection, privateKey }, { ...request, publicKey });
    const { origin } = connection;
    if (answer.kind === 'refused')
      throw new Failure('refused', `the gateway refuses (${answer.code}): ${answer.detail}`);
    if (answer.kind === 'unavailable') throw new Failure('unreachable', `no answer from ${origin}: ${answer.reason}`);
    const { site, tenant, name, vtep } = answer.enrolled;
    await writeMembership(folder, { gateway: origin, site, tenant, name, vtep, caPath, allowPlainHttp });
    print(`Joined tenant ${tenant} as site ${name} (${site}), VTEP ${formatVtep(vtep)}.`);
    print(`Now start it: ${startCommand(folder)}`);
    return EXIT_OK;
  } finally {
    connection.transport.close();
    lock.release();
  }
}

function startCommand(folder: string): string {
  const units = [unitPath(AGENT_SERVICE), packagedUnitPath(AGENT_SERVICE)];
  const isService = folder === AGENT_SERVICE.state && units.some((path) => existsSync(path));
  return isService ? `systemctl start ${unitOf(AGENT_SERVICE)}` : `overlane-agent run --state ${folder}`;
}

function checkRequest({ token, name, vtepAddress, vtepPort }: JoinFlags): Omit<Enroll, 'publicKey'> {
  const checked = v.safeParse(v.omit(EnrollSchema, ['publicKey']), {
    token,
    name,
    vtep: { ...(vtepAddress === undefined ? {} : { address: vtepAddress }), port: vtepPort },
    version: VERSION,
  });
  if (checked.success) return checked.output;
  throw new Failure('configuration', describeFaults(checked.issues).map(flagOf).join('; '));
}

/** A fault of the request, in the words of the command line. */
function flagOf(fault: string): string {
  return `--${fault.replace('vtep.', 'vtep-').replace(':', '')}`;
}
