import type { PortSpec } from '../contract/port.ts';
import type { SiteKind } from '../contract/sites.ts';
import { Refusal } from './refusal.ts';

/** A site with an agent has a port of ours, a static one has none. @throws Refusal `port_not_for_site`. */
export function assertPortFits(kind: SiteKind, port: PortSpec): void {
  if (kind === 'static' && port.type !== 'none') {
    throw new Refusal('port_not_for_site', 'A static site has no agent, so port must be {"type": "none"}.');
  }
  if (kind === 'agent' && port.type === 'none') {
    throw new Refusal(
      'port_not_for_site',
      'A site with an agent needs a port: {"type": "host", "name"}, {"type": "bridge", "name"} or {"type": "vlan", "interface", "vid"}.',
    );
  }
}
