/** What `install` and `uninstall` do for the agent. */
import { type HostFacts, planInstall, planStart, planUninstall, type Step } from '../../shared/service/plan.ts';
import { unitOf } from '../../shared/service/service.ts';
import { AGENT_SERVICE, unitText } from './unit.ts';

export interface InstallOptions {
  /** What runs the agent. */
  readonly program: readonly string[];
  /** Where the host is to join a gateway first: flags of `join`, and the token. */
  readonly join: { readonly flags: readonly string[]; readonly token: string } | null;
}

export function planAgentInstall(host: HostFacts, { program, join }: InstallOptions): Step[] {
  const { state } = AGENT_SERVICE;
  const joins = join !== null && !host.hasBegun;
  const inside: Step[] = [];
  if (joins) {
    const argv = [...program, 'join', ...join.flags, '--state', state];
    inside.push({ do: 'run', say: 'join the gateway', argv, env: { OVERLANE_JOIN_TOKEN: join.token } });
  } else if (join !== null) {
    inside.push({ do: 'nothing', say: `this host has joined already (${state}): it is not joined again` });
  }
  const steps = planInstall(AGENT_SERVICE, host, unitText(program), inside);
  if (joins || host.hasBegun) return [...steps, planStart(AGENT_SERVICE)];
  const say = `not started, since this host has not joined: overlane-agent join --state ${state} …, then systemctl start ${unitOf(AGENT_SERVICE)}`;
  return [...steps, { do: 'nothing', say }];
}

export interface UninstallOptions {
  readonly program: readonly string[];
  readonly purge: boolean;
}

/** Stopped, the agent has removed what it made; one that was killed and did not come back has not. */
export function planAgentUninstall(host: HostFacts, { program, purge }: UninstallOptions): Step[] {
  const argv = [...program, 'clear', '--state', AGENT_SERVICE.state];
  const clear: Step = { do: 'run', say: 'remove what it may have left on this host', argv };
  const inside = host.hasBegun ? [clear] : [];
  return planUninstall(AGENT_SERVICE, host, { purge, kept: "the site's key and table", inside });
}
