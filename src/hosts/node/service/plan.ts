/** What `install` and `uninstall` do for the gateway. */
import { type HostFacts, planInstall, planStart, planUninstall, type Step } from '../../../../shared/service/plan.ts';
import { GATEWAY_SERVICE, unitText } from './unit.ts';

export function planGatewayInstall(host: HostFacts, program: readonly string[]): Step[] {
  const { state, name } = GATEWAY_SERVICE;
  return [
    ...planInstall(GATEWAY_SERVICE, host, unitText(program)),
    planStart(GATEWAY_SERVICE),
    { do: 'nothing', say: `the operator key is in ${state}/operator-key, settings go to /etc/default/${name}` },
  ];
}

export function planGatewayUninstall(host: HostFacts, purge: boolean): Step[] {
  return planUninstall(GATEWAY_SERVICE, host, { purge, kept: 'the database and the operator key' });
}
