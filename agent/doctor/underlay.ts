/** The way to the other sites, as far as this host knows it, and what others left on it. */
import { parseIp } from '../../src/contract/ip.ts';
import { SysError } from '../sys/errno.linux.ts';
import { close } from '../sys/libc.linux.ts';
import { findLinkByAddress, listLinks } from '../sys/link.linux.ts';
import { bindUdpSocket, openUdpSocket, socketKind } from '../underlay/udp-socket.linux.ts';
import { VXLAN_OVERHEAD_IPV4, VXLAN_OVERHEAD_IPV6 } from '../wire/vxlan.ts';
import type { Finding } from './finding.ts';

export interface UnderlayOptions {
  readonly vtep: { readonly address: string; readonly port: number };
  /** What devices of this agent are known by. */
  readonly site: string;
  /** What the networks ask for. */
  readonly networks: readonly { readonly name: string; readonly mtu: number }[];
  readonly isRunning: boolean;
}

export function checkUnderlay(options: UnderlayOptions): Finding[] {
  return [checkPort(options), ...checkMtu(options), ...checkOthers(options.site)];
}

function checkPort({ vtep, isRunning }: UnderlayOptions): Finding {
  const check = `UDP port ${vtep.port}`;
  if (isRunning) return { check, verdict: 'pass', says: 'the agent has it' };
  const kind = socketKind(null);
  const fd = openUdpSocket(kind);
  try {
    bindUdpSocket(fd, kind, vtep.port);
    return { check, verdict: 'pass', says: 'it is free' };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.code === 'EACCES') {
      const todo = 'give the service CAP_NET_BIND_SERVICE, or join with another --vtep-port';
      return { check, verdict: 'fail', says: 'ports below 1024 may not be used', todo };
    }
    const devices = listLinks().filter(({ kind }) => kind === 'vxlan');
    const who = devices.length === 0 ? 'another program' : `perhaps by ${devices.map(({ name }) => name).join(', ')}`;
    const todo = 'stop what has it (ss -ulpn), or join with another --vtep-port';
    return { check, verdict: 'fail', says: `it is in use, ${who} (${error.code})`, todo };
  } finally {
    close(fd);
  }
}

function checkMtu({ vtep, networks }: UnderlayOptions): Finding[] {
  const link = findLinkByAddress(vtep.address);
  if (link === undefined) {
    const says = `${vtep.address} is on no interface of this host, so the underlay’s MTU is not known`;
    return [
      {
        check: 'MTU',
        verdict: 'warn',
        says,
        todo: 'behind a NAT see that 50 bytes more than the networks’ MTU get through',
      },
    ];
  }
  const overhead = parseIp(vtep.address)!.length === 4 ? VXLAN_OVERHEAD_IPV4 : VXLAN_OVERHEAD_IPV6;
  const left = link.mtu - overhead;
  const tooLarge = networks.filter(({ mtu }) => mtu > left);
  if (tooLarge.length === 0) {
    return [
      { check: 'MTU', verdict: 'pass', says: `${link.name} (${link.mtu}) leaves ${left}, enough for all networks` },
    ];
  }
  return tooLarge.map(({ name, mtu }) => ({
    check: 'MTU',
    verdict: 'warn',
    says: `${link.name} (${link.mtu}) leaves ${left}, and ${name} asks for ${mtu}: its port has ${left} here`,
    todo: `set ${link.name}’s MTU to ${mtu + overhead}, or the network’s to ${left}`,
  }));
}

function checkOthers(site: string): Finding[] {
  const others = listLinks().filter(
    ({ alias }) => alias.startsWith('overlane ') && !alias.startsWith(`overlane ${site} `),
  );
  if (others.length === 0) return [{ check: 'leftovers', verdict: 'pass', says: 'no device of another agent is here' }];
  return others.map(({ name, alias }) => ({
    check: 'leftovers',
    verdict: 'warn',
    says: `${name} was made by another agent (${alias})`,
    todo: `where that agent is gone: ip link delete ${name}`,
  }));
}
