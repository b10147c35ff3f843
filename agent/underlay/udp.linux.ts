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

export interface UdpUnderlayOptions {
  /** Where all packets lie that are sent and received. */
  readonly arena: Arena;
  /** The VTEP's own address, or null to take datagrams on every one. */
  readonly address: string | null;
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
  readonly fd: number;
  readonly #arena: Arena;
  readonly #kind: SocketKind;
  readonly #trains: Trains;
  readonly #lanes: Lane[] = [];
  readonly #received: MessageArray;
  readonly #sources: number;
  readonly #batchCapacity: number;
  /** By message: the packet offset that it was prepared for. */
  readonly #preparedFor: Int32Array;
  readonly #names: number;
  readonly #users = new Int32Array(MAX_DESTINATIONS);
  readonly #byKey = new Map<string, number>();
  readonly #keys: string[] = [];
  #failed: Failed | null = null;

  /** @throws SysError: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT … */
  constructor(options: UdpUnderlayOptions) {
    const { arena, address, batchCapacity } = options;
    this.#arena = arena;
    this.#kind = socketKind(address === null ? null : parseIp(address));
    this.#names = arena.take(MAX_DESTINATIONS * NAME_SIZE);
    this.#sources = arena.take(batchCapacity * SOCKADDR_SIZE);
    this.#received = new MessageArray(arena, batchCapacity);
    this.#preparedFor = new Int32Array(batchCapacity).fill(-1);
    this.#batchCapacity = batchCapacity;
    this.fd = openUdpSocket(this.#kind);
    this.#trains = {
      enabled: setOption(this.fd, UDP_SEGMENT, 0),
      onRefused: () => {
        for (const { fd } of this.#lanes) setOption(fd, SO_NO_CHECK, 1);
        options.onTrainsRefused();
      },
    };
    try {
      setOption(this.fd, UDP_GRO, 1);
      setOption(this.fd, IP_RECVTOS, 1);
      setOption(this.fd, IPV6_RECVTCLASS, 1);
      setOption(this.fd, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
      setOption(this.fd, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
      if (options.sharing === 'join') setOption(this.fd, SO_REUSEPORT, 1);
      bindUdpSocket(this.fd, this.#kind, options.port);
      // Only now, or it would join whoever has the port and shares it too: another agent.
      if (options.sharing === 'first') setOption(this.fd, SO_REUSEPORT, 1);
      const first = Math.floor(options.random() * SOURCE_PORT_COUNT);
      for (let i = 0; i < SOURCE_PORT_LANES; i++) {
        this.#lanes.push(this.#openLane(first + i * (SOURCE_PORT_COUNT / SOURCE_PORT_LANES)));
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
    for (let i = 0; i < capacity; i++) {
      received.expectControl(i);
      if (this.#preparedFor[i] === batch.offset[i]) continue;
      this.#preparedFor[i] = batch.offset[i]!;
      received.setBuffer(i, batch.offset[i]!, MAX_PACKET);
      received.setMessage(i, this.#sources + i * SOCKADDR_SIZE, SOCKADDR_SIZE, i, 1);
      received.expectControl(i);
    }
    batch.count = Math.max(0, recvmmsg(this.fd, received.addressOf(0), capacity, MSG_DONTWAIT, 0));
    for (let i = 0; i < batch.count; i++) {
      const length = received.transferred(i);
      batch.length[i] = length;
      batch.segmentSize[i] = received.controlValue(i, UDP_GRO[0], UDP_GRO[1]) || length;
      batch.trafficClass[i] = this.#trafficClass(i);
      readSockaddrWords(this.#arena.view, this.#sources + i * SOCKADDR_SIZE, batch.source, i * 4);
    }
    return batch.count;
  }

  send(offset: number, length: number, destination: number, lane: number, trafficClass: number, tag: number): void {
    const to = this.#lanes[lane]!;
    if (to.isFull) to.flush(this.#failed);
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
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!;
      if (!lane.isEmpty) lane.flush(failed);
    }
  }

  close(): void {
    close(this.fd);
    for (const lane of this.#lanes) lane.close();
  }

  #trafficClass(message: number): number {
    const { family, isDual } = this.#kind;
    const ofIpv6 = family === AF_INET ? 0 : this.#received.controlValue(message, IPV6_TCLASS[0], IPV6_TCLASS[1]);
    if (ofIpv6 !== 0 || (family !== AF_INET && !isDual)) return ofIpv6;
    return this.#received.controlValue(message, IP_TOS[0], IP_TOS[1]);
  }

  /** @param first where in the range of source ports to look for a free one. */
  #openLane(first: number): Lane {
    const fd = openUdpSocket(this.#kind);
    // Nothing is read from it, so it shall hold nothing.
    setOption(fd, SO_RCVBUF, 0);
    setOption(fd, SO_SNDBUF, SEND_BUFFER_BYTES);
    setOption(fd, SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
    setOption(fd, SO_NO_CHECK, this.#trains.enabled ? 0 : 1);
    for (let attempt = 0; ; attempt++) {
      try {
        bindUdpSocket(fd, this.#kind, FIRST_SOURCE_PORT + ((first + attempt) % SOURCE_PORT_COUNT));
        return new Lane(this.#arena, fd, this.#kind.family === AF_INET ? 16 : SOCKADDR_SIZE, this.#trains);
      } catch (error) {
        if (error instanceof SysError && error.code === 'EADDRINUSE' && attempt < 1000) continue;
        close(fd);
        throw error;
      }
    }
  }
}
