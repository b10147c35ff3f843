/** What `install` and `uninstall` will do, as data: shown by `--dry-run`, and done in order otherwise. */
import { SERVICE, SERVICE_STATE, SERVICE_USER, UNIT_PATH, unitText } from './unit.ts';

export type Step = { readonly say: string } & (
  | { readonly do: 'nothing' }
  | {
      readonly do: 'run';
      readonly argv: readonly string[];
      /** Beside the environment that is there; never shown. */
      readonly env?: Readonly<Record<string, string>>;
    }
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'remove'; readonly path: string }
);

/** How this host stands. */
export interface HostFacts {
  readonly hasUser: boolean;
  /** The unit that a former `install` wrote, or null. */
  readonly unit: string | null;
  /** Who has the state folder; null where there is none. */
  readonly stateOwner: 'service' | 'other' | null;
  readonly hasJoined: boolean;
}

export interface InstallOptions {
  /** What runs the agent. */
  readonly program: readonly string[];
  /** Where the host is to join a gateway first: flags of `join`, and the token. */
  readonly join: { readonly flags: readonly string[]; readonly token: string } | null;
}

export function planInstall(host: HostFacts, { program, join }: InstallOptions): Step[] {
  const unit = unitText(program);
  const isNew = host.unit !== unit;
  const joins = join !== null && !host.hasJoined;
  const steps: Step[] = [planUser(host), planState(host)];
  steps.push(
    isNew
      ? { do: 'write', say: `write the unit ${UNIT_PATH}`, path: UNIT_PATH, text: unit }
      : { do: 'nothing', say: `the unit ${UNIT_PATH} is as it should be` },
  );
  if (joins) {
    const argv = [...program, 'join', ...join.flags, '--state', SERVICE_STATE];
    steps.push({ do: 'run', say: 'join the gateway', argv, env: { OVERLANE_JOIN_TOKEN: join.token } });
  } else if (join !== null) {
    steps.push({ do: 'nothing', say: `this host has joined already (${SERVICE_STATE}): it is not joined again` });
  }
  if (isNew) steps.push(systemctl('have systemd read its units', 'daemon-reload'));
  steps.push(systemctl('start it with the host', 'enable', SERVICE));
  if (joins || host.hasJoined) {
    // `restart` also where it runs by an older unit or program; it starts what is stopped.
    steps.push(systemctl('start it', 'restart', SERVICE));
  } else {
    const say = `not started, since this host has not joined: overlane-agent join --state ${SERVICE_STATE} …, then systemctl start ${SERVICE}`;
    steps.push({ do: 'nothing', say });
  }
  return steps;
}

export function planUninstall(host: HostFacts, { purge }: { readonly purge: boolean }): Step[] {
  const steps: Step[] = [];
  if (host.unit === null) steps.push({ do: 'nothing', say: `there is no unit ${UNIT_PATH}` });
  else {
    steps.push(systemctl('stop it, and start it no more with the host', 'disable', '--now', SERVICE));
    steps.push({ do: 'remove', say: `remove the unit ${UNIT_PATH}`, path: UNIT_PATH });
    steps.push(systemctl('have systemd read its units', 'daemon-reload'));
  }
  if (!purge) {
    const say = `the site's key and table stay in ${SERVICE_STATE}: --purge removes them, and the user`;
    if (host.stateOwner !== null) steps.push({ do: 'nothing', say });
    return steps;
  }
  if (host.stateOwner !== null) {
    steps.push({ do: 'remove', say: `remove ${SERVICE_STATE}, and the site's key in it`, path: SERVICE_STATE });
  }
  if (host.hasUser) {
    steps.push({ do: 'run', say: `remove the user ${SERVICE_USER}`, argv: ['userdel', SERVICE_USER] });
  }
  return steps;
}

function planUser({ hasUser }: HostFacts): Step {
  if (hasUser) return { do: 'nothing', say: `the user ${SERVICE_USER} is there` };
  const argv = ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', SERVICE_STATE];
  argv.push('--shell', '/usr/sbin/nologin', SERVICE_USER);
  return { do: 'run', say: `make the user ${SERVICE_USER}, who can't log in`, argv };
}

function planState({ stateOwner }: HostFacts): Step {
  if (stateOwner === 'service') return { do: 'nothing', say: `the folder ${SERVICE_STATE} is there` };
  const owner = `${SERVICE_USER}:${SERVICE_USER}`;
  if (stateOwner === 'other') {
    // Somebody joined as root before there was a service.
    const argv = ['chown', '--recursive', '--no-dereference', owner, SERVICE_STATE];
    return { do: 'run', say: `give ${SERVICE_STATE} to ${SERVICE_USER}`, argv };
  }
  const argv = ['install', '--directory', '--mode=700', `--owner=${SERVICE_USER}`, `--group=${SERVICE_USER}`];
  return { do: 'run', say: `make the folder ${SERVICE_STATE}`, argv: [...argv, SERVICE_STATE] };
}

function systemctl(say: string, ...argv: readonly string[]): Step {
  return { do: 'run', say, argv: ['systemctl', ...argv] };
}
