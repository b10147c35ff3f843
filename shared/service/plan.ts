/** What installing and uninstalling a service will do, as data: shown by `--dry-run`, and done in order otherwise. */
import { Failure } from '../failure.ts';
import { isAsWritten, marked } from './mark.ts';
import { type Service, unitOf, unitPath } from './service.ts';

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
  /** The unit file in `unitPath`, or null. */
  readonly unit: string | null;
  /** Who has the state folder; null where there is none. */
  readonly stateOwner: 'service' | 'other' | null;
  /** See `Service.begun`. */
  readonly hasBegun: boolean;
}

/**
 * @param inside what comes between the unit's writing and its start.
 * @throws Failure where the unit that is there is somebody else's
 */
export function planInstall(service: Service, host: HostFacts, unit: string, inside: readonly Step[] = []): Step[] {
  const path = unitPath(service);
  checkOurs(service, host);
  const text = marked(unit);
  const isNew = host.unit !== text;
  return [
    planUser(service, host),
    planState(service, host),
    isNew
      ? { do: 'write', say: `write the unit ${path}`, path, text }
      : { do: 'nothing', say: `the unit ${path} is as it should be` },
    ...inside,
    ...(isNew ? [systemctl('have systemd read its units', 'daemon-reload')] : []),
    systemctl('start it with the host', 'enable', unitOf(service)),
  ];
}

/** `restart` also where it runs by an older unit or program; it starts what is stopped. */
export function planStart(service: Service): Step {
  return systemctl('start it', 'restart', unitOf(service));
}

/**
 * @param kept what the state folder has, in words.
 * @param inside what comes after it has stopped.
 * @throws Failure where the unit that is there is somebody else's
 */
export function planUninstall(
  service: Service,
  host: HostFacts,
  { purge, kept, inside = [] }: { readonly purge: boolean; readonly kept: string; readonly inside?: readonly Step[] },
): Step[] {
  const path = unitPath(service);
  checkOurs(service, host);
  const steps: Step[] = [];
  if (host.unit === null) steps.push({ do: 'nothing', say: `there is no unit ${path}` });
  else {
    steps.push(systemctl('stop it, and start it no more with the host', 'disable', '--now', unitOf(service)));
    steps.push(...inside);
    steps.push({ do: 'remove', say: `remove the unit ${path}`, path });
    steps.push(systemctl('have systemd read its units', 'daemon-reload'));
  }
  if (!purge) {
    const say = `${kept} stay in ${service.state}: --purge removes them, and the user`;
    if (host.stateOwner !== null) steps.push({ do: 'nothing', say });
    return steps;
  }
  if (host.stateOwner !== null) {
    steps.push({ do: 'remove', say: `remove ${service.state}: ${kept}`, path: service.state });
  }
  if (host.hasUser) steps.push({ do: 'run', say: `remove the user ${service.name}`, argv: ['userdel', service.name] });
  return steps;
}

function checkOurs(service: Service, { unit }: HostFacts): void {
  if (unit === null || isAsWritten(unit)) return;
  throw new Failure(
    'configuration',
    `${unitPath(service)} was written or changed by somebody: put your changes in \`systemctl edit ${service.name}\`, and move that file away`,
  );
}

function planUser({ name, state }: Service, { hasUser }: HostFacts): Step {
  if (hasUser) return { do: 'nothing', say: `the user ${name} is there` };
  const argv = ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', state];
  argv.push('--shell', '/usr/sbin/nologin', name);
  return { do: 'run', say: `make the user ${name}, who can't log in`, argv };
}

function planState({ name, state }: Service, { stateOwner }: HostFacts): Step {
  if (stateOwner === 'service') return { do: 'nothing', say: `the folder ${state} is there` };
  if (stateOwner === 'other') {
    // Somebody used it as root before there was a service.
    const argv = ['chown', '--recursive', '--no-dereference', `${name}:${name}`, state];
    return { do: 'run', say: `give ${state} to ${name}`, argv };
  }
  const argv = ['install', '--directory', '--mode=700', `--owner=${name}`, `--group=${name}`];
  return { do: 'run', say: `make the folder ${state}`, argv: [...argv, state] };
}

function systemctl(say: string, ...argv: readonly string[]): Step {
  return { do: 'run', say, argv: ['systemctl', ...argv] };
}
