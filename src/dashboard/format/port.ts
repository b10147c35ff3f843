import type { PortSpec } from '../../contract/port.ts';

/** @returns what a port is, for people. */
export function describePort(port: PortSpec): string {
  switch (port.type) {
    case 'host':
      return `Interface ${port.name}`;
    case 'bridge':
      return `Bridge ${port.name}`;
    case 'vlan':
      return `VLAN ${port.vid} on ${port.interface}`;
    case 'none':
      return 'No agent';
  }
}
