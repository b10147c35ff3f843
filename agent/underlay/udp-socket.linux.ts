/** UDP sockets set up for VXLAN: made, given their options, bound. */
import { Arena } from '../sys/arena.linux.ts';
import { checked } from '../sys/errno.linux.ts';
import { bind, close, setsockopt, socket } from '../sys/libc.linux.ts';
import { AF_INET, AF_INET6, SOCKADDR_SIZE, writeSockaddr } from '../sys/sockaddr.linux.ts';

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

/** [level, name] of setsockopt(2); asm-generic/socket.h, linux/in.h, linux/in6.h, linux/udp.h. */
export type SocketOption = readonly [level: number, name: number];
export const SO_SNDBUF: SocketOption = [1, 7];
export const SO_RCVBUF: SocketOption = [1, 8];
export const SO_NO_CHECK: SocketOption = [1, 11];
/** Several sockets on one port: each flow, by its addresses and ports, goes to one of them. */
export const SO_REUSEPORT: SocketOption = [1, 15];
/** Beyond net.core.wmem_max and rmem_max, where we may. */
export const SO_SNDBUFFORCE: SocketOption = [1, 32];
export const SO_RCVBUFFORCE: SocketOption = [1, 33];
/** These two are also the kinds of control messages that say it, of one datagram. */
export const IP_TOS: SocketOption = [0, 1];
export const IPV6_TCLASS: SocketOption = [41, 67];
export const IP_RECVTOS: SocketOption = [0, 13];
export const IPV6_RECVTCLASS: SocketOption = [41, 66];
const SO_BINDTODEVICE = 25;
export const IP_MTU_DISCOVER: SocketOption = [0, 10];
export const IPV6_MTU_DISCOVER: SocketOption = [41, 23];
const IPV6_V6ONLY: SocketOption = [41, 26];
const UDP_NO_CHECK6_RX: SocketOption = [17, 102];
export const UDP_SEGMENT: SocketOption = [17, 103];
export const UDP_GRO: SocketOption = [17, 104];
/** IP_PMTUDISC_DO: set DF, and refuse what is known not to fit. */
const PMTUDISC_DO = 2;
/** IP_PMTUDISC_PROBE: set DF, and refuse only what the device itself does not take. */
export const PMTUDISC_PROBE = 3;

/** For one small value a call. Kept for good: memory that a system call reads must not be collected under it. */
const scratch = new Arena(SOCKADDR_SIZE);

/** What the sockets of one underlay have in common. */
export interface SocketKind {
  readonly family: typeof AF_INET | typeof AF_INET6;
  /** 4 or 16 bytes; all zero for every address of the host. */
  readonly address: Uint8Array;
  /** An IPv6 socket that carries IPv4 too. */
  readonly isDual: boolean;
  /** The one interface that it takes from and sends by; any unless said. */
  readonly device?: string | undefined;
}

/** @param address the VTEP's own, or null for every address of the host, of both families where it has IPv6. */
export function socketKind(address: Uint8Array | null, device?: string): SocketKind {
  if (address !== null) return { family: address.length === 4 ? AF_INET : AF_INET6, address, isDual: false, device };
  const fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return { family: AF_INET, address: new Uint8Array(4), isDual: false, device };
  close(fd);
  return { family: AF_INET6, address: new Uint8Array(16), isDual: true, device };
}

/** @throws SysError: EAFNOSUPPORT … */
export function openUdpSocket({ family, isDual }: SocketKind): number {
  const fd = checked('socket', socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // On an IPv6 socket that carries IPv4 too, the IPv4 options are taken as well.
  if (family === AF_INET || isDual) setOption(fd, IP_MTU_DISCOVER, PMTUDISC_DO);
  if (family === AF_INET6) {
    setOption(fd, IPV6_V6ONLY, isDual ? 0 : 1);
    setOption(fd, IPV6_MTU_DISCOVER, PMTUDISC_DO);
    setOption(fd, UDP_NO_CHECK6_RX, 1);
  }
  return fd;
}

/** @throws SysError: EADDRINUSE, EADDRNOTAVAIL, EACCES, ENODEV … */
export function bindUdpSocket(fd: number, { family, address, device }: SocketKind, port: number): void {
  // Linux takes a datagram for any of its addresses from any of its interfaces: not here.
  if (device !== undefined) {
    const { written } = new TextEncoder().encodeInto(`${device}\0`, scratch.bytes);
    checked('SO_BINDTODEVICE', setsockopt(fd, 1, SO_BINDTODEVICE, scratch.address, written));
  }
  const length = writeSockaddr(scratch.view, 0, family, address, port);
  checked('bind', bind(fd, scratch.address, length));
}

/** @returns false where the kernel does not take it. */
export function setOption(fd: number, [level, name]: SocketOption, value: number): boolean {
  scratch.view.setInt32(0, value, true);
  return setsockopt(fd, level, name, scratch.address, 4) === 0;
}
