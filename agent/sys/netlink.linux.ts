/** One question to the kernel over a socket of its own, and its answer. Blocks for as long as the kernel takes: microseconds. */
import { NETLINK_ROUTE, NetlinkSocket } from './netlink-socket.linux.ts';
import { type NetlinkMessage, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './rtnetlink.ts';

/**
 * Asks the kernel to change something.
 * @throws SysError with the kernel's errno.
 */
export function netlinkChange(type: number, ...parts: readonly Uint8Array[]): void {
  change(0, type, parts);
}

/**
 * Asks the kernel for one thing.
 * @throws SysError: ENODEV where there is none, …
 */
export function netlinkGet(type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
  return once((socket) => socket.get(type, ...parts));
}

/** Asks the kernel for all it has of a kind. */
export function netlinkDump(type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
  return once((socket) => socket.dump(type, ...parts));
}

/** Asks the kernel to make something that is not there. @throws SysError: EEXIST, EOPNOTSUPP … */
export function netlinkCreate(type: number, ...parts: readonly Uint8Array[]): void {
  change(NLM_F_CREATE | NLM_F_EXCL, type, parts);
}

/** Asks the kernel to put something in another's place. @throws SysError: ENOENT, EOPNOTSUPP … */
export function netlinkReplace(type: number, ...parts: readonly Uint8Array[]): void {
  change(NLM_F_CREATE | NLM_F_REPLACE, type, parts);
}

function change(flags: number, type: number, parts: readonly Uint8Array[]): void {
  const errors = once((socket) => socket.change([{ type, flags, parts }]));
  for (const error of errors.values()) throw error;
}

function once<T>(ask: (socket: NetlinkSocket) => T): T {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    return ask(socket);
  } finally {
    socket.close();
  }
}
