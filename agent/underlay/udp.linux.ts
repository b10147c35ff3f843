/**
 * The underlay over UDP sockets: one that takes what comes to the VTEP's port, and one per lane to send from, each on a port of the
 * range that RFC 7348 §5 names, so that flows have different source ports.
 *
 * Over IPv4 the UDP checksum is zero, as the RFC says it should be. Over IPv6 it is there, because receivers (the Linux kernel's
 * VXLAN among them) drop a zero one unless told otherwise; a zero one is accepted (RFC 6935). DF is set: a VTEP never fragments.
 */
import { parseIp } from '../../src/contract/ip.ts';
import type { Arena } from '../sys/arena.linux.ts';
import { checked, EAGAIN, EMSGSIZE, ENOBUFS, lastErrno, SysError } from '../sys/errno.linux.ts';
import { bind, close, recvmmsg, sendmmsg, setsockopt, socket } from '../sys/libc.linux.ts';
import { MessageArray } from '../sys/mmsghdr.linux.ts';
import { AF_INET, AF_INET6, readSockaddrWords, SOCKADDR_SIZE, writeSockaddr } from '../sys/sockaddr.linux.ts';
import { type DatagramBatch, MAX_PACKET } from '../wire/packet-batch.ts';
import { type SendFailure, SOURCE_PORT_LANES, type Underlay } from './underlay.ts';

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_NO_CHECK = 11;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IPPROTO_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
const IPV6_V6ONLY = 26;
const IPPROTO_UDP = 17;
const UDP_NO_CHECK6_RX = 102;
/** IP_PMTUDISC_DO: set DF, and refuse what is known not to fit. */
const PMTUDISC_DO = 2;

const FIRST_SOURCE_PORT = 49_152;
const SOURCE_PORT_COUNT = 16_384;
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
const LANE_CAPACITY = 128;
const MAX_DESTINATIONS = 8192;

export interface UdpUnderlayOptions {
  readonly arena: Arena;
  /** The VTEP's own address, or null to take datagrams on every one. */
  readonly address: string | null;
  readonly port: number;
  /** How many datagrams a batch holds, at most. */
  readonly batchCapacity: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** What the arena must have room for, besides the packets. */
export const UDP_UNDERLAY_ARENA_BYTES =
  MAX_DESTINATIONS * 32 + SOURCE_PORT_LANES * LANE_CAPACITY * 96 + 512 * (SOCKADDR_SIZE + 96) + 65_536;

export class UdpUnderlay implements Underlay {
  readonly fd: number;
  readonly #arena: Arena;
  readonly #family: number;
  readonly #lanes: readonly Lane[];
  readonly #received: MessageArray;
  readonly #sources: number;
  readonly #buffers: number;
  readonly #preparedFor: Int32Array;
  readonly #destinationNames: number;
  readonly #destinationLength: number;
  readonly #users = new Int32Array(MAX_DESTINATIONS);
  readonly #byKey = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #overflow: { failed: ((tag: number, failure: SendFailure) => void) | null } = { failed: null };

  /** @throws SysError: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT … */
  constructor(options: UdpUnderlayOptions) {
    const { arena, address, port, batchCapacity } = options;
    this.#arena = arena;
    const any = address === null;
    const bytes = any ? anyAddress() : parseIp(address)!;
    this.#family = bytes.length === 4 ? AF_INET : AF_INET6;
    this.#destinationLength = this.#family === AF_INET ? 16 : SOCKADDR_SIZE;
    this.#destinationNames = arena.take(MAX_DESTINATIONS * 32);
    this.#sources = arena.take(batchCapacity * SOCKADDR_SIZE);
    this.#received = new MessageArray(arena, batchCapacity);
    this.#preparedFor = new Int32Array(batchCapacity).fill(-1);
    this.#buffers = batchCapacity;
    const scratch = arena.take(SOCKADDR_SIZE);

    this.fd = openSocket(arena, scratch, this.#family, any);
    const lanes: Lane[] = [];
    this.#lanes = lanes;
    try {
      setOption(arena, scratch, this.fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
      // Beyond net.core.rmem_max where we may.
      setOption(arena, scratch, this.fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES);
      bindSocket(arena, scratch, this.fd, this.#family, bytes, port);
      const first = Math.floor(options.random() * SOURCE_PORT_COUNT);
      for (let i = 0; i < SOURCE_PORT_LANES; i++) {
        lanes.push(
          openLane(arena, scratch, this.#family, any, bytes, first + i * (SOURCE_PORT_COUNT / SOURCE_PORT_LANES)),
        );
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  addDestination(address: string, port: number): number {
    const key = `${address} ${port}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.#users[known]! += 1;
      return known;
    }
    const destination = this.#users.indexOf(0);
    if (destination < 0) return -1;
    const at = this.#destinationNames + destination * 32;
    if (writeSockaddr(this.#arena.view, at, this.#family, parseIp(address)!, port) === 0) return -1;
    this.#users[destination] = 1;
    this.#byKey.set(key, destination);
    this.#keys[destination] = key;
    return destination;
  }

  removeDestination(destination: number): void {
    this.#users[destination]! -= 1;
    if (this.#users[destination] === 0) this.#byKey.delete(this.#keys[destination]!);
  }

  receive(batch: DatagramBatch): number {
    const capacity = Math.min(batch.capacity, this.#buffers);
    for (let i = 0; i < capacity; i++) {
      if (this.#preparedFor[i] === batch.offset[i]) continue;
      this.#preparedFor[i] = batch.offset[i]!;
      this.#received.set(i, this.#sources + i * SOCKADDR_SIZE, SOCKADDR_SIZE, batch.offset[i]!, MAX_PACKET);
    }
    const count = recvmmsg(this.fd, this.#received.address, capacity, MSG_DONTWAIT, 0);
    batch.count = Math.max(count, 0);
    for (let i = 0; i < batch.count; i++) {
      batch.length[i] = this.#received.transferred(i);
      readSockaddrWords(this.#arena.view, this.#sources + i * SOCKADDR_SIZE, batch.source, i * 4);
    }
    return batch.count;
  }

  send(offset: number, length: number, destination: number, lane: number, tag: number): void {
    const to = this.#lanes[lane]!;
    if (to.count === LANE_CAPACITY) flushLane(to, this.#overflow.failed);
    to.messages.set(to.count, this.#destinationNames + destination * 32, this.#destinationLength, offset, length);
    to.tags[to.count] = tag;
    to.count++;
  }

  flush(failed: (tag: number, failure: SendFailure) => void): void {
    // Kept for a lane that fills up before the next flush.
    this.#overflow.failed = failed;
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!;
      if (lane.count > 0) flushLane(lane, failed);
    }
  }

  close(): void {
    close(this.fd);
    for (const lane of this.#lanes) close(lane.fd);
  }
}

interface Lane {
  readonly fd: number;
  readonly messages: MessageArray;
  readonly tags: Int32Array;
  count: number;
}

function flushLane(lane: Lane, failed: ((tag: number, failure: SendFailure) => void) | null): void {
  let sent = 0;
  while (sent < lane.count) {
    const result = sendmmsg(lane.fd, lane.messages.addressOf(sent), lane.count - sent, MSG_DONTWAIT);
    if (result > 0) {
      sent += result;
      continue;
    }
    // The first that is left failed; those after it may pass.
    const failure = failureOf(lastErrno());
    failed?.(lane.tags[sent]!, failure);
    sent++;
    if (failure !== 'busy') continue;
    for (; sent < lane.count; sent++) failed?.(lane.tags[sent]!, failure);
  }
  lane.count = 0;
}

function failureOf(errno: number): SendFailure {
  if (errno === EMSGSIZE) return 'tooBig';
  return errno === EAGAIN || errno === ENOBUFS ? 'busy' : 'unreachable';
}

/** Every address, of both families where the host has IPv6. */
function anyAddress(): Uint8Array {
  const fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return new Uint8Array(4);
  close(fd);
  return new Uint8Array(16);
}

function openSocket(arena: Arena, scratch: number, family: number, any: boolean): number {
  const fd = checked('socket', socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  setOption(arena, scratch, fd, SOL_SOCKET, SO_NO_CHECK, family === AF_INET || any ? 1 : 0);
  // On an IPv6 socket that carries IPv4 too, the IPv4 options are taken as well.
  if (family === AF_INET || any) setOption(arena, scratch, fd, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO);
  if (family === AF_INET6) {
    setOption(arena, scratch, fd, IPPROTO_IPV6, IPV6_V6ONLY, any ? 0 : 1);
    setOption(arena, scratch, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DO);
    setOption(arena, scratch, fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
  }
  return fd;
}

function openLane(
  arena: Arena,
  scratch: number,
  family: number,
  any: boolean,
  address: Uint8Array,
  first: number,
): Lane {
  const fd = openSocket(arena, scratch, family, any);
  // Nothing is read from it, so it shall hold nothing.
  setOption(arena, scratch, fd, SOL_SOCKET, SO_RCVBUF, 0);
  setOption(arena, scratch, fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
  setOption(arena, scratch, fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES);
  for (let attempt = 0; ; attempt++) {
    try {
      bindSocket(arena, scratch, fd, family, address, FIRST_SOURCE_PORT + ((first + attempt) % SOURCE_PORT_COUNT));
      break;
    } catch (error) {
      if (error instanceof SysError && error.code === 'EADDRINUSE' && attempt < 1000) continue;
      close(fd);
      throw error;
    }
  }
  return { fd, messages: new MessageArray(arena, LANE_CAPACITY), tags: new Int32Array(LANE_CAPACITY), count: 0 };
}

function bindSocket(
  arena: Arena,
  scratch: number,
  fd: number,
  family: number,
  address: Uint8Array,
  port: number,
): void {
  const length = writeSockaddr(arena.view, scratch, family, address, port);
  checked('bind', bind(fd, arena.address + scratch, length));
}

/** Options that only make things better are not insisted on. */
function setOption(arena: Arena, scratch: number, fd: number, level: number, name: number, value: number): void {
  arena.view.setInt32(scratch, value, true);
  setsockopt(fd, level, name, arena.address + scratch, 4);
}
