import type { PortSpec } from '../src/contract/port.ts';

/** @returns `host blue0`, `vlan eth0.7` or `none`: what a port is, in two words. */
export function formatPort(port: PortSpec): string {
  switch (port.type) {
    case 'host':
    case 'bridge':
      return `${port.type} ${port.name}`;
    case 'vlan':
      return `vlan ${port.interface}.${port.vid}`;
    case 'none':
      return 'none';
  }
}
