/**
 * The underlay over UDP sockets: one that takes what comes to the VTEP's port, and one per lane to send from, each on a port of the
 * range that RFC 7348 §5 names, so that flows have different source ports.
 *
 * Many datagrams move in one go: sent as trains that the kernel or the network card cuts (`UDP_SEGMENT`), received as the kernel put
 * them together (`UDP_GRO`). A train must have UDP checksums, which the device makes; so over IPv4 the checksum is zero, as the RFC
 * says it should be, only where the kernel takes no trains. Over IPv6 it is always there, because receivers (the Linux kernel's VXLAN
 * among them) drop a zero one unless told otherwise. A zero one is accepted (RFC 6935). DF is set: a VTEP never fragments.
 */
import { parseIp } from '../../src/contract/ip.ts';
import type { Arena } from '../sys/arena.linux.ts';
import { SysError } from '../sys/errno.linux.ts';
import { close, recvmmsg } from '../sys/libc.linux.ts';
import { MessageArray } from '../sys/mmsghdr.linux.ts';
import { AF_INET, readSockaddrWords, SOCKADDR_SIZE, writeSockaddr } from '../sys/sockaddr.linux.ts';
import { type DatagramBatch, MAX_PACKET } from '../wire/packet-batch.ts';
import { type Failed, LANE_CAPACITY, Lane, type Trains } from './lane.linux.ts';
import {
  bindUdpSocket,
  IP_RECVTOS,
  IP_TOS,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  openUdpSocket,
  SO_NO_CHECK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  type SocketKind,
  setOption,
  socketKind,
  UDP_GRO,
  UDP_SEGMENT,
} from './udp-socket.linux.ts';
import { SOURCE_PORT_LANES, type Underlay } from './underlay.ts';

const MSG_DONTWAIT = 0x40;
const FIRST_SOURCE_PORT = 49_152;
const SOURCE_PORT_COUNT = 16_384;
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;
/** What comes in the some ten milliseconds that the thread may have to wait for its turn, at 10 Gbit/s: several flows lost some with 4 MiB. */
const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
const MAX_DESTINATIONS = 8192;
/** A socket address, aligned. */
const NAME_SIZE = 32;

/** Where datagrams are taken in and sent from. */
export interface UnderlaySource {
  /** The VTEP's own address, or null for every one of the host. */
  readonly address: string | null;
  /** The interface that they must come by, and go by; absent: any. */
  readonly device?: string;
  /** Of that interface: one that was made anew has another. */
  readonly index?: number;
}

interface Listener {
  readonly key: string;
  readonly fd: number;
}

export interface UdpUnderlayOptions {
  /** Where all packets lie that are sent and received. */
  readonly arena: Arena;
  readonly source: UnderlaySource;
  readonly port: number;
  /**
   * Where several underlays take in what comes to the port, each some of the flows: the first one opens it, which fails where anybody else
   * has it, and the others join.
   */
  readonly sharing?: 'first' | 'join';
  /** How many datagrams a batch holds, at most. */
  readonly batchCapacity: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Called once where the kernel or a device takes no trains after all. */
  readonly onTrainsRefused: () => void;
}

/** What the arena must have room for, besides the packets. */
export const UDP_UNDERLAY_ARENA_BYTES =
  MAX_DESTINATIONS * NAME_SIZE + SOURCE_PORT_LANES * LANE_CAPACITY * 128 + 512 * 160 + 65_536;

export class UdpUnderlay implements Underlay {
  readonly #arena: Arena;
  readonly #port: number;
  readonly #random: () => number;
  readonly #sharing: 'first' | 'join' | undefined;
  #kind: SocketKind;
  /** The first one's source is what is sent from. */
  #listeners: Listener[] = [];
  /** Which one is asked first. */
  #turn = 0;
  readonly #trains: Trains;
  readonly #lanes: Lane[] = [];
  /** A bit for each lane that something was queued in. */
  #queued = 0;
  readonly #received: MessageArray;
  readonly #sources: number;
  readonly #batchCapacity: number;
  /** The offsets of the batch that messages were prepared for. */
  #preparedFor: Int32Array | null = null;
  /** How many messages the kernel wrote to the last time. */
  #used = 0;
  readonly #names: number;
  readonly #users = new Int32Array(MAX_DESTINATIONS);
  readonly #byKey = new Map<string, number>();
  readonly #keys: string[] = [];
  #failed: Failed | null = null;

  /** @throws SysError: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT … */
  constructor(options: UdpUnderlayOptions) {
    const { arena, source, batchCapacity } = options;
    this.#arena = arena;
    this.#port = options.port;
    this.#random = options.random;
    this.#sharing = options.sharing;
    this.#kind = kindOf(source);
    this.#names = arena.take(MAX_DESTINATIONS * NAME_SIZE);
    this.#sources = arena.take(batchCapacity * SOCKADDR_SIZE);
    this.#received = new MessageArray(arena, batchCapacity);
    this.#batchCapacity = batchCapacity;
    const listener = this.#listen(source);
    this.#listeners.push(listener);
    this.#trains = {
      enabled: setOption(listener.fd, UDP_SEGMENT, 0),
      onRefused: () => {
        for (const { fd } of this.#lanes) setOption(fd, SO_NO_CHECK, 1);
        options.onTrainsRefused();
      },
    };
    try {
      const nameLength = this.#kind.family === AF_INET ? 16 : SOCKADDR_SIZE;
      for (const fd of this.#openLanes()) this.#lanes.push(new Lane(arena, fd, nameLength, this.#trains));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What becomes ready when datagrams wait. */
  get fds(): readonly number[] {
    return this.#listeners.map(({ fd }) => fd);
  }

  /**
   * Takes datagrams by each of these sources, and sends by the first from now on. Those that stay lose nothing. Nothing is queued.
   * @param sources of the IP family that the underlay began with.
   * @returns the descriptors that came, which wait with the others in `fds`; those that went are closed.
   * @throws SysError; then the sources are what they were.
   */
  setSources(sources: readonly UnderlaySource[]): number[] {
    const [first] = sources;
    const known = new Map(this.#listeners.map((listener) => [listener.key, listener]));
    const opened: Listener[] = [];
    let lanes: number[] = [];
    try {
      for (const source of sources) if (!known.has(keyOf(source))) opened.push(this.#listen(source));
      if (first !== undefined && keyOf(first) !== this.#listeners[0]?.key) {
        this.#kind = kindOf(first);
        lanes = this.#openLanes();
      }
    } catch (error) {
      for (const { fd } of opened) close(fd);
      throw error;
    }
    for (const [i, fd] of lanes.entries()) this.#lanes[i]!.sendBy(fd);
    const all = new Map([...known, ...opened.map((listener) => [listener.key, listener] as const)]);
    const listeners = sources.map((source) => all.get(keyOf(source))!);
    for (const listener of this.#listeners) if (!listeners.includes(listener)) close(listener.fd);
    this.#listeners = listeners;
    return opened.map(({ fd }) => fd);
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
    const at = this.#names + destination * NAME_SIZE;
    if (writeSockaddr(this.#arena.view, at, this.#kind.family, parseIp(address)!, port) === 0) return -1;
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
    const received = this.#received;
    const capacity = Math.min(batch.capacity, this.#batchCapacity);
    if (this.#preparedFor !== batch.offset) this.#prepare(batch.offset, capacity);
    // Only what was used: a lone datagram shall not touch the memory of 64.
    for (let i = 0; i < this.#used; i++) received.expectControl(i);
    batch.count = 0;
    // One, but for while the site moves from one to another.
    for (let tries = this.#listeners.length; tries > 0 && batch.count === 0; tries--) {
      this.#turn = (this.#turn + 1) % this.#listeners.length;
      const { fd } = this.#listeners[this.#turn]!;
      batch.count = Math.max(0, recvmmsg(fd, received.addressOf(0), capacity, MSG_DONTWAIT, 0));
    }
    for (let i = 0; i < batch.count; i++) {
      const length = received.transferred(i);
      batch.length[i] = length;
      batch.segmentSize[i] = received.controlValue(i, UDP_GRO[0], UDP_GRO[1]) || length;
      batch.trafficClass[i] = this.#trafficClass(i);
      readSockaddrWords(this.#arena.view, this.#sources + i * SOCKADDR_SIZE, batch.source, i * 4);
    }
    this.#used = batch.count;
    return batch.count;
  }

  /** Lets message `i` be received where packet `i` of a batch lies. */
  #prepare(offsets: Int32Array, capacity: number): void {
    this.#preparedFor = offsets;
    for (let i = 0; i < capacity; i++) {
      this.#received.setBuffer(i, offsets[i]!, MAX_PACKET);
      this.#received.setMessage(i, this.#sources + i * SOCKADDR_SIZE, SOCKADDR_SIZE, i, 1);
      this.#received.expectControl(i);
    }
  }

  send(offset: number, length: number, destination: number, lane: number, trafficClass: number, tag: number): void {
    const to = this.#lanes[lane]!;
    if (to.isFull) to.flush(this.#failed);
    this.#queued |= 1 << lane;
    to.queue(offset, length, this.#names + destination * NAME_SIZE, trafficClass, tag);
  }

  sendTrain(
    offset: number,
    length: number,
    segmentSize: number,
    destination: number,
    lane: number,
    trafficClass: number,
    tag: number,
    failed: Failed,
  ): void {
    const to = this.#lanes[lane]!;
    if (!to.isEmpty) to.flush(failed);
    to.sendTrain(offset, length, segmentSize, this.#names + destination * NAME_SIZE, trafficClass, tag, failed);
  }

  flush(failed: Failed): void {
    // Kept for a lane that fills up before the next flush.
    this.#failed = failed;
    for (let left = this.#queued; left !== 0; left &= left - 1)
      this.#lanes[31 - Math.clz32(left & -left)]!.flush(failed);
    this.#queued = 0;
  }

  close(): void {
    for (const { fd } of this.#listeners) close(fd);
    for (const lane of this.#lanes) lane.close();
  }

  #trafficClass(message: number): number {
    const { family, isDual } = this.#kind;
    const ofIpv6 = family === AF_INET ? 0 : this.#received.controlValue(message, IPV6_TCLASS[0], IPV6_TCLASS[1]);
    if (ofIpv6 !== 0 || (family !== AF_INET && !isDual)) return ofIpv6;
    return this.#received.controlValue(message, IP_TOS[0], IP_TOS[1]);
  }

  /** @throws SysError */
  #listen(source: UnderlaySource): Listener {
    const kind = kindOf(source);
    const fd = openUdpSocket(kind);
    try {
      setOption(fd, UDP_GRO, 1);
      setOption(fd, IP_RECVTOS, 1);
      setOption(fd, IPV6_RECVTCLASS, 1);
      setOption(fd, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
      setOption(fd, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
      if (this.#sharing === 'join') setOption(fd, SO_REUSEPORT, 1);
      bindUdpSocket(fd, kind, this.#port);
      // Only now, or it would join whoever has the port and shares it too: another agent.
      if (this.#sharing === 'first') setOption(fd, SO_REUSEPORT, 1);
      return { key: keyOf(source), fd };
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** @returns a socket for each lane, all or none. @throws SysError */
  #openLanes(): number[] {
    const first = Math.floor(this.#random() * SOURCE_PORT_COUNT);
    const lanes: number[] = [];
    try {
      for (let i = 0; i < SOURCE_PORT_LANES; i++) {
        lanes.push(this.#openLane(first + i * (SOURCE_PORT_COUNT / SOURCE_PORT_LANES)));
      }
      return lanes;
    } catch (error) {
      for (const fd of lanes) close(fd);
      throw error;
    }
  }

  /** @param first where in the range of source ports to look for a free one. */
  #openLane(first: number): number {
    const fd = openUdpSocket(this.#kind);
    // Nothing is read from it, so it shall hold nothing.
    setOption(fd, SO_RCVBUF, 0);
    setOption(fd, SO_SNDBUF, SEND_BUFFER_BYTES);
    setOption(fd, SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
    setOption(fd, SO_NO_CHECK, this.#trains.enabled ? 0 : 1);
    for (let attempt = 0; ; attempt++) {
      try {
        bindUdpSocket(fd, this.#kind, FIRST_SOURCE_PORT + ((first + attempt) % SOURCE_PORT_COUNT));
        return fd;
      } catch (error) {
        if (error instanceof SysError && error.code === 'EADDRINUSE' && attempt < 1000) continue;
        close(fd);
        throw error;
      }
    }
  }
}

function kindOf({ address, device }: UnderlaySource): SocketKind {
  return socketKind(address === null ? null : parseIp(address), device);
}

function keyOf({ address, device, index }: UnderlaySource): string {
  return `${address} ${device} ${index}`;
}
