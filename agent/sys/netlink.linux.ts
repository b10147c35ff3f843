/** One question to the kernel over an AF_NETLINK socket, and its answer. Blocks for as long as the kernel takes: microseconds. */
import { Arena } from './arena.linux.ts';
import { checked, SysError } from './errno.linux.ts';
import { bind, close, recv, sendto, socket } from './libc.linux.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './rtnetlink.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
export const NETLINK_ROUTE = 0;
export const NETLINK_GENERIC = 16;
/** A dump's datagrams are at most 32 KiB (NLMSG_GOODSIZE and the kernel's own limit). */
const BUFFER_SIZE = 65_536;

/**
 * Asks the kernel to change something.
 * @throws SysError with the kernel's errno.
 */
export function netlinkChange(type: number, ...parts: readonly Uint8Array[]): void {
  netlinkChangeOf(NETLINK_ROUTE, type, ...parts);
}

/** The same of another part of the kernel. @throws SysError */
export function netlinkChangeOf(protocol: number, type: number, ...parts: readonly Uint8Array[]): void {
  exchange(protocol, type, NLM_F_REQUEST | NLM_F_ACK, parts);
}

/** Asks the kernel to make something that is not there. @throws SysError: EEXIST, EOPNOTSUPP … */
export function netlinkCreate(type: number, ...parts: readonly Uint8Array[]): void {
  exchange(NETLINK_ROUTE, type, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, parts);
}

/**
 * Asks the kernel for one thing.
 * @throws SysError: ENODEV where there is none, …
 */
export function netlinkGet(type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
  return netlinkGetOf(NETLINK_ROUTE, type, ...parts);
}

/** The same of another part of the kernel. @throws SysError */
export function netlinkGetOf(protocol: number, type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
  return exchange(protocol, type, NLM_F_REQUEST | NLM_F_ACK, parts);
}

/** Asks the kernel for all it has of a kind. */
export function netlinkDump(type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
  return netlinkDumpOf(NETLINK_ROUTE, type, ...parts);
}

/** The same of another part of the kernel. @throws SysError */
export function netlinkDumpOf(protocol: number, type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
  return exchange(protocol, type, NLM_F_REQUEST | NLM_F_DUMP, parts);
}

function exchange(protocol: number, type: number, flags: number, parts: readonly Uint8Array[]): NetlinkMessage[] {
  const what = `netlink ${protocol}/${type}`;
  const sequence = 1;
  const request = encodeMessage(type, flags, sequence, parts);
  const arena = new Arena(BUFFER_SIZE + 128);
  const address = arena.take(12);
  arena.view.setUint16(address, AF_NETLINK, true);
  const buffer = arena.take(BUFFER_SIZE);
  const fd = checked('socket(AF_NETLINK)', socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  try {
    checked('bind(AF_NETLINK)', bind(fd, arena.address + address, 12));
    arena.bytes.set(request, buffer);
    checked(what, sendto(fd, arena.address + buffer, request.length, 0, arena.address + address, 12));
    const answers: NetlinkMessage[] = [];
    for (;;) {
      const length = checked(what, recv(fd, arena.address + buffer, BUFFER_SIZE, 0));
      for (const message of decodeMessages(arena.bytes.subarray(buffer, buffer + length))) {
        if (message.type === NLMSG_DONE) return answers;
        if (message.type !== NLMSG_ERROR) {
          answers.push(message);
          continue;
        }
        const errno = -new DataView(message.body.buffer, message.body.byteOffset).getInt32(0, true);
        if (errno !== 0) throw new SysError(what, errno);
        return answers;
      }
    }
  } finally {
    close(fd);
  }
}
