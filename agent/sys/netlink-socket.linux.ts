/**
 * An AF_NETLINK socket that stays open: many changes in few system calls, dumps of any length, and notifications.
 *
 * A change that succeeds is not answered; only the last of a chunk asks for an acknowledgement, so that ten thousand entries cost some
 * hundred calls and the answers never outgrow the socket's buffer.
 */
import { Arena } from './arena.linux.ts';
import { checked, EAGAIN, EINTR, ENOBUFS, lastErrno, SysError } from './errno.linux.ts';
import { bind, close, recv, sendto, setsockopt, socket } from './libc.linux.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './rtnetlink.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
/** Errors without the request that they answer. */
const NETLINK_CAP_ACK = 10;
const ADDRESS_LENGTH = 12;
/** A dump's datagrams are at most 32 KiB. */
const RECEIVE_SIZE = 65_536;
const BUFFER_BYTES = 16 * 1024 * 1024;
/** Changes in one system call. */
const CHUNK = 200;
/** How often a dump is asked for that things change under. */
const DUMP_ATTEMPTS = 5;
/** How many datagrams of notifications are taken before the caller has its turn. */
const TURNS = 1000;

export interface NetlinkChange {
  readonly type: number;
  /** Beside NLM_F_REQUEST. */
  readonly flags: number;
  readonly parts: readonly Uint8Array[];
}

export class NetlinkSocket {
  readonly fd: number;
  readonly #arena = new Arena(RECEIVE_SIZE + 256);
  readonly #kernel: number;
  readonly #buffer: number;
  #sequence = 1;
  #portId = 0;

  /**
   * @param groups of which it hears notifications, by their numbers (RTNLGRP_…, NFNLGRP_…).
   * @throws SysError
   */
  constructor(protocol: number, groups: readonly number[] = []) {
    const { view, address } = this.#arena;
    this.#kernel = this.#arena.take(ADDRESS_LENGTH);
    this.#buffer = this.#arena.take(RECEIVE_SIZE);
    view.setUint16(this.#kernel, AF_NETLINK, true);
    this.fd = checked('socket(AF_NETLINK)', socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    checked('bind(AF_NETLINK)', bind(this.fd, address + this.#kernel, ADDRESS_LENGTH));
    // Best effort: without CAP_NET_ADMIN in the first user namespace the buffers stay as they are.
    for (const name of [SO_SNDBUFFORCE, SO_RCVBUFFORCE]) this.#option(SOL_SOCKET, name, BUFFER_BYTES);
    this.#option(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    for (const group of groups)
      checked('NETLINK_ADD_MEMBERSHIP', this.#option(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group));
  }

  /**
   * Makes changes in their order; one that the kernel refuses does not keep it from the next.
   * @returns the errors, by the place of the change.
   */
  change(changes: readonly NetlinkChange[]): Map<number, SysError> {
    const errors = new Map<number, SysError>();
    for (let start = 0; start < changes.length; start += CHUNK) {
      const chunk = changes.slice(start, start + CHUNK);
      const first = this.#nextSequence(chunk.length);
      const last = chunk.length - 1;
      const messages = chunk.map(({ type, flags, parts }, i) =>
        encodeMessage(type, flags | NLM_F_REQUEST | (i === last ? NLM_F_ACK : 0), first + i, parts),
      );
      this.#send(messages);
      this.#answers(first, first + last, (message) => {
        const errno = errnoOf(message);
        if (errno !== 0)
          errors.set(
            start + message.sequence - first,
            new SysError(`netlink ${chunk[message.sequence - first]?.type}`, errno),
          );
      });
    }
    return errors;
  }

  /**
   * Makes changes that must come into force together, as the kernel's subsystem knows to do: the messages go in one datagram.
   * @throws SysError of the first that was refused; then nothing is changed.
   */
  transact(changes: readonly NetlinkChange[]): void {
    const first = this.#nextSequence(changes.length);
    // The closing message is answered by newer kernels only, so the one before it asks.
    const last = changes.length - 2;
    const messages = changes.map(({ type, flags, parts }, i) =>
      encodeMessage(type, flags | NLM_F_REQUEST | (i === last ? NLM_F_ACK : 0), first + i, parts),
    );
    this.#send(messages);
    let failed: SysError | null = null;
    this.#answers(first, first + last, (message) => {
      const errno = errnoOf(message);
      if (errno !== 0) failed ??= new SysError(`netlink ${changes[message.sequence - first]?.type}`, errno);
      // Refused as a whole: nothing more will be said.
      return errno !== 0 && message.sequence === first;
    });
    if (failed !== null) throw failed;
  }

  /**
   * All that the kernel has of a kind.
   * @throws SysError
   */
  dump(type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
    return undisturbed(() => this.#ask(type, NLM_F_DUMP, parts));
  }

  /**
   * One thing of the kernel's.
   * @throws SysError: ENODEV or ENOENT where there is none.
   */
  get(type: number, ...parts: readonly Uint8Array[]): NetlinkMessage[] {
    return this.#ask(type, NLM_F_ACK, parts);
  }

  /**
   * Takes the notifications that wait, for a socket that asks nothing: so many and no more, since they may come faster than they are taken.
   * @returns false where some were lost: more came than the buffer holds.
   */
  notifications(onMessage: (message: NetlinkMessage) => void): boolean {
    let isWhole = true;
    for (let turn = 0; turn < TURNS; turn++) {
      const length = recv(this.fd, this.#arena.address + this.#buffer, RECEIVE_SIZE, MSG_DONTWAIT);
      if (length >= 0) {
        for (const message of decodeMessages(this.#received(length))) onMessage(message);
        continue;
      }
      const errno = lastErrno();
      if (errno === EAGAIN) return isWhole;
      if (errno === ENOBUFS) isWhole = false;
      else if (errno !== EINTR) throw new SysError('recv(AF_NETLINK)', errno);
    }
    return isWhole;
  }

  /** By which notifications tell its changes from others': known once it was answered. */
  get portId(): number {
    return this.#portId;
  }

  close(): void {
    close(this.fd);
  }

  #ask(type: number, flags: number, parts: readonly Uint8Array[]): NetlinkMessage[] {
    const sequence = this.#nextSequence(1);
    this.#send([encodeMessage(type, flags | NLM_F_REQUEST, sequence, parts)]);
    const found: NetlinkMessage[] = [];
    this.#answers(sequence, sequence, (message) => {
      if (message.type === NLMSG_ERROR) {
        const errno = errnoOf(message);
        if (errno !== 0) throw new SysError(`netlink ${type}`, errno);
      } else found.push(message);
    });
    return found;
  }

  /** Gives what answers the requests from `first` to `last`, until the last has its verdict or `take` returns true. */
  #answers(first: number, last: number, take: (message: NetlinkMessage) => unknown): void {
    for (;;) {
      const length = recv(this.fd, this.#arena.address + this.#buffer, RECEIVE_SIZE, 0);
      if (length < 0) {
        const errno = lastErrno();
        if (errno === EINTR) continue;
        throw new SysError('recv(AF_NETLINK)', errno);
      }
      for (const message of decodeMessages(this.#received(length))) {
        // What an earlier call was no longer waiting for.
        if (message.sequence < first || message.sequence > last) continue;
        this.#portId = message.portId;
        const isEnd = take(message) === true;
        if (isEnd || (message.sequence === last && (message.type === NLMSG_ERROR || message.type === NLMSG_DONE)))
          return;
      }
    }
  }

  #send(messages: readonly Uint8Array[]): void {
    const length = messages.reduce((sum, message) => sum + message.length, 0);
    const arena = new Arena(length);
    let at = arena.take(length);
    for (const message of messages) {
      arena.bytes.set(message, at);
      at += message.length;
    }
    const sent = sendto(this.fd, arena.address, length, 0, this.#arena.address + this.#kernel, ADDRESS_LENGTH);
    checked('sendto(AF_NETLINK)', sent);
  }

  #received(length: number): Uint8Array {
    return this.#arena.bytes.subarray(this.#buffer, this.#buffer + length);
  }

  #nextSequence(count: number): number {
    const sequence = this.#sequence;
    this.#sequence = (sequence + count) % 2 ** 31;
    return sequence;
  }

  #option(level: number, name: number, value: number): number {
    const { view, address } = this.#arena;
    view.setInt32(this.#buffer, value, true);
    return setsockopt(this.fd, level, name, address + this.#buffer, 4);
  }
}

/**
 * @param dump asks once. @returns the first answer that nothing changed under, without its end; where things never stand still, the last.
 */
export function undisturbed(dump: () => NetlinkMessage[]): NetlinkMessage[] {
  for (let attempt = 1; ; attempt++) {
    const found = dump();
    // The kernel says so in any of the messages, the closing one among them.
    const isDisturbed = found.some(({ flags }) => (flags & NLM_F_DUMP_INTR) !== 0);
    if (!isDisturbed || attempt === DUMP_ATTEMPTS) return found.filter(({ type }) => type !== NLMSG_DONE);
  }
}

function errnoOf({ type, body }: NetlinkMessage): number {
  return type === NLMSG_ERROR ? -new DataView(body.buffer, body.byteOffset).getInt32(0, true) : 0;
}
